/** Scenes whose pixels can be worked out by hand. */
import * as THREE from 'three';
import type { Camera, Frame, PictureFormat } from '../../../../env/render/renderer.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';

/** What draws pictures of one format, with a renderer of its own. */
export function drawingIn(format: PictureFormat): (scene: THREE.Scene, camera: Camera) => Frame {
  const renderer = new SoftwareRenderer();
  return (scene, camera) => renderer.draw(scene, camera, format);
}

/**
 * A camera at the origin that looks along −z, for square pictures: at distance 1 the picture spans −1..1 both ways, so
 * that pixel coordinates are x = (X / Z + 1) · width / 2 and y = (1 − Y / Z) · height / 2.
 */
export function straightCamera(near = 0.1, far = 1000): THREE.PerspectiveCamera {
  return new THREE.PerspectiveCamera(90, 1, near, far);
}

/** A mesh of single triangles; `corners` are x, y, z of each corner in turn. */
export function triangles(corners: readonly number[], material: THREE.Material, uvs?: readonly number[]): THREE.Mesh {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', new THREE.Float32BufferAttribute(corners, 3));
  if (uvs !== undefined) geometry.setAttribute('uv', new THREE.Float32BufferAttribute(uvs, 2));
  return new THREE.Mesh(geometry, material);
}

/** A square of side 2 · `half` that faces the camera of `straightCamera` at a distance. */
export function square(half: number, distance: number, material: THREE.Material): THREE.Mesh {
  const mesh = new THREE.Mesh(new THREE.PlaneGeometry(2 * half, 2 * half), material);
  mesh.position.z = -distance;
  return mesh;
}

/** Unlit, of one linear colour, seen from both sides. */
export function unlit(r: number, g: number, b: number): THREE.MeshBasicMaterial {
  const material = new THREE.MeshBasicMaterial({ side: THREE.DoubleSide });
  material.color.setRGB(r, g, b);
  return material;
}

export function sceneOf(...objects: readonly THREE.Object3D[]): THREE.Scene {
  const scene = new THREE.Scene();
  scene.add(...objects);
  return scene;
}

/** The linear colour of pixel (x, y), rounded to 1e-5. */
export function colorAt(frame: Frame, x: number, y: number): number[] {
  const i = (y * frame.width + x) * 3;
  return [...frame.linear.subarray(i, i + 3)].map((value) => Math.round(value * 1e5) / 1e5);
}

/** Which pixels show one class: a row of text for each row of the picture, `#` where they do. */
export function maskOf(frame: Frame, classId: number): string[] {
  return Array.from({ length: frame.height }, (_, y) =>
    Array.from(frame.classes.subarray(y * frame.width, (y + 1) * frame.width), (id) =>
      id === classId ? '#' : '.',
    ).join(''),
  );
}

/** A copy of a frame that outlives the next one. */
export function kept(frame: Frame): Frame {
  return {
    ...frame,
    linear: frame.linear.slice(),
    classes: frame.classes.slice(),
    instances: frame.instances.slice(),
    depth: frame.depth.slice(),
  };
}

/** A texture of RGBA bytes, `rows` from v = 0 upwards; nearest texels, no mip levels, linear light. */
export function bytesTexture(rows: readonly (readonly (readonly number[])[])[]): THREE.DataTexture {
  const texture = new THREE.DataTexture(Uint8Array.from(rows.flat(2)), rows[0]!.length, rows.length);
  texture.needsUpdate = true;
  return texture;
}
