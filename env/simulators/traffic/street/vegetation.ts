/** Trees along the street, leafy or bare. */
import * as THREE from 'three';
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import { CLASS_ID } from '../../../streets/classes.ts';
import { kerbStretches, mainRoad, SIDES, type Layout } from './layout.ts';
import { MeshBuilder, turn, type Point, type Rgb } from '../meshes/mesh-builder.ts';
import type { TrafficTheta } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { cached, fractalNoise, paintTexture, type Texel } from '../meshes/textures.ts';

/** The number of crowns of each kind. */
const VARIANTS = 4;
/** Texels across a crown of leaves, and of branches, which need finer ones. */
const LEAFY_SIZE = 128;
const BARE_SIZE = 144;

/** A cut-out of leaves: clumps that are lit from above, ragged at the edge. */
function leafyCrown(variant: number): THREE.DataTexture {
  const random = new Random(deriveSeed(variant, 'leafy crown'));
  const clumps = Array.from({ length: 44 }, () => {
    const [cos, sin] = turn(random.uniform());
    const reach = 0.34 * Math.sqrt(random.uniform());
    return { u: 0.5 + reach * cos, v: 0.52 + reach * 0.95 * sin, radius: random.uniform(0.07, 0.15) };
  });
  const cover = new Float32Array(LEAFY_SIZE * LEAFY_SIZE); // how far inside the nearest clump
  const light = new Float32Array(LEAFY_SIZE * LEAFY_SIZE); // 1 at the top of a clump, 0 at its foot
  for (const { u, v, radius } of clumps) addClump(cover, light, u * LEAFY_SIZE, v * LEAFY_SIZE, radius * LEAFY_SIZE);
  const ragged = fractalNoise(variant + 201, 14, 3);
  const leaves = fractalNoise(variant + 231, 20, 3);
  const hue = random.uniform(-0.012, 0.02);
  return paintTexture(LEAFY_SIZE, LEAFY_SIZE, (u, v): Texel => {
    const i = Math.floor(v * LEAFY_SIZE) * LEAFY_SIZE + Math.floor(u * LEAFY_SIZE);
    const shade = (0.35 + 0.5 * light[i]! + 0.35 * v) * (0.35 + 1.3 * leaves(u, v));
    const alpha = cover[i]! + (ragged(u, v) - 0.5) * 0.9 > 0.3 && cover[i]! > 0 ? 1 : 0;
    return [(0.085 + hue) * shade, 0.125 * shade, 0.038 * shade, alpha];
  });
}

function addClump(cover: Float32Array, light: Float32Array, x: number, y: number, radius: number): void {
  const reach = 1.2 * radius;
  for (let row = Math.max(0, Math.floor(y - reach)); row <= Math.min(LEAFY_SIZE - 1, y + reach); row++) {
    for (let column = Math.max(0, Math.floor(x - reach)); column <= Math.min(LEAFY_SIZE - 1, x + reach); column++) {
      const [across, up] = [column + 0.5 - x, row + 0.5 - y];
      const inside = 1.2 - Math.sqrt(across * across + up * up) / radius;
      if (inside < 0) continue;
      const i = row * LEAFY_SIZE + column;
      cover[i] = Math.max(cover[i]!, inside);
      light[i] = Math.max(light[i]!, 0.5 + up / radius / 2);
    }
  }
}

/** How wide boughs look that reach to the sides, and those that also reach ahead and back. */
const DEPTHS = [1, 0.6];

/** A cut-out of bare branches, which fork again and again, as a camera sees those of a whole crown. */
function bareCrown(variant: number): THREE.DataTexture {
  const random = new Random(deriveSeed(variant, 'bare crown'));
  const alpha = new Float32Array(BARE_SIZE * BARE_SIZE);
  const grow = (u: number, v: number, angle: number, length: number, width: number, depth: number) => {
    const steps = Math.ceil(length * BARE_SIZE * 1.5);
    for (let i = 0; i < steps; i++) {
      angle += random.normal(0, 0.035);
      u += (Math.sin(angle) * length) / steps;
      v += (Math.cos(angle) * length) / steps;
      if (Math.hypot(u - 0.5, Math.max(0, v - 0.5)) > 0.48) return; // round, so that the cut-out does not show
      const across = 0.5 + (u - 0.5) * depth;
      stamp(alpha, across * BARE_SIZE, v * BARE_SIZE, width * BARE_SIZE * (1 - (0.4 * i) / steps));
    }
    if (length < 0.05) return;
    const forks = length > 0.15 ? 4 : 3;
    for (let i = 0; i < forks; i++) {
      const spread = ((i + 0.5) / forks - 0.5) * 2 + random.normal(0, 0.25);
      grow(u, v, angle * 0.85 + spread, length * random.uniform(0.55, 0.85), width * 0.6, depth);
    }
  };
  for (const depth of DEPTHS) grow(0.5, 0, 0, 0.2, 0.024, depth);
  return paintTexture(BARE_SIZE, BARE_SIZE, (u, v): Texel => {
    const covered = alpha[Math.floor(v * BARE_SIZE) * BARE_SIZE + Math.floor(u * BARE_SIZE)]!;
    return [0.085, 0.074, 0.064, covered];
  });
}

/** Covers the texels within `radius` of a point. */
function stamp(alpha: Float32Array, x: number, y: number, radius: number): void {
  const reach = Math.max(1, radius);
  for (let row = Math.floor(y - reach); row <= y + reach; row++) {
    for (let column = Math.floor(x - reach); column <= x + reach; column++) {
      if (row < 0 || row >= BARE_SIZE || column < 0 || column >= BARE_SIZE) continue;
      const [across, up] = [column + 0.5 - x, row + 0.5 - y];
      if (across * across + up * up <= Math.max(0.36, radius * radius)) alpha[row * BARE_SIZE + column] = 1;
    }
  }
}

const treeMaterials = cached((key: number): THREE.Material[] => {
  const leafy = key < VARIANTS;
  const map = leafy ? leafyCrown(key) : bareCrown(key - VARIANTS);
  map.wrapS = map.wrapT = THREE.ClampToEdgeWrapping;
  // Averaged in mip levels, twigs become a veil, which a threshold turns into blots. Without them, each sample meets a
  // twig or none.
  if (!leafy) map.minFilter = THREE.LinearFilter;
  const crown = new THREE.MeshLambertMaterial({ map, alphaTest: leafy ? 0.5 : 0.4 });
  return [labelled(crown, { classId: CLASS_ID.vegetation, receives: false }), trunk];
});
const trunk = labelled(new THREE.MeshLambertMaterial({ vertexColors: true }), {
  classId: CLASS_ID.vegetation,
  receives: false,
});

const BARK: Rgb = [0.09, 0.075, 0.06];
/** Height of the trunk under branches and within leaves, as a share of the tree's height. */
const TRUNK = [0.33, 0.4] as const;

/** A tree lower than this has a trunk of three sides, pixels. */
const SMALL = 60;

/**
 * A tree 1 m high, whose front is +z: a cut-out across it, which shows the crown to a camera in front, and one along its
 * depth, which gives the shadow its width.
 *
 * `key`: 1 has leaves, 2 is small, 4 is mirrored.
 */
const treeParts = cached((key: number) => {
  const mesh = new MeshBuilder();
  const leafy = (key & 1) as 0 | 1;
  const uv = key & 4 ? [1, 0, 0, 0, 0, 1, 1, 1] : [0, 0, 1, 0, 1, 1, 0, 1];
  const bottom = leafy ? 0.24 : 0.29;
  for (const [x, z] of [
    [0.36, 0],
    [0, 0.36],
  ] as const) {
    const corners: Point[] = [
      [-x, bottom, -z],
      [x, bottom, z],
      [x, 1, z],
      [-x, 1, -z],
    ];
    // Both faces get the light of the sky like the round crown that they represent.
    for (const facing of [1, -1]) {
      const [outX, outZ] = [(z / 0.36) * facing, (x / 0.36) * facing];
      const normals = corners.map(([cx, , cz]): Point => [2 * cx + 0.55 * outX, 0.75, 2 * cz + 0.55 * outZ]);
      mesh.face(corners, { material: 0, uv, away: [-outX, bottom, -outZ], normals });
    }
  }
  return mesh.column([0, 0, 0], TRUNK[leafy], 0.02, 0.012, key & 2 ? 3 : 5, { material: 1, colour: BARK }).parts;
});

export function addTrees(stage: Stage, theta: TrafficTheta, layout: Layout, random: Random): void {
  const road = mainRoad(layout);
  const usual = random.uniform(6, 13);
  const leafyStreet = random.chance(theta.leafiness);
  for (const side of SIDES) {
    const { kerb, pavementWidth, setback } = layout.roadside(side);
    for (const [from, to] of kerbStretches(layout, side)) {
      const count = random.poisson((theta.treeRate * (to - from)) / 100);
      for (let i = 0; i < count; i++) {
        const s = Math.max(random.uniform(from + 1, to - 1), 3);
        const inGarden = setback > 2.5 && random.chance(0.6);
        const d =
          kerb + (inGarden ? pavementWidth + random.uniform(0.8, setback - 1) : Math.min(0.9, pavementWidth * 0.4));
        // Trees of one street mostly have leaves at the same time.
        const leafy = random.chance(0.85) ? leafyStreet : random.chance(theta.leafiness);
        addTree(stage, road(s, side * d), usual * random.uniform(0.6, 1.3), leafy, random);
      }
    }
  }
}

function addTree(stage: Stage, { x, z }: { x: number; z: number }, height: number, leafy: boolean, random: Random) {
  const variant = random.integer(VARIANTS);
  const mirrored = random.chance(0.5);
  const width = height * random.uniform(0.8, 1.15);
  if (!stage.view.shows(x, height / 2, z, height * 0.65)) return;
  const small = height * stage.view.pixelsPerMetre(x, z) < SMALL;
  const parts = treeParts((leafy ? 1 : 0) + (small ? 2 : 0) + (mirrored ? 4 : 0));
  const materials = treeMaterials(variant + (leafy ? 0 : VARIANTS));
  const { x: eyeX, z: eyeZ } = stage.camera.position;
  const rotation = Math.atan2(eyeX - x, eyeZ - z); // towards the camera
  stage.place(parts, materials, { x, z, rotation, scaleX: width, scaleY: height, scaleZ: width });
}
