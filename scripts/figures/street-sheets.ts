/** Sheets of pictures of the traffic simulator: scenes with their labels, sweeps of θ, scenes of one kind. */
import { type Parameter, type Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import { WEATHERS } from '../../env/simulators/traffic/parameters.ts';
import type { TrafficImage } from '../../env/simulators/traffic/traffic.ts';
import { drawSample, drawSamples } from '../../env/simulators/draw-samples.ts';
import { classColours, classKey, DEPTH_KEY, depthColours } from '../../env/streets/colours.ts';
import type { Simulator } from '../../env/simulators/simulator.ts';
import { type Cell, type Row, type Sheet } from './sheet.ts';

/** The source of pictures. */
export interface Source {
  readonly simulator: Simulator<TrafficImage>;
  readonly seed: Seed;
}

const picture = ({ width, height, rgb }: TrafficImage, colours = rgb): Cell => ({ width, height, rgb: colours });

const PER_ROW = 4;

/** Image, labels and depth of scenes 0 to `count` − 1, with what their colours mean. */
export async function contactSheet(
  { simulator, seed }: Source,
  thetaOf: (index: number) => Theta,
  count: number,
): Promise<Pick<Sheet, 'rows' | 'keys'>> {
  const images: TrafficImage[] = [];
  for (let index = 0; index < count; index++) images.push(await drawSample(simulator, thetaOf(index), seed, index));
  const caption = (image: TrafficImage, index: number) =>
    `${index}: ${image.weather}\n${junctionNamed(image.junction)}`;
  const rows = inRows(images).flatMap((row, r) => [
    { cells: row.map((image) => picture(image)) },
    { cells: row.map((image) => picture(image, classColours(image.classes))) },
    {
      cells: row.map((image, i) => ({
        ...picture(image, depthColours(image.depth)),
        caption: caption(image, r * PER_ROW + i),
      })),
    },
  ]);
  return { rows, keys: [classKey(images.map(({ classes }) => classes)), DEPTH_KEY] };
}

/** A junction as captions name it. */
function junctionNamed(junction: string): string {
  return junction === 'none' ? 'no junction' : junction;
}

/** Images of scenes, without labels. */
export async function pictureSheet({ simulator, seed }: Source, theta: Theta, count: number): Promise<Row[]> {
  const images = await drawSamples(simulator, theta, seed, count);
  return inRows(images).map((row) => ({ cells: row.map((image) => picture(image)) }));
}

/** Scene 0 in each weather, two in a row, without labels. */
export async function weatherSheet({ simulator, seed }: Source, theta: Theta): Promise<Row[]> {
  const cells: Cell[] = [];
  for (const weather of WEATHERS) {
    const certain = WEATHERS.map((one) => (one === weather ? 1 : 0));
    cells.push({ ...picture(await drawSample(simulator, { ...theta, weather: certain }, seed, 0)), caption: weather });
  }
  return [{ cells: cells.slice(0, 2) }, { cells: cells.slice(2) }];
}

function inRows<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / PER_ROW) }, (_, row) =>
    items.slice(row * PER_ROW, (row + 1) * PER_ROW),
  );
}

/** The part of θ that gives one label of a parameter the probability 1. */
export function certainly(parameter: Parameter & { kind: 'simplex' }, label: number): Theta {
  return { [parameter.name]: parameter.labels.map((_, i) => (i === label ? 1 : 0)) };
}

/** θ with one parameter at this share of its range, from low to high; for a simplex, with one label certain. */
function swept(base: Theta, parameter: Parameter, share: number): { theta: Theta; value: string } {
  const one = <T>(values: readonly T[]) => values[Math.round(share * (values.length - 1))]!;
  if (parameter.kind === 'simplex') {
    const name = one(parameter.labels);
    const value = parameter.name === 'junctions' ? junctionNamed(name) : name;
    return { theta: { ...base, ...certainly(parameter, parameter.labels.indexOf(name)) }, value };
  }
  if (parameter.kind === 'boolean' || parameter.kind === 'categorical') {
    const value = one<string | boolean>(parameter.kind === 'boolean' ? [false, true] : parameter.choices);
    return { theta: { ...base, [parameter.name]: value }, value: String(value) };
  }
  const { kind, low, high, scale, unit } = parameter;
  const number = scale === 'log' ? low * (high / low) ** share : low + (high - low) * share;
  const value = kind === 'integer' ? Math.round(number) : number;
  return {
    theta: { ...base, [parameter.name]: value },
    value: `${Number(value.toPrecision(3))} ${unit === '1' ? '' : unit}`,
  };
}

/** The number of pictures in a sweep of a parameter: one for each of its values if they can be counted. */
function stepsOf(parameter: Parameter, steps: number): number {
  switch (parameter.kind) {
    case 'continuous':
      return steps;
    case 'integer':
      return Math.min(steps, parameter.high - parameter.low + 1);
    case 'boolean':
      return 2;
    case 'categorical':
      return parameter.choices.length;
    case 'simplex':
      return parameter.labels.length;
  }
}

const crossing = { junctions: [0, 1, 0, 0, 0, 0] };
const sunny = { weather: [1, 0, 0, 0] };
const dull = { weather: [0, 1, 0, 0] };

/** The part of θ that a sweep of a parameter needs to show an effect; the caller's θ overrides it. */
const CONDITIONS: Readonly<Record<string, Theta>> = {
  junctions: { junctionDistance: 15, fieldOfView: 85, leadingRate: 0.5 },
  junctionDistance: { ...crossing, leadingRate: 0.5 },
  crossingRate: {
    ...{ ...crossing, ...sunny, junctionDistance: 15, fieldOfView: 85, leadingRate: 0.5, oncomingRate: 0.5 },
    ...{ treeRate: 0, peopleRate: 1, clutterRate: 0 },
  },
  poleRate: { ...sunny, treeRate: 0 },
  fog: dull,
  carTypes: { parkedShare: 0.8 },
  curvature: { parkedShare: 0 },
  parkedShare: { leadingRate: 0.5 },
  pixelNoise: { ...sunny, exposureSpread: 0 },
  sunElevation: { ...sunny, sunStrength: 4 },
  sunStrength: sunny,
  paintGloss: { ...sunny, paintDarkness: 1, parkedShare: 0.8 },
  paintColour: { ...sunny, parkedShare: 0.8 },
  paintDarkness: { ...sunny, parkedShare: 0.8 },
  leafiness: { treeRate: 10 },
  shopShare: dull,
  skyBrightness: { ...sunny, exposure: -1 },
  exposureSpread: dull,
  groundVariation: { ...dull, parkedShare: 0 },
};

/** The given θ, completed by what the sweep of a parameter needs. */
const conditioned = (given: Theta, { name }: Parameter): Theta => ({ ...CONDITIONS[name], ...given });

/** The index, among the first ten scenes, of the scene that changes most between the parameter's low and high. */
export async function mostTelling({ simulator, seed }: Source, given: Theta, parameter: Parameter): Promise<number> {
  const base = conditioned(given, parameter);
  let [best, most] = [0, -1];
  for (let index = 0; index < 10; index++) {
    const at = (share: number) => drawSample(simulator, swept(base, parameter, share).theta, seed, index);
    const [low, high] = [(await at(0)).rgb, (await at(1)).rgb];
    const difference = low.reduce((sum, byte, i) => sum + Math.abs(byte - high[i]!), 0);
    if (difference > most) [best, most] = [index, difference];
  }
  return best;
}

/** A row for each scene of `indices`: the parameter from low to high in `steps` pictures, or one for each of its values. */
export async function sweep(
  { simulator, seed }: Source,
  given: Theta,
  parameter: Parameter,
  indices: readonly number[],
  steps: number,
): Promise<Row[]> {
  const base = conditioned(given, parameter);
  const count = stepsOf(parameter, steps);
  const rows: Row[] = [];
  for (const index of indices) {
    const cells: Cell[] = [];
    for (let step = 0; step < count; step++) {
      const { theta, value } = swept(base, parameter, count === 1 ? 0 : step / (count - 1));
      cells.push({ ...picture(await drawSample(simulator, theta, seed, index)), caption: value });
    }
    rows.push({ caption: parameter.name, cells });
  }
  return rows;
}
