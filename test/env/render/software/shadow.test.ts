import assert from 'node:assert/strict';
import * as THREE from 'three';
import { bytesTexture, colorAt, drawingIn } from './pixel-scene.ts';

/** A floor of 8 × 8 m seen from straight above, a pixel a quarter of a metre (to a good approximation), and a sun. */
function floorScene(sunX: number): {
  scene: THREE.Scene;
  camera: THREE.PerspectiveCamera;
  sun: THREE.DirectionalLight;
} {
  const scene = new THREE.Scene();
  const floor = new THREE.Mesh(new THREE.PlaneGeometry(8, 8).rotateX(-Math.PI / 2), new THREE.MeshLambertMaterial());
  floor.receiveShadow = true;
  const sun = new THREE.DirectionalLight(0xffffff, Math.PI);
  sun.position.set(sunX, 10, 0);
  sun.castShadow = true;
  sun.shadow.mapSize.set(256, 256);
  Object.assign(sun.shadow.camera, { left: -6, right: 6, top: 6, bottom: -6, near: 1, far: 40 });
  sun.shadow.camera.updateProjectionMatrix();
  scene.add(floor, sun);
  const camera = new THREE.PerspectiveCamera((2 * Math.atan(4 / 1000) * 180) / Math.PI, 1, 1, 2000);
  camera.position.y = 1000;
  camera.lookAt(0, 0, 0);
  return { scene, camera, sun };
}

const draw = drawingIn({ width: 32, height: 32, antialias: false });

/** Light on the floor at (x, z) metres. */
function floorAt({ scene, camera }: ReturnType<typeof floorScene>, x: number, z: number): number {
  const frame = draw(scene, camera);
  return colorAt(frame, Math.floor((x + 4) * 4), Math.floor((z + 4) * 4))[0]!;
}

/** A board of 2 × 2 m, 2 m above the floor, which the camera does not draw. */
function board(material: THREE.Material = new THREE.MeshBasicMaterial({ side: THREE.DoubleSide })): THREE.Mesh {
  const mesh = new THREE.Mesh(new THREE.PlaneGeometry(2, 2).rotateX(-Math.PI / 2), material);
  material.polygonOffset = true; // Pushed behind the floor for the camera; the sun sees it where it is.
  material.polygonOffsetUnits = 1e6;
  mesh.position.y = 2;
  mesh.castShadow = true;
  return mesh;
}

describe('SoftwareRenderer: shadows', () => {
  it('fall where the light projects the caster', () => {
    const stage = floorScene(10); // 45° from +x: a board 2 m up throws its shadow 2 m towards −x.
    stage.scene.add(board());
    const lit = Math.round(Math.SQRT1_2 * 1e5) / 1e5;
    assert.equal(floorAt(stage, -2, 0.1), 0);
    assert.equal(floorAt(stage, -2.7, 0.7), 0);
    assert.equal(floorAt(stage, -3.5, 0.1), lit);
    assert.equal(floorAt(stage, 0.1, 0.1), lit); // Straight below the board.
    assert.equal(floorAt(stage, -2, 1.4), lit);
  });

  it('reach into the picture from a caster that is mostly outside the shadow map', () => {
    const stage = floorScene(0.001);
    const wide = board();
    wide.scale.x = 4; // From x = 2.5 to 10.5; the map ends at 6.
    wide.position.x = 6.5;
    stage.scene.add(wide);
    assert.ok(floorAt(stage, 3.5, 0) < 0.01);
    assert.ok(floorAt(stage, 1.5, 0) > 0.99);
  });

  it('have soft edges', () => {
    const stage = floorScene(0);
    stage.scene.add(board());
    const across = draw(stage.scene, stage.camera).linear.filter((_, i) => i % 3 === 0);
    const partly = across.filter((value) => value > 0.01 && value < 0.99);
    stage.sun.shadow.mapSize.set(48, 48); // Texels of a pixel's size.
    const soft = draw(stage.scene, stage.camera).linear.filter(
      (value, i) => i % 3 === 0 && value > 0.01 && value < 0.99,
    );
    assert.ok(soft.length > partly.length, `${soft.length} and ${partly.length} pixels in half shadow`);
  });

  it('fall only on objects that receive them, and come only from objects that cast them', () => {
    const stage = floorScene(10);
    const caster = board();
    stage.scene.add(caster);
    caster.castShadow = false;
    assert.ok(floorAt(stage, -2, 0.1) > 0.7);
    caster.castShadow = true;
    (stage.scene.children[0] as THREE.Mesh).receiveShadow = false;
    assert.ok(floorAt(stage, -2, 0.1) > 0.7);
  });

  it('are as dark as light.shadow.intensity says', () => {
    const stage = floorScene(0);
    stage.scene.add(board());
    stage.sun.shadow.intensity = 0.25;
    assert.equal(floorAt(stage, 0.1, 0.1), 0.75);
  });

  it('have the holes of their casters', () => {
    const stage = floorScene(0);
    const map = bytesTexture([
      [
        [255, 255, 255, 255],
        [255, 255, 255, 0],
      ],
    ]);
    stage.scene.add(board(new THREE.MeshBasicMaterial({ map, alphaTest: 0.5, side: THREE.DoubleSide })));
    assert.equal(floorAt(stage, -0.5, 0.1), 0);
    assert.equal(floorAt(stage, 0.5, 0.1), 1);
  });

  it('do not fall on the lit side of the body that casts them', () => {
    const stage = floorScene(10);
    const box = new THREE.Mesh(new THREE.BoxGeometry(2, 2, 2), new THREE.MeshLambertMaterial());
    box.castShadow = box.receiveShadow = true;
    box.position.y = 1;
    stage.scene.add(box);
    assert.ok(floorAt(stage, 0.1, 0.1) > 0.7, 'the roof');
    assert.equal(floorAt(stage, -2, 0.1), 0, 'the floor behind');
  });
});
