import assert from 'node:assert/strict';
import * as THREE from 'three';
import type { Camera, Frame } from '../../../../env/render/renderer.ts';
import { Random } from '../../../../protocol/random.ts';
import { colorAt, drawingIn, kept, maskOf, sceneOf, square, straightCamera, triangles, unlit } from './pixel-scene.ts';

const draw = drawingIn({ width: 8, height: 8, antialias: false });

/** An orthographic camera at the origin that looks along −z; the picture spans −4..4 both ways, a metre a pixel. */
function flatCamera(near = 0.5, far = 100): THREE.OrthographicCamera {
  return new THREE.OrthographicCamera(-4, 4, 4, -4, near, far);
}

function sunFrom(x: number, y: number, z: number): THREE.DirectionalLight {
  const sun = new THREE.DirectionalLight(0xffffff, Math.PI);
  sun.position.set(x, y, z);
  return sun;
}

/** A street corner of matt and glossy boxes at odd angles, with shadows. */
function corner(): THREE.Scene {
  const random = new Random(7);
  const sun = sunFrom(3, 5, 4);
  sun.castShadow = true;
  Object.assign(sun.shadow.camera, { left: -8, right: 8, top: 8, bottom: -8, near: -20, far: 20 });
  sun.shadow.camera.updateProjectionMatrix();
  const scene = sceneOf(sun, new THREE.HemisphereLight(0x88aaff, 0x443322, 1));
  for (let i = 1; i <= 20; i++) {
    const options = { color: Math.floor(random.uniform(0, 2 ** 24)), flatShading: i % 3 === 0 };
    const material = i % 2 ? new THREE.MeshLambertMaterial(options) : new THREE.MeshStandardMaterial(options);
    const mesh = new THREE.Mesh(new THREE.SphereGeometry(1, 12, 8), material);
    mesh.position.set(random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(-3, 3));
    mesh.castShadow = mesh.receiveShadow = true;
    mesh.userData = { classId: i, instanceId: 100 + i };
    scene.add(mesh);
  }
  return scene;
}

/** Asserts that two pictures are about the same: at most a few pixels at edges differ. */
function alike(actual: Frame, expected: Frame, metres = 0): void {
  let others = 0;
  for (let i = 0; i < actual.classes.length; i++) {
    if (actual.classes[i] !== expected.classes[i] || actual.instances[i] !== expected.instances[i]) {
      others++;
      continue;
    }
    const [depth, other] = [actual.depth[i]!, expected.depth[i]! - metres];
    const isNear = (a: number, b: number, most: number) => a === b || Math.abs(a - b) < most;
    const colors = [3 * i, 3 * i + 1, 3 * i + 2];
    const isAlike = colors.every((c) => isNear(actual.linear[c]!, expected.linear[c]!, 0.01));
    if (!isAlike || !isNear(depth, other, 0.05)) others++;
  }
  assert.ok(others < actual.classes.length / 100, `${others} pixels differ`);
}

describe('SoftwareRenderer: an orthographic camera', () => {
  it('draws a square at its own size, however far away it is', () => {
    for (const distance of [1, 20]) {
      const mesh = square(2, distance, unlit(1, 0, 0));
      mesh.userData = { classId: 5, instanceId: 9 };
      const frame = draw(sceneOf(mesh), flatCamera());
      const [none, some] = ['........', '..####..'];
      assert.deepEqual(maskOf(frame, 5), [none, none, some, some, some, some, none, none]);
      assert.deepEqual([frame.instances[27], frame.instances[0]], [9, 0]);
      assert.deepEqual([frame.depth[27], frame.depth[0]], [distance, Infinity]);
      assert.deepEqual(colorAt(frame, 3, 3), [1, 0, 0]);
    }
  });

  it('gives depth in metres along its axis, on slanted and nearer surfaces too', () => {
    // z = −10 + x / 2 at the pixels' centres x = −3.5 … 3.5.
    const slanted = triangles(
      [-9, -9, -14.5, 9, -9, -5.5, 9, 9, -5.5, -9, -9, -14.5, 9, 9, -5.5, -9, 9, -14.5],
      unlit(1, 1, 1),
    );
    const frame = draw(sceneOf(square(99, 50, unlit(0, 0, 1)), slanted, square(1, 3, unlit(1, 0, 0))), flatCamera());
    for (let x = 0; x < 8; x++) assert.ok(Math.abs(frame.depth[x]! - (10 - (x - 3.5) / 2)) < 1e-5);
    assert.deepEqual([frame.depth[3 * 8 + 3], colorAt(frame, 3, 3)], [3, [1, 0, 0]]);
  });

  it('cuts off what is nearer than near, also behind it, and what is beyond far', () => {
    // The plane z = x: x = −0.5 is half a metre away.
    const wall = triangles([-4, -9, -4, 4, -9, 4, 4, 9, 4, -4, -9, -4, 4, 9, 4, -4, 9, -4], unlit(1, 1, 1));
    wall.userData['classId'] = 3;
    const maskFor = (near: number, far: number) => maskOf(draw(sceneOf(wall), flatCamera(near, far)), 3)[0];
    assert.equal(maskFor(0, 100), '####....');
    assert.equal(maskFor(2, 100), '##......');
    assert.equal(maskFor(1, 3), '.##.....');
    assert.equal(maskFor(-2, 100), '######..');
  });

  it('shows what a perspective camera shows from very far away', () => {
    const away = 10000;
    const size = { width: 64, height: 64 };
    const near = new THREE.OrthographicCamera(-5, 5, 5, -5, -100, 100);
    const far = new THREE.PerspectiveCamera((2 * Math.atan(5 / away) * 180) / Math.PI, 1, away - 100, away + 100);
    for (const direction of [new THREE.Vector3(0, 0, 1), new THREE.Vector3(1, 2, 3).normalize()]) {
      near.position.set(0, 0, 0);
      near.lookAt(direction.clone().negate());
      far.position.copy(direction).multiplyScalar(away);
      far.lookAt(0, 0, 0);
      const expected = kept(drawingIn(size)(corner(), far));
      alike(drawingIn(size)(corner(), near), expected, away);
    }
  });

  it('mixes in fog by the depth', () => {
    const scene = sceneOf(square(99, 4, unlit(1, 0, 0)));
    scene.fog = new THREE.Fog(0, 2, 10); // A quarter of the way: smoothstep(1/4) = 3/16 − 2/64 = 5/32.
    scene.fog.color.setRGB(0, 0, 1);
    assert.deepEqual(colorAt(draw(scene, flatCamera()), 1, 1), [0.84375, 0, 0.15625]);
  });

  it('blends transparent surfaces, and offsets decals', () => {
    const film = unlit(1, 0, 0);
    Object.assign(film, { transparent: true, opacity: 0.5 });
    const paint = unlit(0, 1, 0);
    Object.assign(paint, { polygonOffset: true, polygonOffsetFactor: -1, polygonOffsetUnits: -1 });
    const tilted = new THREE.PlaneGeometry(50, 50, 3, 5).rotateY(0.5).translate(0, 0, -30);
    const scene = sceneOf(new THREE.Mesh(tilted, paint), new THREE.Mesh(tilted, unlit(0, 0, 1)), square(99, 2, film));
    for (let x = 0; x < 8; x++) assert.deepEqual(colorAt(draw(scene, flatCamera()), x, 3), [0.5, 0.5, 0]);
  });

  it('shows a colour behind everything', () => {
    const scene = new THREE.Scene();
    scene.background = new THREE.Color().setRGB(0.1, 0.2, 0.3);
    assert.deepEqual(colorAt(draw(scene, flatCamera()), 0, 0), [0.1, 0.2, 0.3]);
  });
});

describe('SoftwareRenderer: cameras', () => {
  const large = drawingIn({ width: 16, height: 16, antialias: false });

  for (const [name, make] of [
    ['perspective', () => new THREE.PerspectiveCamera(60, 1, 0.5, 100)],
    ['orthographic', () => new THREE.OrthographicCamera(-5, 5, 5, -5, 0.5, 100)],
  ] as const) {
    const at = (camera: Camera) => {
      camera.position.set(0, 1, 12);
      camera.updateProjectionMatrix();
      return camera;
    };

    it(`draws a part of the picture of the ${name} camera with setViewOffset as that part`, () => {
      const whole = kept(large(corner(), at(make())));
      const camera = make();
      camera.setViewOffset(16, 16, 8, 4, 8, 8);
      const part = draw(corner(), at(camera));
      for (let y = 0; y < 8; y++) {
        const [from, to] = [(y + 4) * 16 + 8, (y + 4) * 16 + 16];
        assert.deepEqual(part.classes.subarray(y * 8, y * 8 + 8), whole.classes.subarray(from, to));
        for (let i = 0; i < 24; i++) {
          assert.ok(Math.abs(part.linear[y * 24 + i]! - whole.linear[from * 3 + i]!) < 1e-3);
        }
        for (let x = 0; x < 8; x++) {
          const [depth, expected] = [part.depth[y * 8 + x]!, whole.depth[from + x]!];
          assert.ok(depth === expected || Math.abs(depth - expected) < 1e-3);
        }
      }
    });

    it(`zooms with the ${name} camera`, () => {
      const camera = make();
      camera.zoom = 2;
      const zoomed = large(sceneOf(square(1, -2, unlit(1, 0, 0))), at(camera));
      const half = zoomed.depth.filter(Number.isFinite).length;
      camera.zoom = 1;
      const whole = large(sceneOf(square(1, -2, unlit(1, 0, 0))), at(camera)).depth.filter(Number.isFinite).length;
      assert.ok(half >= 3 * whole && whole > 0, `${half} and ${whole} pixels`);
    });

    it(`takes no notice of the scale of the ${name} camera and its parents, as three.js does`, () => {
      const expected = kept(large(corner(), at(make())));
      const camera = at(make());
      const rig = new THREE.Group();
      rig.scale.setScalar(3);
      rig.add(camera);
      camera.position.divideScalar(3);
      const scene = corner();
      scene.add(rig);
      alike(large(scene, camera), expected);
    });
  }

  it('shifts the picture by filmOffset', () => {
    const camera = straightCamera();
    camera.filmOffset = camera.getFilmWidth() / 8; // One pixel of 8.
    camera.updateProjectionMatrix();
    const mesh = square(1, 4, unlit(1, 0, 0));
    mesh.userData['classId'] = 5;
    assert.equal(maskOf(draw(sceneOf(mesh), camera), 5)[3], '..##....');
  });

  it('sees only what is on its layers', () => {
    const [here, there] = [square(9, 2, unlit(1, 0, 0)), square(9, 1, unlit(0, 1, 0))];
    there.layers.set(2);
    const camera = straightCamera();
    assert.deepEqual(colorAt(draw(sceneOf(here, there), camera), 4, 4), [1, 0, 0]);
    camera.layers.enable(2);
    assert.deepEqual(colorAt(draw(sceneOf(here, there), camera), 4, 4), [0, 1, 0]);
  });
});
