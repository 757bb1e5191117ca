/** One scene of the distribution θ: everything that was drawn, as a three.js scene and as facts. */
import type * as THREE from 'three';
import { deriveSeed, Random, type Seed } from '../../../protocol/random.ts';
import { addBuildings } from './street/buildings.ts';
import { drawCamera } from './camera/camera.ts';
import { addCars } from './cars/car-meshes.ts';
import { drawLayout, type Layout } from './street/layout.ts';
import { addMarkings } from './street/markings.ts';
import type { TrafficTheta } from './parameters.ts';
import { addPerson, drawPeople, type Person } from './street/people.ts';
import { addGround } from './street/road.ts';
import { Stage } from './stage.ts';
import { addClutter, addPoles } from './street/street-furniture.ts';
import { addTrees } from './street/vegetation.ts';
import { drawTraffic, type Car } from './cars/vehicles.ts';
import { drawWeather, type WeatherState } from './sky/weather.ts';

export interface TrafficScene {
  readonly scene: THREE.Scene;
  readonly camera: THREE.PerspectiveCamera;
  readonly cars: readonly Car[];
  readonly people: readonly Person[];
  readonly weather: WeatherState;
  readonly layout: Layout;
}

/** The size of a scene's picture, in pixels: what is out of view or too small to see is left out of the scene. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Draws a scene.
 *
 * Each part of it has its own random numbers, so that a change of θ in one part leaves the others unchanged.
 *
 * @param stage where the scene is built; the scene is valid until the next one on the same stage
 */
export function drawScene(theta: TrafficTheta, seed: Seed, size: PictureSize, stage = new Stage()): TrafficScene {
  const random = (part: string) => new Random(deriveSeed(seed, part));
  const { scene, camera } = stage;
  const layout = drawLayout(theta, random('layout'));
  const weather = drawWeather(theta, random('weather'));
  drawCamera(theta, layout, size.width / size.height, random('camera'), camera);
  const cars = drawTraffic(theta, layout, deriveSeed(seed, 'traffic')).filter((car) => !standsIn(camera, car));
  const people = drawPeople(theta, layout, random('people'), 1 + Math.max(0, ...cars.map(({ instance }) => instance)));

  stage.begin();
  stage.view.look(camera, size.height, weather.sun[1] > 0 ? weather.sunDirection : null);
  stage.atmosphere.show(scene, weather, size.height, random('sky'));
  addGround(stage, theta, layout, weather, random('ground'));
  addMarkings(stage, theta, layout, random('markings'));
  addBuildings(stage, theta, layout, random('buildings'));
  addTrees(stage, theta, layout, random('trees'));
  addPoles(stage, theta, layout, weather, random('poles'));
  addClutter(stage, theta, layout, random('clutter'));
  for (const person of people) addPerson(stage, person);
  addCars(stage, cars, theta.paintGloss, weather);
  stage.finish();
  return { scene, camera, cars, people, weather, layout };
}

/** Whether the camera would be inside a car or touch it. */
function standsIn(camera: THREE.Camera, { x, z, rotation, length, width }: Car): boolean {
  const [dx, dz] = [camera.position.x - x, camera.position.z - z];
  const across = dx * Math.cos(rotation) - dz * Math.sin(rotation);
  const along = dx * Math.sin(rotation) + dz * Math.cos(rotation);
  return Math.abs(across) < width / 2 + 0.35 && Math.abs(along) < length / 2 + 0.8;
}
