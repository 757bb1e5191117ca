import assert from 'node:assert/strict';
import * as THREE from 'three';
import { colorAt, drawingIn, kept, maskOf, sceneOf, square, straightCamera, triangles, unlit } from './pixel-scene.ts';

describe('SoftwareRenderer: geometry', () => {
  const draw = drawingIn({ width: 8, height: 8, antialias: false });

  it('draws a square where perspective puts it', () => {
    const mesh = square(2, 4, unlit(1, 0, 0)); // X / Z = ±1/2: pixels 2 to 6.
    mesh.userData['classId'] = 5;
    const frame = draw(sceneOf(mesh), straightCamera());
    const [none, some] = ['........', '..####..'];
    assert.deepEqual(maskOf(frame, 5), [none, none, some, some, some, some, none, none]);
  });

  it('gives the depth of a slanted plane at every pixel', () => {
    // The plane z = −2 + x / 2 … through (x, y) = d · ((2 px + 1) / 8 − 1, …): d = 2 − x / 2 = 2 − d · s / 2.
    const mesh = triangles([-9, -9, -6.5, 2, -9, -1, 2, 9, -1, -9, -9, -6.5, 2, 9, -1, -9, 9, -6.5], unlit(1, 1, 1));
    const frame = draw(sceneOf(mesh), straightCamera());
    for (let x = 0; x < 8; x++) {
      const s = (2 * x + 1) / 8 - 1;
      assert.ok(Math.abs(frame.depth[3 * 8 + x]! - 2 / (1 + s / 2)) < 1e-5, `column ${x}: ${frame.depth[3 * 8 + x]}`);
    }
  });

  it('interpolates with perspective, not along the screen', () => {
    // A wall from (−1, ·, −1) to (3, ·, −3) with u = 0..1: pixel 5.5 sees s = 3/8; −1 + 4u = s (1 + 2u) ⇒ u = (1 + s) / (4 − 2s).
    const map = new THREE.DataTexture(
      Uint8Array.from({ length: 256 * 4 }, (_, i) => i >> 2),
      256,
      1,
    );
    map.needsUpdate = true;
    const material = new THREE.MeshBasicMaterial({ map, side: THREE.DoubleSide });
    const corners = [-1, -3, -1, 3, -9, -3, 3, 9, -3, -1, -3, -1, 3, 9, -3, -1, 3, -1];
    const wall = triangles(corners, material, [0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1]);
    const frame = draw(sceneOf(wall), straightCamera());
    const u = (1 + 3 / 8) / (4 - 2 * (3 / 8));
    assert.equal(Math.round(colorAt(frame, 5, 4)[0]! * 255), Math.floor(u * 256));
  });

  it('fills a picture with the ground under the camera exactly up to the horizon', () => {
    const ground = new THREE.Mesh(new THREE.PlaneGeometry(1e6, 1e6).rotateX(-Math.PI / 2), unlit(0, 1, 0));
    ground.position.y = -1.5;
    ground.userData['classId'] = 1;
    const frame = draw(sceneOf(ground), straightCamera(0.1, 1e6));
    const [sky, floor] = ['........', '########'];
    assert.deepEqual(maskOf(frame, 1), [sky, sky, sky, sky, floor, floor, floor, floor]);
    assert.ok(Math.abs(frame.depth[4 * 8]! - 1.5 / (1 / 8)) < 1e-4); // One eighth below the axis.
  });

  it('draws the part of a triangle that lies in front of the camera and beyond its near plane', () => {
    // A strip of the floor, 0.9 m wide and 0.5 m down, from 2 m before the camera to 2 m behind it; near plane at 0.5 m.
    const strip = new THREE.PlaneGeometry(0.9, 4).rotateX(-Math.PI / 2).translate(0, -0.5, 0);
    const mesh = new THREE.Mesh(strip, unlit(1, 1, 1));
    mesh.userData['classId'] = 3;
    const frame = draw(sceneOf(mesh), straightCamera(0.5));
    // Row y sees it at d = 0.5 / s, s = (2y + 1) / 8 − 1; there it is 0.45 / d · 4 = 3.6 s pixels wide each way.
    const expected = [5, 6, 7].map((y) => {
      const half = 3.6 * ((2 * y + 1) / 8 - 1);
      return Array.from({ length: 8 }, (_, x) => (Math.abs(x + 0.5 - 4) < half ? '#' : '.')).join('');
    });
    assert.deepEqual(maskOf(frame, 3).slice(5), expected);
    assert.ok(!maskOf(frame, 3).slice(0, 5).join('').includes('#')); // Row 4 sees 4 m.
  });

  it('cuts off surfaces beyond the far plane, pixel by pixel', () => {
    const mesh = square(100, 9.9, unlit(1, 1, 1));
    assert.equal(Math.min(...draw(sceneOf(mesh), straightCamera(0.1, 10)).depth).toFixed(3), '9.900');
    mesh.position.z = -10.1;
    assert.equal(Math.min(...draw(sceneOf(mesh), straightCamera(0.1, 10)).depth), Infinity);
  });

  it('shows the nearer of two surfaces 2 cm apart at 200 m, in either order', () => {
    for (const distances of [
      [200, 200.02],
      [200.02, 200],
    ]) {
      const frame = draw(
        sceneOf(...distances.map((distance) => square(300, distance, unlit(distance === 200 ? 1 : 0, 0, 0)))),
        straightCamera(0.1, 1000),
      );
      assert.ok(frame.linear.every((value, i) => value === (i % 3 === 0 ? 1 : 0)));
    }
  });

  it('shows the last drawn of coinciding surfaces: the last in the scene, or the one with the highest renderOrder', () => {
    const [first, last] = [square(9, 3, unlit(1, 0, 0)), square(9, 3, unlit(0, 1, 0))];
    assert.deepEqual(colorAt(draw(sceneOf(first, last), straightCamera()), 4, 4), [0, 1, 0]);
    first.renderOrder = 1;
    assert.deepEqual(colorAt(draw(sceneOf(first, last), straightCamera()), 4, 4), [1, 0, 0]);
  });

  it('draws a decal with polygonOffset over the surface it lies on, whichever comes first', () => {
    const floor = new THREE.Mesh(new THREE.PlaneGeometry(50, 50, 7, 7).rotateX(-Math.PI / 2), unlit(0, 0, 1));
    const paint = unlit(1, 0, 0);
    Object.assign(paint, { polygonOffset: true, polygonOffsetFactor: -1, polygonOffsetUnits: -1 });
    const decal = new THREE.Mesh(new THREE.PlaneGeometry(50, 50, 3, 5).rotateX(-Math.PI / 2), paint);
    floor.position.y = decal.position.y = -1;
    const camera = straightCamera();
    for (const order of [
      [floor, decal],
      [decal, floor],
    ]) {
      const frame = draw(sceneOf(...order), camera);
      for (let x = 0; x < 8; x++) assert.deepEqual(colorAt(frame, x, 7), [1, 0, 0]);
    }
  });

  it('shows only front sides, unless the material says otherwise, also of mirrored meshes', () => {
    const camera = straightCamera();
    const seen = (side: THREE.Side, turn: number, scaleX: number) => {
      const mesh = square(9, 2, new THREE.MeshBasicMaterial({ side }));
      mesh.rotation.y = turn;
      mesh.scale.x = scaleX;
      return draw(sceneOf(mesh), camera).depth[0] !== Infinity;
    };
    for (const scaleX of [1, -1]) {
      assert.deepEqual([seen(THREE.FrontSide, 0, scaleX), seen(THREE.FrontSide, Math.PI, scaleX)], [true, false]);
      assert.deepEqual([seen(THREE.BackSide, 0, scaleX), seen(THREE.BackSide, Math.PI, scaleX)], [false, true]);
      assert.deepEqual([seen(THREE.DoubleSide, 0, scaleX), seen(THREE.DoubleSide, Math.PI, scaleX)], [true, true]);
    }
  });

  it('draws nothing of a mesh behind the camera, or of a hidden one', () => {
    const behind = square(1, -3, unlit(1, 1, 1));
    const hidden = square(9, 3, unlit(1, 1, 1));
    hidden.visible = false;
    const frame = draw(sceneOf(behind, hidden), straightCamera());
    assert.ok(frame.depth.every((value) => value === Infinity));
  });

  it('draws geometry that has no area, is not finite or is empty as nothing', () => {
    const nan = Number.NaN;
    for (const corners of [
      [],
      [0, 0, -1, 0, 0, -1, 0, 0, -1],
      [nan, nan, nan, 1, 0, -2, 0, 1, -2],
      [0, 0, 0, 1, 0, 0, 0, 1, 0],
    ]) {
      const mesh = triangles(corners, unlit(1, 1, 1));
      mesh.frustumCulled = false;
      mesh.geometry.boundingSphere = new THREE.Sphere(new THREE.Vector3(), 1);
      const frame = draw(sceneOf(mesh), straightCamera());
      assert.ok(frame.linear.every((value) => value === 0));
    }
  });

  it('draws an InstancedMesh as it draws the same meshes one by one', () => {
    const material = new THREE.MeshBasicMaterial({ side: THREE.DoubleSide });
    const geometry = new THREE.BoxGeometry(2, 2, 2);
    const places = [-3, 0, 3].map((x) => new THREE.Matrix4().makeRotationY(x).setPosition(x, 0, -5));
    const colors = [0xff0000, 0x00ff00, 0x3366cc].map((hex) => new THREE.Color(hex));
    const instanced = new THREE.InstancedMesh(geometry, material, 3);
    instanced.userData = { classId: 13, instanceIds: [7, 8, 9] };
    const single = places.map((matrix, i) => {
      instanced.setMatrixAt(i, matrix);
      instanced.setColorAt(i, colors[i]!);
      const mesh = new THREE.Mesh(geometry, material.clone());
      mesh.material.color.copy(colors[i]!);
      mesh.applyMatrix4(matrix);
      mesh.userData = { classId: 13, instanceId: 7 + i };
      return mesh;
    });
    const expected = kept(draw(sceneOf(...single), straightCamera()));
    const frame = draw(sceneOf(instanced), straightCamera());
    assert.deepEqual(frame.instances, expected.instances);
    assert.deepEqual(new Set(frame.instances), new Set([0, 7, 8, 9]));
    for (let i = 0; i < 64; i++)
      assert.ok(frame.depth[i] === expected.depth[i] || Math.abs(frame.depth[i]! - expected.depth[i]!) < 1e-5);
    for (let i = 0; i < frame.linear.length; i++) assert.ok(Math.abs(frame.linear[i]! - expected.linear[i]!) < 1e-6);
  });

  it('names objects that it cannot draw', () => {
    const line = new THREE.Line();
    line.name = 'cable';
    const light = new THREE.PointLight();
    const phong = square(1, 1, new THREE.MeshPhongMaterial());
    assert.throws(() => draw(sceneOf(line), straightCamera()), /object "cable": expected Mesh .* got Line/);
    assert.throws(() => draw(sceneOf(light), straightCamera()), /expected an AmbientLight.* got PointLight/);
    assert.throws(() => draw(sceneOf(phong), straightCamera()), /expected a MeshBasic.* got MeshPhong/);
    assert.throws(
      () => drawingIn({ width: 0, height: 8 })(sceneOf(), straightCamera()),
      /expected whole width and height from 1, got 0/,
    );
  });
});
