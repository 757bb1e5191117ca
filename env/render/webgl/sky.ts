import * as THREE from 'three';
import type { Camera } from '../renderer.ts';

const VERTEX = `
  varying vec3 direction;
  void main() {
    direction = position;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
    gl_Position.z = gl_Position.w;
  }`;

const FRAGMENT = `
  uniform sampler2D picture;
  uniform float intensity;
  varying vec3 direction;
  #include <common>
  void main() {
    vec2 place = equirectUv(normalize(direction));
    gl_FragColor = vec4(intensity * textureLod(picture, place, 0.0).rgb, 1.0);
  }`;

/**
 * An all-round (equirectangular) picture behind a scene.
 *
 * three.js would turn such a background into the faces of a cube for each new picture, with a shader that it compiles
 * anew each time; the picture itself is sharper and is read as the software renderer reads it.
 */
export class Sky {
  private readonly material = new THREE.ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    uniforms: { picture: { value: null }, intensity: { value: 1 } },
    side: THREE.BackSide,
    depthTest: false,
    depthWrite: false,
  });
  readonly mesh = new THREE.Mesh(new THREE.BoxGeometry(), this.material);

  constructor() {
    this.mesh.matrixAutoUpdate = this.mesh.matrixWorldAutoUpdate = false;
    this.mesh.frustumCulled = false;
    this.mesh.layers.enableAll();
  }

  show(picture: THREE.Texture, intensity: number, camera: Camera): void {
    this.material.uniforms['picture']!.value = picture;
    this.material.uniforms['intensity']!.value = intensity;
    this.mesh.matrixWorld.copyPosition(camera.matrixWorld);
  }
}
