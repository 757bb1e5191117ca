import assert from 'node:assert/strict';
import * as THREE from 'three';
import { bytesTexture, colorAt, drawingIn, sceneOf, square, straightCamera, unlit } from './pixel-scene.ts';

const draw = drawingIn({ width: 4, height: 4 });

/** A square that fills the picture. */
function wall(distance: number, material: THREE.Material, classId: number): THREE.Mesh {
  const mesh = square(99, distance, material);
  mesh.userData['classId'] = classId;
  return mesh;
}

function look(...objects: THREE.Object3D[]) {
  const frame = draw(sceneOf(...objects), straightCamera());
  return { color: colorAt(frame, 1, 1), classId: frame.classes[5], depth: Math.round(frame.depth[5]! * 1000) / 1000 };
}

function pane(r: number, g: number, b: number, state: Partial<THREE.Material> = {}): THREE.MeshBasicMaterial {
  return Object.assign(unlit(r, g, b), { transparent: true, opacity: 0.5 }, state);
}

describe('SoftwareRenderer: what is drawn over what', () => {
  it('covers a surface that does not write its depth by what is drawn later, also from further away', () => {
    const dome = wall(1, Object.assign(unlit(0, 0, 1), { depthWrite: false }), 1);
    const house = wall(5, unlit(1, 0, 0), 2);
    assert.deepEqual(look(dome, house), { color: [1, 0, 0], classId: 2, depth: 5 });
    assert.deepEqual(look(house, dome), { color: [0, 0, 1], classId: 1, depth: 1 });
    dome.renderOrder = -1;
    assert.deepEqual(look(house, dome), { color: [1, 0, 0], classId: 2, depth: 5 });
    assert.deepEqual(look(dome), { color: [0, 0, 1], classId: 1, depth: 1 });
  });

  it('hides a surface that does not write its depth behind what was drawn before', () => {
    const decal = wall(5, Object.assign(unlit(0, 0, 1), { depthWrite: false }), 1);
    assert.deepEqual(look(wall(2, unlit(1, 0, 0), 2), decal), { color: [1, 0, 0], classId: 2, depth: 2 });
  });

  it('casts the shadow of a surface that does not write its depth', () => {
    const sun = new THREE.DirectionalLight(0xffffff, Math.PI);
    sun.position.set(0, 0, 10);
    sun.castShadow = true;
    const shade = square(99, -5, Object.assign(unlit(1, 1, 1), { depthWrite: false })); // Behind the camera.
    shade.castShadow = true;
    const lit = square(99, 2, new THREE.MeshLambertMaterial());
    lit.receiveShadow = true;
    assert.deepEqual(look(lit, sun).color, [1, 1, 1]);
    assert.deepEqual(look(lit, sun, shade).color, [0, 0, 0]);
  });

  it('keeps the order of the scene among surfaces with holes when one does not write its depth', () => {
    const map = bytesTexture([[[255, 255, 255, 255]]]);
    const leaves = wall(9, new THREE.MeshBasicMaterial({ map, alphaTest: 0.5 }), 8);
    const film = wall(2, Object.assign(unlit(0, 0, 1), { depthWrite: false }), 1);
    assert.equal(look(leaves, film).classId, 1);
    assert.equal(look(film, leaves).classId, 8);
  });

  it("draws a Group's content by the Group's renderOrder first", () => {
    const group = new THREE.Group();
    group.add(wall(3, unlit(1, 0, 0), 1));
    const plain = wall(3, unlit(0, 1, 0), 2);
    assert.equal(look(group, plain).classId, 2);
    group.renderOrder = 1;
    assert.equal(look(group, plain).classId, 1);
    plain.renderOrder = 9; // Counts within its own group only.
    assert.equal(look(group, plain).classId, 1);
  });

  it('draws by renderOrder also where one of two coinciding surfaces has holes', () => {
    const map = bytesTexture([[[255, 255, 255, 255]]]);
    const leaves = wall(3, new THREE.MeshBasicMaterial({ map, alphaTest: 0.5 }), 8);
    const plain = wall(3, unlit(0, 1, 0), 2);
    assert.equal(look(plain, leaves).classId, 8);
    plain.renderOrder = 1;
    assert.equal(look(plain, leaves).classId, 2);
  });

  it('hides a transparent surface behind one that was drawn before and writes its depth', () => {
    const back = wall(8, unlit(0, 0, 1), 2);
    const far = wall(4, pane(0, 1, 0), 9);
    far.renderOrder = 1; // Drawn after the nearer one.
    assert.deepEqual(look(back, far, wall(2, pane(1, 0, 0), 9)), { color: [0.5, 0, 0.5], classId: 2, depth: 8 });
    const free = wall(2, pane(1, 0, 0, { depthWrite: false }), 9);
    assert.deepEqual(look(back, far, free).color, [0.25, 0.5, 0.25]);
  });

  it('hides nothing behind the holes of a transparent surface', () => {
    const map = bytesTexture([
      [
        [255, 0, 0, 255],
        [255, 0, 0, 0],
      ],
    ]);
    const near = square(2, 2, new THREE.MeshBasicMaterial({ map, transparent: true, alphaTest: 0.5 }));
    const far = wall(4, pane(0, 1, 0, { opacity: 1 }), 9);
    far.renderOrder = 1;
    const frame = draw(sceneOf(near, far), straightCamera());
    assert.deepEqual(
      [colorAt(frame, 0, 1), colorAt(frame, 3, 1)],
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    );
  });

  it('draws the back of a transparent body before its front, unless the material asks for one pass', () => {
    const material = new THREE.MeshBasicMaterial({ vertexColors: true, transparent: true, opacity: 0.5 });
    material.side = THREE.DoubleSide;
    material.depthWrite = false;
    const geometry = new THREE.BoxGeometry(2, 2, 2).toNonIndexed();
    const z = geometry.attributes['normal']!;
    const colors = Array.from({ length: z.count }, (_, i) => (z.getZ(i) > 0.5 ? [1, 0, 0] : [0, 0, 1])).flat();
    geometry.setAttribute('color', new THREE.Float32BufferAttribute(colors, 3)); // The front is red, the back blue.
    const box = new THREE.Mesh(geometry, material);
    box.position.z = -5;
    const middle = () =>
      colorAt(drawingIn({ width: 5, height: 5, antialias: false })(sceneOf(box), straightCamera()), 2, 2);
    assert.deepEqual(middle(), [0.5, 0, 0.25]); // Blue at one half, then red over it.
    material.forceSinglePass = true; // In the geometry's order: the front comes before the back.
    assert.deepEqual(middle(), [0.25, 0, 0.5]);
  });

  it('shows the level of a LOD that suits its distance, as three.js does', () => {
    const lod = new THREE.LOD();
    lod.addLevel(wall(0, unlit(1, 0, 0), 1), 0);
    lod.addLevel(wall(0, unlit(0, 1, 0), 2), 10);
    lod.addLevel(wall(0, unlit(0, 0, 1), 3), 20);
    for (const [distance, classId] of [
      [5, 1],
      [15, 2],
      [25, 3],
      [9, 1],
    ] as const) {
      lod.position.z = -distance;
      assert.equal(look(lod).classId, classId);
    }
    lod.autoUpdate = false; // Then the program shows the levels itself.
    lod.position.z = -25;
    assert.equal(look(lod).classId, 1);
  });

  it('draws the part of a geometry that drawRange and groups name', () => {
    const mesh = square(99, 2, unlit(1, 0, 0));
    mesh.geometry.setDrawRange(0, 3);
    const seen = () => draw(sceneOf(mesh), straightCamera()).depth.filter(Number.isFinite).length;
    assert.ok(seen() > 4 && seen() < 12, String(seen()));
    mesh.geometry.setDrawRange(0, Infinity);
    assert.equal(seen(), 16);
    mesh.geometry.addGroup(0, 3, 0);
    mesh.material = [unlit(1, 0, 0)];
    assert.ok(seen() < 12);
  });

  it('reads half floats, normalized bytes and interleaved vertices', () => {
    const shapes = (change: (geometry: THREE.BufferGeometry) => void) => {
      const mesh = square(1, 2, new THREE.MeshBasicMaterial({ vertexColors: true }));
      mesh.geometry.setAttribute('color', new THREE.Uint8BufferAttribute(Array<number>(12).fill(51), 3, true));
      change(mesh.geometry);
      const frame = draw(sceneOf(mesh), straightCamera());
      return [frame.depth.slice(), colorAt(frame, 1, 1)];
    };
    const expected = shapes(() => {});
    assert.deepEqual(expected[1], [0.2, 0.2, 0.2]);
    const halves = shapes((geometry) => {
      const { array, count } = geometry.attributes['position']!;
      const half = new THREE.Float16BufferAttribute(count * 3, 3);
      for (let i = 0; i < count; i++) half.setXYZ(i, array[3 * i]!, array[3 * i + 1]!, array[3 * i + 2]!);
      geometry.setAttribute('position', half);
    });
    assert.deepEqual(halves, expected);
    const interleaved = shapes((geometry) => {
      const { array, count } = geometry.attributes['position']!;
      const data = Float32Array.from({ length: count * 4 }, (_, i) =>
        i % 4 === 3 ? 77 : array[3 * (i >> 2) + (i % 4)]!,
      );
      const buffer = new THREE.InterleavedBuffer(data, 4);
      geometry.setAttribute('position', new THREE.InterleavedBufferAttribute(buffer, 3, 0));
    });
    assert.deepEqual(interleaved, expected);
  });
});
