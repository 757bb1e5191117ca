/** The traffic simulator: pictures of streets with the class, the object and the distance of each pixel. */
import { completeTheta } from '../../../protocol/parameters.ts';
import { deriveSeed, Random, type Seed } from '../../../protocol/random.ts';
import type { RenderedImage } from '../../streets/labelled-image.ts';
import { identityOfRenderer } from '../../render/renderer-identity.ts';
import { withFrame, type Frame, type PictureFormat, type Renderer } from '../../render/renderer.ts';
import type { Simulator } from '../simulator.ts';
import type { Layout } from './street/layout.ts';
import { TRAFFIC_PARAMETERS, type JunctionKind, type TrafficTheta, type Weather } from './parameters.ts';
import type { Person } from './street/people.ts';
import { drawScene } from './scene.ts';
import type { CameraMatrices } from './camera/camera.ts';
import { addGlare } from './camera/glare.ts';
import { develop } from './camera/sensor.ts';
import { mirrorInWetGround } from './camera/wet-ground.ts';
import { Stage } from './stage.ts';
import type { Car } from './cars/vehicles.ts';
import type { WeatherState } from './sky/weather.ts';

export type { Car } from './cars/vehicles.ts';

export interface TrafficImage extends RenderedImage {
  /** The countable cars of the scene, in view or not; `instance` is their id in `instances`. */
  readonly cars: readonly Car[];
  /** People on foot and on bicycles, in view or not, likewise. */
  readonly people: readonly Person[];
  readonly weather: Weather;
  readonly junction: JunctionKind;
  /** What else was drawn for this scene, by name; the units are in the names. */
  readonly drawn: Readonly<Record<string, number>>;
  readonly camera: CameraMatrices;
}

export interface TrafficOptions extends Omit<PictureFormat, 'colours'> {
  readonly renderer: Renderer;
}

/** What is the same for every format of picture and every renderer. */
export const TRAFFIC = { name: 'traffic', version: 4, parameters: TRAFFIC_PARAMETERS } as const;

/**
 * The traffic simulator for one format of picture. Its samples are returned at once where the renderer's frames are.
 *
 * parameters.ts has the table of θ; scene.ts draws the scenes.
 */
export function trafficSimulator(options: TrafficOptions): Simulator<TrafficImage> {
  const { width, height, renderer } = options;
  const stage = new Stage();

  function drawImage(theta: TrafficTheta, seed: Seed): TrafficImage | Promise<TrafficImage> {
    const { scene, camera, cars, people, weather, layout } = drawScene(theta, seed, options, stage);
    const random = new Random(deriveSeed(seed, 'sensor'));
    const matrices = {
      matrixWorld: camera.matrixWorld.toArray(),
      projectionMatrix: camera.projectionMatrix.toArray(),
    };
    return withFrame(renderer.draw(scene, camera, options), (frame) => ({
      width,
      height,
      rgb: photograph(frame, matrices, weather, theta, random),
      classes: frame.classes.slice(),
      instances: frame.instances.slice(),
      depth: frame.depth.slice(),
      cars,
      people,
      weather: weather.kind,
      junction: layout.junction.kind,
      drawn: drawnValues(layout, weather),
      camera: matrices,
    }));
  }

  return {
    ...TRAFFIC,
    renderer: identityOfRenderer(renderer),
    open(theta, seed) {
      const complete = completeTheta(TRAFFIC_PARAMETERS, theta) as unknown as TrafficTheta;
      return { draw: (index) => drawImage(complete, deriveSeed(seed, 'scene', index)) };
    },
  };
}

/** The picture that the camera takes of a rendered scene: sRGB bytes, a new uint8 [height, width, 3]. */
function photograph(
  frame: Frame,
  camera: CameraMatrices,
  { wetness, rain, kind, sun, sunDirection }: WeatherState,
  theta: TrafficTheta,
  random: Random,
): Uint8Array {
  if (wetness > 0) mirrorInWetGround(frame, camera, wetness);
  if (kind === 'lowSun') addGlare(frame, camera, sunDirection, sun);
  return develop(frame.linear, frame.width, frame.height, theta, rain, random);
}

/** The plan and the weather of a scene as plain numbers. */
function drawnValues(layout: Layout, weather: WeatherState): Record<string, number> {
  const [left, right] = [layout.roadside(-1), layout.roadside(1)];
  return {
    lanes: layout.lanes,
    laneWidthM: layout.laneWidth,
    curvaturePerM: layout.curvature,
    drivingSide: layout.drivingSide,
    ownLane: layout.ownLane,
    junctionDistanceM: layout.junction.distance,
    leftPavementM: left.pavementWidth,
    rightPavementM: right.pavementWidth,
    leftSetbackM: left.setback,
    rightSetbackM: right.setback,
    leftParking: left.occupancy,
    rightParking: right.occupancy,
    sunElevationDegrees: (Math.asin(weather.sunDirection[1]) * 180) / Math.PI,
    sunAzimuthDegrees: (Math.atan2(weather.sunDirection[2], weather.sunDirection[0]) * 180) / Math.PI,
    sunStrength: weather.sun[1],
    fogPerM: weather.fog,
    wetness: weather.wetness,
    rain: weather.rain,
    cloudiness: weather.cloudiness,
    headlights: weather.headlights ? 1 : 0,
  };
}
