import assert from 'node:assert/strict';
import * as THREE from 'three';
import { createRenderer } from '../../../../env/render/create-renderer.ts';
import type { Frame, Renderer } from '../../../../env/render/renderer.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import { linearToSrgb } from '../../../../env/render/srgb.ts';
import { hasWebgl, openWebgl } from '../../../../env/render/webgl/context.ts';
import { TRAFFIC_PARAMETERS, type TrafficTheta } from '../../../../env/simulators/traffic/parameters.ts';
import { drawScene } from '../../../../env/simulators/traffic/scene.ts';
import { CLASS_ID } from '../../../../env/streets/classes.ts';
import { Random } from '../../../../protocol/random.ts';
import { randomTheta } from '../../../../scripts/random-theta.ts';

const SIZE = { width: 160, height: 120 };
const SCENES = 100;

/** A street of a random θ. */
function street(seed: number, size = SIZE) {
  return drawScene(randomTheta(TRAFFIC_PARAMETERS, seed) as unknown as TrafficTheta, seed, size);
}

/** A copy of a frame, which lives longer than the renderer's own. */
function copied({ width, height, linear, classes, instances, depth }: Frame) {
  return {
    width,
    height,
    linear: linear.slice(),
    classes: classes.slice(),
    instances: instances.slice(),
    depth: depth.slice(),
  };
}

describe('WebglRenderer @slow', function () {
  this.timeout(600_000);
  let webgl: Renderer;
  const software = new SoftwareRenderer();

  before(function () {
    if (!hasWebgl()) {
      console.log('      skipped: there is no .webgl; npm run setup:webgl builds it');
      return this.skip();
    }
    webgl = createRenderer('webgl');
  });

  const draw = ({ scene, camera }: { scene: THREE.Scene; camera: THREE.PerspectiveCamera }, size = SIZE, by = webgl) =>
    by.draw(scene, camera, size) as Frame;

  it('draws the labels, the depth and nearly the colours of the rasteriser, on 100 random streets', () => {
    let [pixels, equal, compared, near, difference] = [0, 0, 0, 0, 0];
    for (let seed = 1; seed <= SCENES; seed++) {
      const scene = street(seed);
      const ids = new Set([
        0,
        ...scene.cars.map(({ instance }) => instance),
        ...scene.people.map((one) => one.instance),
      ]);
      const expected = software.draw(scene.scene, scene.camera, SIZE);
      const bytes = linearToSrgb(expected.linear);
      const got = draw(scene);
      linearToSrgb(got.linear).forEach((byte, i) => (difference += Math.abs(byte - bytes[i]!)));
      for (let i = 0; i < got.classes.length; i++) {
        pixels++;
        assert.ok(ids.has(got.instances[i]!), `street ${seed}: no object has the id ${got.instances[i]}`);
        if (got.classes[i] !== expected.classes[i] || got.instances[i] !== expected.instances[i]) continue;
        equal++;
        if (!Number.isFinite(expected.depth[i]!)) continue;
        compared++;
        near += +(Math.abs(got.depth[i]! / expected.depth[i]! - 1) < 0.01);
      }
    }
    const shares = [equal / pixels, near / compared, difference / (pixels * 3)];
    console.log(`      labels equal ${shares[0]}, depth within 1 % ${shares[1]}, mean difference ${shares[2]} of 255`);
    assert.ok(shares[0]! > 0.995, `labels: expected more than .995 equal, got ${shares[0]}`);
    assert.ok(shares[1]! > 0.995, `depth: expected more than .995 within 1 %, got ${shares[1]}`);
    assert.ok(shares[2]! < 3, `colours: expected a mean difference below 3 of 255, got ${shares[2]}`);
  });

  it('draws the same bytes again, after other scenes, in another size, and by another renderer of the process', () => {
    const again = () => copied(draw(street(3)));
    const first = again();
    draw(street(4), { width: 200, height: 90 });
    draw(street(5));
    assert.deepEqual(again(), first);
    assert.deepEqual(copied(draw(street(3), SIZE, createRenderer('webgl'))), first);
  });

  it('numbers pixels exactly, up to the largest ids, also of instances and of what has holes', () => {
    const scene = new THREE.Scene();
    scene.userData['backgroundClassId'] = 254;
    const plain = new THREE.MeshBasicMaterial({ color: 0x808080 });
    const big = new THREE.Mesh(new THREE.PlaneGeometry(4, 4), plain);
    big.position.z = -6;
    big.userData = { classId: 250, instanceId: 65535 };
    const many = new THREE.InstancedMesh(new THREE.BoxGeometry(0.5, 0.5, 0.5), plain, 3);
    many.userData = { classId: CLASS_ID.car, instanceIds: [7, 300, 40000] };
    [-1, 0, 1].forEach((x, i) => many.setMatrixAt(i, new THREE.Matrix4().makeTranslation(x, 0, -4)));
    const chequered = new THREE.DataTexture(
      Uint8Array.from([255, 0, 0, 255].flatMap((alpha) => [255, 255, 255, alpha])),
      2,
      2,
    );
    chequered.needsUpdate = true;
    const holed = new THREE.Mesh(
      new THREE.PlaneGeometry(1, 1),
      new THREE.MeshBasicMaterial({ map: chequered, alphaTest: 0.5 }),
    );
    holed.position.set(0, 1.2, -4);
    holed.userData = { classId: 9, instanceId: 9 };
    const glass = new THREE.Mesh(
      new THREE.PlaneGeometry(9, 9),
      new THREE.MeshBasicMaterial({ transparent: true, opacity: 0.5 }),
    );
    glass.position.z = -2;
    glass.userData = { classId: 1, instanceId: 1 };
    scene.add(big, many, holed, glass);
    const camera = new THREE.PerspectiveCamera(60, 4 / 3, 0.1, 100);
    const expected = copied(software.draw(scene, camera, SIZE));
    const got = draw({ scene, camera });
    for (const name of ['classes', 'instances'] as const) {
      const differing = Array.from(got[name]).reduce((sum, id, i) => sum + +(id !== expected[name][i]), 0);
      assert.ok(
        differing <= 0.002 * got[name].length,
        `${name}: expected those of the rasteriser, got ${differing} others`,
      );
      assert.deepEqual(new Set(got[name]), new Set(expected[name]), name);
    }
    const middle = 60 * 160 + 80;
    assert.equal(got.instances[middle], 300);
    assert.ok(Math.abs(got.depth[middle]! - 3.75) < 0.0375, `depth: expected 3.75 m, got ${got.depth[middle]}`);
    assert.equal(got.depth[0], Infinity);
  });

  it('keeps light beyond what a screen shows, and lays glass over it', () => {
    const scene = new THREE.Scene();
    const lamp = new THREE.Mesh(new THREE.PlaneGeometry(9, 9), new THREE.MeshBasicMaterial());
    lamp.material.color.setRGB(3, 0.25, 0);
    lamp.position.z = -3;
    const glass = new THREE.Mesh(
      new THREE.PlaneGeometry(9, 9),
      new THREE.MeshBasicMaterial({ color: 0, transparent: true, opacity: 0.5 }),
    );
    glass.position.z = -2;
    scene.add(lamp, glass);
    const { linear } = draw({ scene, camera: new THREE.PerspectiveCamera(60, 4 / 3, 0.1, 100) });
    assert.deepEqual([...linear.slice(0, 3)], [1.5, 0.125, 0]);
  });

  it('leaves the scene as it was', () => {
    const { scene, camera } = street(6);
    const { background, environment, fog, children } = scene;
    const parts = [...children];
    draw({ scene, camera });
    assert.deepEqual([scene.background, scene.environment, scene.fog], [background, environment, fog]);
    assert.deepEqual(scene.children, parts);
    assert.ok(
      parts.every(({ parent }) => parent === scene),
      'expected the scene to be its parent still',
    );
  });

  it('frees what scenes that are gone had on the graphics card', () => {
    const camera = new THREE.PerspectiveCamera();
    const { memory } = openWebgl().three.info;
    const before = { ...memory };
    const random = new Random(1);
    for (let i = 0; i < 300; i++) {
      const map = new THREE.DataTexture(new Uint8Array(4).fill(random.integer(256)), 1, 1);
      map.needsUpdate = true;
      const scene = new THREE.Scene();
      scene.add(
        new THREE.Mesh(new THREE.PlaneGeometry(1, 1).translate(0, 0, -2), new THREE.MeshBasicMaterial({ map })),
      );
      draw({ scene, camera }, { width: 16, height: 12 });
    }
    for (const kind of ['geometries', 'textures'] as const) {
      const more = memory[kind] - before[kind];
      assert.ok(more < 100, `${kind}: expected fewer than 100 of 300 to be left, got ${more}`);
    }
  });

  it('refuses by name what it could not label, and sizes that it cannot draw', () => {
    const camera = new THREE.PerspectiveCamera();
    const scene = new THREE.Scene();
    assert.throws(
      () => draw({ scene, camera }, { width: 0, height: 4 }),
      /^RangeError: WebglRenderer: .* got 0 and 4$/,
    );
    assert.throws(() => draw({ scene, camera }, { width: 1e6, height: 4 }), /^RangeError: WebglRenderer: .* 1000000/);
    camera.coordinateSystem = THREE.WebGPUCoordinateSystem;
    camera.updateProjectionMatrix();
    assert.throws(
      () => draw({ scene, camera }),
      /^TypeError: camera .*: expected WebGL’s coordinate system, got another$/,
    );
    scene.add(new THREE.Points());
    assert.throws(() => draw({ scene, camera: new THREE.PerspectiveCamera() }), /^TypeError: object .*: expected Mesh/);
  });
});
