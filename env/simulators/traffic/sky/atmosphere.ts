/** How the weather looks in a scene: the sky, the fog, what surfaces reflect, the light of the sky and of the sun. */
import * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import { fogColour, paintReflection, paintSky, reflectionTexture, skyTexture } from './sky.ts';
import type { WeatherState } from './weather.ts';

/**
 * The factor that dims the colour of a glossy (standard) material.
 *
 * Such a material's diffuse reflection is lit by the hemisphere light and once more by the environment that it mirrors.
 */
export const GLOSSY_ALBEDO = 0.7;

/** Houses and trees hide a share of the sky from the street: between these two. */
const HIDDEN_SKY = [0.3, 0.8] as const;

/** The sun's shadows are drawn this far around a point ahead of the camera, m. */
const SHADOW_RADIUS = 42;

/** The lights and textures of the air, which are used for one scene after the other. */
export class Atmosphere {
  private readonly hemisphere = new THREE.HemisphereLight(0, 0, Math.PI);
  private readonly sun = sunLight();
  private readonly sky = skyTexture();
  private readonly reflection = reflectionTexture();
  private readonly fog = new THREE.FogExp2(0);

  /** Gives a scene this weather; its picture is `height` pixels high. */
  show(scene: THREE.Scene, weather: WeatherState, height: number, random: Random): void {
    const { hemisphere, fog } = this;
    const { skyLight, sun, sunDirection } = weather;
    paintSky(this.sky, weather, random);
    paintReflection(this.reflection, weather);
    fog.density = weather.fog;
    fog.color.setRGB(...fogColour(weather));
    scene.fog = fog;
    scene.background = this.sky;
    scene.environment = this.reflection;

    hemisphere.color.setRGB(...skyLight).multiplyScalar(1 - random.uniform(...HIDDEN_SKY));
    // What comes from below was reflected by a gray ground, which the sun lights as well.
    const bounce = 0.13 + 0.1 * sun[1] * sunDirection[1];
    hemisphere.groundColor.setRGB(skyLight[0] * bounce, skyLight[1] * bounce, skyLight[2] * bounce * 0.9);
    scene.add(hemisphere);

    if (sun[1] > 0) this.addSun(scene, weather, shadowSize(height));
  }

  private addSun(scene: THREE.Scene, { sun, sunDirection: [x, y, z] }: WeatherState, size: number): void {
    const light = this.sun;
    if (light.shadow.mapSize.x !== size) {
      light.shadow.dispose(); // The size of a map that was drawn before stays the same.
      light.shadow.map = null;
      light.shadow.mapSize.set(size, size);
    }
    light.color.setRGB(...sun);
    const middle = -SHADOW_RADIUS * 0.8;
    light.target.position.set(0, 0, middle);
    light.position.set(x * 90, y * 90, middle + z * 90);
    scene.add(light, light.target);
  }
}

/** The sides of the coarsest and of the finest shadow map, texels. */
const SHADOW_SIZES = [256, 1024] as const;

/** The side of a shadow map whose texels are about as fine as the pixels of a picture of this height. */
function shadowSize(height: number): number {
  const [least, most] = SHADOW_SIZES;
  return Math.min(most, Math.max(least, 2 ** Math.ceil(Math.log2(2 * height))));
}

/** A sun whose shadow map fits the street ahead. */
function sunLight(): THREE.DirectionalLight {
  const light = new THREE.DirectionalLight(0, Math.PI);
  light.castShadow = true;
  light.shadow.bias = -0.002;
  light.shadow.normalBias = 0.06;
  const camera = light.shadow.camera;
  camera.left = camera.bottom = -SHADOW_RADIUS;
  camera.right = camera.top = SHADOW_RADIUS;
  camera.near = 1;
  camera.far = 180;
  camera.updateProjectionMatrix();
  return light;
}
