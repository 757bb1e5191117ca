/** White and yellow lines, painted on the road; their label is road. */
import * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import { CLASS_ID } from '../../../streets/classes.ts';
import { laneMiddle, mainRoad, openSides, SIDES, STREET_START, type Layout, type Road } from './layout.ts';
import type { Rgb } from '../meshes/mesh-builder.ts';
import type { TrafficTheta } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { cached, fractalNoise, paintTexture, smoothstep } from '../meshes/textures.ts';
import type { Vertices } from '../meshes/vertices.ts';

/** Height above the road, m. */
const HEIGHT = 0.015;
const WHITE: Rgb = [0.62, 0.62, 0.6];
const YELLOW: Rgb = [0.55, 0.4, 0.06];
/** Lines further away are thinner than a pixel. */
const LINES_END = 90;

/** Paint that is worn off here and there; `wear` from 0 to 3. */
const paintMaterial = cached((wear: number) => {
  const noise = fractalNoise(7, 4, 4);
  const worn = paintTexture(64, 64, (u, v) => {
    const left = smoothstep(0.1 + 0.12 * wear, 0.25 + 0.14 * wear, noise(u, v));
    return [1, 1, 1, 0.95 * left];
  });
  const material = new THREE.MeshLambertMaterial({
    map: worn,
    vertexColors: true,
    transparent: true,
    depthWrite: false,
    polygonOffset: true,
    polygonOffsetFactor: -1,
    polygonOffsetUnits: -1,
  });
  return labelled(material, { classId: CLASS_ID.road, casts: false });
});

/** The vertices of lines, and the road that they are painted on. */
interface Paint {
  readonly vertices: Vertices;
  readonly road: Road;
}

export function addMarkings(stage: Stage, theta: TrafficTheta, layout: Layout, random: Random): void {
  const paint: Paint = { vertices: stage.of(paintMaterial(random.integer(4))), road: mainRoad(layout) };
  const painted = () => random.chance(theta.markings);
  const [left, right] = [-layout.roadside(-1).kerb, layout.roadside(1).kerb];
  const { junction, lanes, laneWidth } = layout;
  const crossed = junction.left || junction.right;
  const stop = crossed ? junction.distance - junction.halfWidth - 1 : layout.end;
  const stretches: [number, number][] = [[STREET_START, Math.min(stop, LINES_END)]];
  if (crossed && junction.ahead) stretches.push([junction.distance + junction.halfWidth + 1, LINES_END]);

  const [dash, gap] = random.pick([
    [4, 2],
    [3, 3],
    [3, 6],
    [2, 4],
  ] as const);
  const [centre, betweenLanes, edges, zebra, stopLine] = [painted(), painted(), painted(), painted(), painted()];
  const yellowEdges = random.chance(0.4);
  const phase = random.uniform(0, dash + gap);
  const zebraAt = random.chance(0.5) && crossed ? stop - 4.5 : random.uniform(5, 60);
  for (const stretch of stretches) {
    if (centre) dashed(paint, stretch, 0, 0.12, [dash, gap, phase]);
    for (let lane = 1; lane < lanes && betweenLanes; lane++) {
      for (const side of SIDES) dashed(paint, stretch, side * lane * laneWidth, 0.1, [dash, gap * 1.5, phase]);
    }
    if (!edges) continue;
    for (const side of SIDES) edgeLines(paint, layout, stretch, side, yellowEdges);
  }
  if (zebra && random.chance(0.4) && zebraAt < LINES_END) stripes(paint, zebraAt, left + 0.3, right - 0.3);
  if (stopLine && crossed) {
    const [near, far] = layout.drivingSide > 0 ? [0, right - 0.2] : [left + 0.2, 0];
    patch(paint, [stop - 0.4, stop], [near, far], WHITE);
  }
  if (crossed && painted()) arrows(paint, layout, stop - random.uniform(6, 14), random);
}

/** A patch of paint between two distances along and two across the road. */
function patch(
  paint: Paint,
  [s0, s1]: readonly [number, number],
  [d0, d1]: readonly [number, number],
  colour: Rgb,
): void {
  const a = corner(paint, s0, d0, colour);
  const b = corner(paint, s0, d1, colour);
  const c = corner(paint, s1, d1, colour);
  const d = corner(paint, s1, d0, colour);
  paint.vertices.triangle(a, b, c);
  paint.vertices.triangle(a, c, d);
}

function corner({ vertices, road }: Paint, s: number, d: number, [red, green, blue]: Rgb): number {
  const { x, z } = road(s, d);
  const number = vertices.vertex(x, HEIGHT, z, 0, 1, 0);
  vertices.paint(red, green, blue, d / 2, s / 2);
  return number;
}

/** An arrow on each lane in the camera's direction: ahead, or to a side where a road leaves. */
function arrows(paint: Paint, layout: Layout, s: number, random: Random): void {
  const { junction, lanes } = layout;
  const turns = openSides(layout);
  for (let lane = 0; lane < lanes; lane++) {
    const d = laneMiddle(layout, lane, true);
    const turn = junction.ahead && random.chance(0.6) ? 0 : random.pick(turns);
    const bend = turn === 0 ? s + 2.6 : s + 2;
    patch(paint, [s, bend], [d - 0.09, d + 0.09], WHITE);
    const tip = (along: number, across: number) => corner(paint, bend + along, d + across, WHITE);
    const [a, b, c] =
      turn === 0
        ? [tip(0, -0.35), tip(0, 0.35), tip(1.3, 0)]
        : [tip(-0.75, turn * 0.05), tip(0, turn * 0.75), tip(0.75, turn * 0.05)];
    if (turn < 0) paint.vertices.triangle(a, c, b);
    else paint.vertices.triangle(a, b, c);
  }
}

function dashed(
  paint: Paint,
  [from, to]: readonly [number, number],
  d: number,
  width: number,
  [dash, gap, phase]: readonly [number, number, number],
): void {
  for (let s = from + phase; s + dash < to; s += dash + gap) {
    if (s + dash > 0) patch(paint, [s, s + dash], [d - width / 2, d + width / 2], WHITE);
  }
}

/** One white line or two yellow ones along the kerb. */
function edgeLines(paint: Paint, layout: Layout, [from, to]: readonly [number, number], side: -1 | 1, yellow: boolean) {
  const { kerb, parkingWidth } = layout.roadside(side);
  const offsets = yellow ? [0.3, 0.5] : [parkingWidth + 0.1];
  const step = 10;
  for (const offset of offsets) {
    const d = side * (kerb - offset);
    for (let s = from; s < to; s += step) {
      patch(paint, [s, Math.min(s + step, to)], [d - 0.05, d + 0.05], yellow ? YELLOW : WHITE);
    }
  }
}

/** A zebra crossing. */
function stripes(paint: Paint, s: number, left: number, right: number): void {
  for (let d = left; d + 0.5 < right; d += 1) patch(paint, [s, s + 3], [d, d + 0.5], WHITE);
}
