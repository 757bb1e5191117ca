import assert from 'node:assert/strict';
import { defaultTheta, type Theta } from '../../../../protocol/parameters.ts';
import { CLASS_ID, type ClassName } from '../../../../env/streets/classes.ts';
import {
  CAR_TYPES,
  JUNCTIONS,
  TRAFFIC_PARAMETERS,
  type TrafficTheta,
  WEATHERS,
} from '../../../../env/simulators/traffic/parameters.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import { drawSamples } from '../../../../env/simulators/draw-samples.ts';
import { Stage } from '../../../../env/simulators/traffic/stage.ts';
import { drawScene, type TrafficScene } from '../../../../env/simulators/traffic/scene.ts';
import { type TrafficImage, trafficSimulator } from '../../../../env/simulators/traffic/traffic.ts';

const usual = defaultTheta(TRAFFIC_PARAMETERS);
const simulator = trafficSimulator({ width: 48, height: 36, renderer: new SoftwareRenderer() });
const size = { width: 48, height: 36 };
const stage = new Stage();

const mean = (values: Iterable<number>) => {
  const list = [...values];
  return list.reduce((sum, value) => sum + value, 0) / list.length;
};
const deviation = (values: readonly number[]) => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

const scenesOf = (theta: Theta, count: number) =>
  Array.from({ length: count }, (_, seed): TrafficScene => {
    const scene = drawScene(theta as unknown as TrafficTheta, seed, size, stage);
    return { ...scene, camera: scene.camera.clone() }; // the stage's own serves the next scene
  });
const imagesOf = (theta: Theta, count: number) => drawSamples(simulator, theta, 4, count);

/** Brightness of each pixel, 0 to 255. */
const grays = ({ rgb, classes }: TrafficImage) =>
  Array.from(classes, (_, i) => (rgb[3 * i]! + rgb[3 * i + 1]! + rgb[3 * i + 2]!) / 3);
const share = (name: ClassName) => (image: TrafficImage) =>
  mean(Array.from(image.classes, (id) => Number(id === CLASS_ID[name])));
/** Mean brightness of what is of a class, where the image has any. */
const brightnessOf = (name: ClassName) => (image: TrafficImage) => {
  const values = grays(image).filter((_, i) => image.classes[i] === CLASS_ID[name]);
  return values.length > 0 ? mean(values) : undefined;
};
/** Mean difference between each pixel and its right neighbour. */
const roughness = (image: TrafficImage) => {
  const gray = grays(image);
  return mean(gray.slice(1).map((value, i) => Math.abs(value - gray[i]!)));
};
const colourfulness = (only?: ClassName) => (image: TrafficImage) => {
  const values: number[] = [];
  for (let i = 0; i < image.classes.length; i++) {
    if (only !== undefined && image.classes[i] !== CLASS_ID[only]) continue;
    const pixel = image.rgb.subarray(3 * i, 3 * i + 3);
    values.push(Math.max(...pixel) - Math.min(...pixel));
  }
  return values.length > 0 ? mean(values) : undefined;
};
const cars = (role?: string) => (scene: TrafficScene) =>
  scene.cars.filter((car) => role === undefined || car.role === role).length;
const dry = { weather: [0, 1, 0, 0] };
const sunny = { weather: [1, 0, 0, 0] };
const crossings = { junctions: [0, 1, 0, 0, 0, 0] };

type Statistic<T> = readonly [name: string, statistic: (of: T) => number | undefined, given?: Theta];

/** What the plan of a scene must show more of when the parameter rises. */
const OF_SCENES: Record<string, Statistic<TrafficScene>> = {
  laneWidth: ['width of the road', ({ layout }) => layout.roadside(1).kerb + layout.roadside(-1).kerb],
  lanes: ['lanes', ({ layout }) => layout.lanes],
  curvature: ['bend', ({ layout }) => Math.abs(layout.curvature)],
  junctionDistance: ['distance to the junction', ({ layout }) => layout.junction.distance],
  pavementWidth: ['width of the pavement', ({ layout }) => layout.roadside(1).pavementWidth],
  buildingSetback: ['distance of the facades', ({ layout }) => layout.roadside(1).setback],
  leftHandTraffic: ['scenes with traffic on the left', ({ layout }) => Number(layout.drivingSide < 0)],
  parkedShare: ['parked cars', cars('parked')],
  leadingRate: ['leading cars', cars('leading')],
  oncomingRate: ['oncoming cars', cars('oncoming')],
  crossingRate: ['crossing cars', cars('crossing'), crossings],
  nearestCar: [
    'distance to the nearest leading car',
    ({ cars }) => {
      const leading = cars.filter(({ role }) => role === 'leading');
      return leading.length > 0 ? Math.min(...leading.map(({ z }) => -z)) : undefined;
    },
    { lanes: 1 },
  ],
  paintColour: [
    'colour of paint',
    ({ cars }) =>
      cars.length > 0 ? mean(cars.map(({ paint }) => 1 - Math.min(...paint) / Math.max(...paint))) : undefined,
  ],
  sunElevation: ['height of the sun', ({ weather }) => weather.sunDirection[1]],
  cameraHeight: ['height of the camera', ({ camera }) => camera.position.y],
  cameraPitch: ['pitch', ({ camera }) => camera.rotation.x],
  cameraYawSpread: ['angle of the camera to the road', ({ camera }) => Math.abs(camera.rotation.y)],
  fieldOfView: ['field of view', ({ camera }) => camera.fov],
  lanePositionSpread: [
    'distance of the camera from the middle of its lane',
    ({ camera, layout }) => Math.abs(((Math.abs(camera.position.x) / layout.laneWidth) % 1) - 0.5),
    { laneWidth: 4.5 },
  ],
};

/** What the pictures must show more of when the parameter rises. */
const OF_IMAGES: Record<string, Statistic<TrafficImage>> = {
  asphaltBrightness: ['brightness of the road', brightnessOf('road')],
  buildingShare: ['buildings', share('building')],
  buildingHeight: ['buildings', share('building')],
  wallBrightness: ['brightness of buildings', brightnessOf('building')],
  treeRate: ['vegetation', share('vegetation')],
  poleRate: ['poles', share('pole')],
  peopleRate: ['people', share('person')],
  clutterRate: ['roadside objects', share('wall'), { buildingShare: 1, peopleRate: 0 }],
  sunStrength: ['brightness of the road', brightnessOf('road'), sunny],
  skyBrightness: ['brightness of the sky', brightnessOf('sky'), { exposure: -2 }],
  exposure: ['brightness', (image) => mean(grays(image))],
  contrast: ['contrast', (image) => deviation(grays(image))],
  saturation: ['colour', colourfulness()],
  wallColour: ['colour of buildings', colourfulness('building'), dry],
  pixelNoise: ['difference between neighbours', roughness],
  compression: ['lost detail', (image) => -roughness(image), { pixelNoise: 0.05 }],
  blur: ['lost detail', (image) => -roughness(image), { pixelNoise: 0 }],
  fog: ['lost contrast', (image) => -deviation(grays(image)), dry],
  paintDarkness: ['darkness of cars', (image) => negative(brightnessOf('car')(image))],
  shopShare: ['colour of buildings', colourfulness('building'), { wallColour: 0, ...dry }],
  groundVariation: [
    'unevenness of the road',
    (image) => unevenness(image, 'road'),
    { ...dry, lightNoise: 0, markings: 0 },
  ],
  lightNoise: ['unevenness of the sky', (image) => unevenness(image, 'sky'), { ...dry, exposure: -2 }],
  leafiness: ['green of vegetation', greenOfTrees, { treeRate: 12, buildingShare: 1, ...dry }],
  paintGloss: ['differences within cars', (image) => unevenness(image, 'car'), { ...sunny, paintDarkness: 1 }],
  markings: ['brightest of the road', (image) => brightest(image), { ...dry, asphaltBrightness: 0.03 }],
};

/** What differs more from picture to picture when the parameter rises. */
const SPREADS: Record<string, Statistic<TrafficImage>> = {
  exposureSpread: ['brightness', (image) => mean(grays(image)), dry],
  whiteBalanceSpread: ['red over blue', (image) => mean(channel(image, 0)) - mean(channel(image, 2)), dry],
};

const channel = ({ rgb }: TrafficImage, c: number) => rgb.filter((_, i) => i % 3 === c);

const negative = (value: number | undefined) => (value === undefined ? undefined : -value);

function brightest(image: TrafficImage): number | undefined {
  const road = grays(image).filter((_, i) => image.classes[i] === CLASS_ID.road);
  return road.length > 0 ? Math.max(...road) : undefined;
}

function unevenness(image: TrafficImage, name: ClassName): number | undefined {
  const values = grays(image).filter((_, i) => image.classes[i] === CLASS_ID[name]);
  return values.length > 0 ? deviation(values) : undefined;
}

function greenOfTrees(image: TrafficImage): number | undefined {
  const values: number[] = [];
  image.classes.forEach((id, i) => {
    if (id === CLASS_ID.vegetation) values.push(image.rgb[3 * i + 1]! - image.rgb[3 * i]!);
  });
  return values.length > 0 ? mean(values) : undefined;
}

describe('θ of the traffic simulator', () => {
  it('has at least two simplexes, and thirty to seventy numbers in total', () => {
    assert.ok(TRAFFIC_PARAMETERS.filter(({ kind }) => kind === 'simplex').length >= 2);
    const size = TRAFFIC_PARAMETERS.at(-1)!.slice[1];
    assert.ok(size >= 30 && size <= 70, `${size}`);
  });

  const ends = (name: string, given: Theta = {}): [Theta, Theta] => {
    const parameter = TRAFFIC_PARAMETERS.find((p) => p.name === name);
    if (parameter?.kind !== 'continuous') throw new TypeError(`${name}: expected a continuous parameter`);
    return [
      { ...usual, ...given, [name]: parameter.low },
      { ...usual, ...given, [name]: parameter.high },
    ];
  };
  const average = <T>(of: readonly T[], statistic: (of: T) => number | undefined) =>
    mean(of.map(statistic).filter((value) => value !== undefined));

  for (const [name, [what, statistic, given]] of Object.entries(OF_SCENES)) {
    it(`moves the ${what} with ${name}`, () => {
      const [low, high] = ends(name, given).map((theta) => average(scenesOf(theta, 40), statistic));
      assert.ok(high! > low! + 0.1 * Math.abs(low!), `${low} → ${high}`);
    });
  }

  for (const [name, [what, statistic, given]] of Object.entries(OF_IMAGES)) {
    it(`moves the ${what} with ${name} @slow`, async () => {
      const at = async (theta: Theta) => average(await imagesOf(theta, 16), statistic);
      const [low, high] = ends(name, given);
      const [below, above] = [await at(low), await at(high)];
      assert.ok(above > below + 0.03 * Math.abs(below), `${below} → ${above}`);
    });
  }

  for (const [name, [what, statistic, given]] of Object.entries(SPREADS)) {
    it(`spreads the ${what} with ${name} @slow`, async () => {
      const spread = async (theta: Theta) => deviation((await imagesOf(theta, 16)).map((image) => statistic(image)!));
      const [low, high] = ends(name, given);
      const [narrow, wide] = [await spread(low), await spread(high)];
      assert.ok(wide > 1.3 * narrow, `${narrow} → ${wide}`);
    });
  }

  it('is covered by these statistics, except its simplexes', () => {
    const covered = Object.keys({ ...OF_SCENES, ...OF_IMAGES, ...SPREADS }).sort();
    const continuous = TRAFFIC_PARAMETERS.filter(({ kind }) => kind === 'continuous');
    assert.deepEqual(covered, continuous.map(({ name }) => name).sort());
  });

  it('takes some pictures of a dull day at dusk: with a fraction of the light, and sometimes with lights on', () => {
    const scenes = scenesOf({ ...usual, ...dry, peopleRate: 0, treeRate: 0 }, 200).map(({ weather }) => weather);
    const isDusk = ({ skyLight }: TrafficScene['weather']) => skyLight[1] < 0.4;
    const share = scenes.filter(isDusk).length / scenes.length;
    assert.ok(share > 0.2 && share < 0.5, `${share}`);
    assert.ok(scenes.filter(({ headlights }) => headlights).every(isDusk));
    assert.ok(scenes.some(({ headlights }) => headlights));
  });

  const carsOf = (theta: Theta) => scenesOf({ ...usual, ...theta }, 30).map(({ cars }) => cars);
  const parking = { parkedShare: 0.5, leadingRate: 2, oncomingRate: 2 };

  for (const name of ['paintColour', 'paintDarkness', 'paintGloss']) {
    it(`changes nothing of cars but their paint with ${name}`, () => {
      const unpainted = ends(name, parking).map((theta) =>
        carsOf(theta).map((cars) => cars.map((car) => ({ ...car, paint: null }))),
      );
      assert.deepEqual(unpainted[0], unpainted[1]);
    });
  }

  for (const [name, role] of [
    ['leadingRate', 'leading'],
    ['oncomingRate', 'oncoming'],
    ['crossingRate', 'crossing'],
    ['parkedShare', 'parked'],
    ['nearestCar', 'leading'],
  ] as const) {
    it(`leaves all cars that are not ${role} as they are with ${name}`, () => {
      // A car that the camera would stand in is left out, and instances are numbered one after the other.
      const others = ends(name, parking).map((theta) =>
        carsOf(theta).map((cars) => cars.filter((car) => car.role !== role).map((car) => ({ ...car, instance: 0 }))),
      );
      assert.deepEqual(others[0], others[1]);
    });
  }

  it('parks more cars beside those that are parked already when parkedShare rises', () => {
    const parked = (parkedShare: number) =>
      carsOf({ parkedShare }).map((cars) => cars.map((car) => JSON.stringify({ ...car, instance: 0 })));
    const [few, many] = [parked(0.3), parked(0.6)];
    few.forEach((cars, scene) => assert.deepEqual(cars.filter((car) => !many[scene]!.includes(car)), [])); // prettier-ignore
    assert.ok(many.flat().length > few.flat().length, 'expected more cars');
  });

  it('keeps the variant of the first car of a lane, and its offset, when carTypes change', () => {
    const first = (carTypes: number[]) =>
      carsOf({ ...parking, carTypes, curvature: 0 }).map((cars) => cars.find(({ role }) => role === 'oncoming'));
    const [cars, vans] = [first([1, 0, 0, 0, 0]), first([0, 0, 0, 1, 0])];
    assert.deepEqual(
      cars.map((car) => car && [car.variant, car.x]),
      vans.map((van) => van && [van.variant, van.x]),
    );
    assert.ok(
      vans.every((van) => van === undefined || van.type === 'van'),
      'expected vans alone',
    );
  });

  it('draws weathers, junctions and car types as often as its simplexes say', () => {
    const weather = [0.1, 0.2, 0.3, 0.4];
    const junctions = [0.3, 0.1, 0.2, 0.2, 0.05, 0.15];
    const carTypes = [0.1, 0.3, 0.15, 0.2, 0.25];
    const scenes = scenesOf({ ...usual, weather, junctions, carTypes, peopleRate: 0, treeRate: 0 }, 600);
    assertFrequencies(
      WEATHERS,
      scenes.map((scene) => scene.weather.kind),
      weather,
    );
    assertFrequencies(
      JUNCTIONS,
      scenes.map((scene) => scene.layout.junction.kind),
      junctions,
    );
    // Parked cars are left out: what is longer than a bay at right angles to the kerb does not stand in one.
    assertFrequencies(
      CAR_TYPES,
      scenes.flatMap((scene) => scene.cars.filter(({ role }) => role !== 'parked').map(({ type }) => type)),
      carTypes,
    );
  });
});

/** Each label occurs as often as its probability says, within four standard deviations. */
function assertFrequencies(
  labels: readonly string[],
  drawn: readonly string[],
  probabilities: readonly number[],
): void {
  labels.forEach((label, i) => {
    const p = probabilities[i]!;
    const frequency = drawn.filter((one) => one === label).length / drawn.length;
    const tolerance = 4 * Math.sqrt((p * (1 - p)) / drawn.length);
    assert.ok(Math.abs(frequency - p) < tolerance, `${label}: ${frequency} of ${drawn.length}, expected ${p}`);
  });
}
