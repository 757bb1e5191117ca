import * as THREE from 'three';
import { EnvironmentMap } from './environment-map.ts';
import type { Fragments } from './fragments.ts';
import type { ViewRays } from './view-rays.ts';

/** What is seen where nothing is: black, one colour, or the surroundings. */
export class Background {
  private readonly color = new THREE.Color();
  private surroundings: EnvironmentMap | null = null;
  private intensity = 1;

  constructor(private readonly rays: ViewRays) {}

  /** @throws {TypeError} when the background is neither a Color nor an equirectangular texture */
  read(scene: THREE.Scene): void {
    const { background } = scene;
    this.surroundings = null;
    if (background === null) this.color.setRGB(0, 0, 0);
    else if (background instanceof THREE.Color) this.color.copy(background);
    else if (background.mapping === THREE.EquirectangularReflectionMapping) {
      this.surroundings = EnvironmentMap.of(background);
      this.intensity = scene.backgroundIntensity;
    } else {
      throw new TypeError('scene.background: expected a Color or a texture with EquirectangularReflectionMapping');
    }
  }

  /** It has one colour all over. */
  get isPlain(): boolean {
    return this.surroundings === null;
  }

  /** Sets the colours of pieces of pixels that show the background, by their pixel coordinates. */
  shade(f: Fragments): void {
    const { count, r, g, b, readR, readG, readB } = f;
    if (this.surroundings === null) {
      f.setColors(this.color.r, this.color.g, this.color.b, 1);
      return;
    }
    this.rays.look(f);
    this.surroundings.lookUp(f, 0);
    for (let i = 0; i < count; i++) {
      r[i] = readR[i]! * this.intensity;
      g[i] = readG[i]! * this.intensity;
      b[i] = readB[i]! * this.intensity;
    }
  }
}
