import assert from 'node:assert/strict';
import * as THREE from 'three';
import { CLASS_ID, VOID } from '../../../../env/streets/classes.ts';
import { Random } from '../../../../protocol/random.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import { colorAt, drawingIn, kept, maskOf, sceneOf, square, straightCamera, triangles, unlit } from './pixel-scene.ts';

/** Boxes at odd angles in front of each other: many edges. */
function clutter(seed: number): THREE.Scene {
  const random = new Random(seed);
  const scene = new THREE.Scene();
  for (let i = 1; i <= 30; i++) {
    const mesh = new THREE.Mesh(
      new THREE.BoxGeometry(1, 1, 1),
      unlit(random.uniform(), random.uniform(), random.uniform()),
    );
    mesh.position.set(random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(-9, -3));
    mesh.rotation.set(random.uniform(0, 3), random.uniform(0, 3), 0);
    mesh.userData = { classId: (i * 7) % 200, instanceId: i };
    scene.add(mesh);
  }
  return scene;
}

describe('SoftwareRenderer: labels', () => {
  it('gives a mesh the ids of the nearest ancestor that has them', () => {
    const draw = drawingIn({ width: 2, height: 1 });
    const labelOf = (mesh: THREE.Mesh, ...above: readonly Record<string, number>[]) => {
      let object: THREE.Object3D = mesh;
      for (const userData of above) {
        const group = new THREE.Group();
        group.userData = userData;
        object = group.add(object);
      }
      const frame = draw(sceneOf(object), straightCamera());
      return [frame.classes[0], frame.instances[0]];
    };
    const mesh = square(9, 2, unlit(1, 1, 1));
    assert.deepEqual(labelOf(mesh), [VOID, 0]);
    assert.deepEqual(labelOf(mesh, {}, { classId: 13, instanceId: 4 }), [13, 4]);
    assert.deepEqual(labelOf(mesh, { classId: 0 }, { classId: 13, instanceId: 4 }), [0, 4]);
    mesh.userData['instanceId'] = 60000;
    assert.deepEqual(labelOf(mesh, { classId: 0 }, { classId: 13, instanceId: 4 }), [0, 60000]);
    (mesh.material as THREE.Material).userData['classId'] = 6;
    assert.deepEqual(labelOf(mesh, { classId: 0 }), [6, 60000]);
  });

  it('labels the groups of one geometry by their materials', () => {
    const [left, right] = [unlit(1, 0, 0), unlit(0, 1, 0)];
    left.userData['classId'] = 1;
    right.userData['classId'] = 2;
    const mesh = triangles(
      [-2, -2, -1, 0, -2, -1, 0, 2, -1, -2, -2, -1, 0, 2, -1, -2, 2, -1].flatMap((v) => v),
      left,
    );
    const position = [...mesh.geometry.attributes['position']!.array];
    const shifted = position.map((v, i) => (i % 3 === 0 ? v + 2 : v));
    mesh.geometry.setAttribute('position', new THREE.Float32BufferAttribute([...position, ...shifted], 3));
    mesh.geometry.addGroup(0, 6, 0);
    mesh.geometry.addGroup(6, 6, 1);
    const frame = drawingIn({ width: 4, height: 4 })(
      sceneOf(new THREE.Mesh(mesh.geometry, [left, right])),
      straightCamera(),
    );
    assert.deepEqual([...frame.classes.subarray(0, 4)], [1, 1, 2, 2]);
    assert.deepEqual(colorAt(frame, 3, 0), [0, 1, 0]);
  });

  it('calls the background sky unless the scene names a class for it', () => {
    const draw = drawingIn({ width: 1, height: 1 });
    const scene = new THREE.Scene();
    const frame = draw(scene, straightCamera());
    assert.deepEqual([frame.classes[0], frame.instances[0], frame.depth[0]], [CLASS_ID.sky, 0, Infinity]);
    scene.userData['backgroundClassId'] = 2;
    assert.equal(draw(scene, straightCamera()).classes[0], 2);
  });

  it('mixes colours at edges, but neither ids nor depth', () => {
    const size = { width: 48, height: 48 };
    const scene = clutter(5);
    const plain = drawingIn({ ...size, antialias: false })(scene, straightCamera());
    const smooth = drawingIn({ ...size, antialias: true })(scene, straightCamera());
    assert.deepEqual(smooth.classes, plain.classes);
    assert.deepEqual(smooth.instances, plain.instances);
    assert.deepEqual(smooth.depth, plain.depth);
    const mixed = smooth.linear.filter((value, i) => Math.abs(value - plain.linear[i]!) > 1e-4).length;
    assert.ok(mixed > 200 && mixed < smooth.linear.length / 2, `${mixed} mixed values`);
  });

  it('draws in several formats, each of which keeps its last frame while another is drawn', () => {
    const renderer = new SoftwareRenderer();
    const [small, large] = [
      { width: 8, height: 8 },
      { width: 16, height: 8, antialias: false },
    ];
    const scene = clutter(3);
    assert.throws(() => renderer.srgb(), /expected a frame that was drawn before, got none/);
    const first = renderer.draw(scene, straightCamera(), small);
    const copy = kept(first);
    const wide = renderer.draw(clutter(4), straightCamera(), large);
    assert.deepEqual([wide.width, wide.linear.length, renderer.srgb().length], [16, 16 * 8 * 3, 16 * 8 * 3]);
    assert.deepEqual(first, copy);
    assert.deepEqual(renderer.draw(scene, straightCamera(), small), copy);
  });

  it('weights a half-covered pixel by its covered samples', () => {
    // The square ends at X / Z = 1/4: in pixel 2 (of 4, from 0 to 0.5) at its middle. Samples left of 0.5: at 0.1 and 0.3.
    const mesh = square(1, 1, unlit(1, 0.5, 0));
    mesh.position.x = -0.75;
    mesh.userData['classId'] = 1;
    const frame = drawingIn({ width: 4, height: 4 })(sceneOf(mesh), straightCamera());
    assert.deepEqual(colorAt(frame, 1, 2), [1, 0.5, 0]);
    assert.deepEqual(colorAt(frame, 2, 2), [0.4, 0.2, 0]);
    assert.equal(maskOf(frame, 1)[2], '##..');
  });

  it('draws the same bytes again, even after other scenes', () => {
    const draw = drawingIn({ width: 32, height: 32 });
    const [scene, other] = [clutter(1), clutter(2)];
    const first = kept(draw(scene, straightCamera()));
    assert.deepEqual(draw(scene, straightCamera()), first);
    assert.notDeepEqual(draw(other, straightCamera()).linear, first.linear);
    draw(new THREE.Scene(), straightCamera());
    assert.deepEqual(draw(scene, straightCamera()), first);
    assert.deepEqual(drawingIn({ width: 32, height: 32 })(clutter(1), straightCamera()), first);
  });
});
