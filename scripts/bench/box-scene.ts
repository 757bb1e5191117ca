import * as THREE from 'three';
import { Random } from '../../protocol/random.ts';

/** A scene and its camera; `move` places the camera for frame `i`. */
export interface BenchScene {
  readonly scene: THREE.Scene;
  readonly camera: THREE.PerspectiveCamera;
  readonly move: (i: number) => void;
}

/** 80 boxes of random sizes and colours on a plane: the scene that the peers' programs draw too. */
export function boxScene(width: number, height: number): BenchScene {
  const random = new Random(0);
  const scene = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera(60, width / height, 0.1, 100);
  const sun = new THREE.DirectionalLight(0xffffff, 2);
  sun.position.set(3, 10, 5);
  scene.add(new THREE.AmbientLight(0xffffff, 1), sun);
  const box = new THREE.BoxGeometry(1, 1, 1);
  for (let i = 1; i <= 80; i++) {
    const color = new THREE.Color(random.uniform(), random.uniform(), random.uniform());
    const mesh = new THREE.Mesh(box, new THREE.MeshLambertMaterial({ color }));
    mesh.scale.set(random.uniform(0.5, 2.5), random.uniform(0.5, 4), random.uniform(0.5, 2.5));
    mesh.position.set(random.uniform(-10, 10), mesh.scale.y / 2, -random.uniform(3, 40));
    mesh.userData = { classId: 13, instanceId: i };
    scene.add(mesh);
  }
  const ground = new THREE.Mesh(
    new THREE.PlaneGeometry(40, 60).rotateX(-Math.PI / 2).translate(0, 0.01, -30),
    new THREE.MeshLambertMaterial({ color: 0x4d4d4d }),
  );
  ground.userData = { classId: 0 };
  scene.add(ground);
  return { scene, camera, move: (i) => void camera.position.set(0, 1.5, 2 - (i % 500) * 0.01) };
}
