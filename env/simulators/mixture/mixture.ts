/**
 * The paper's toy problem (Ruiz et al. 2019, sec. 4.1): points of two classes in the plane, from a mixture of
 * Gaussians.
 *
 * The simulator has two components per class, with diagonal covariances. The real data has three, so no θ is the truth:
 * the best θ is the one that makes the classifier draw the right boundary.
 */
import { completeTheta, defineParameters, type Parameter, type Theta } from '../../../protocol/parameters.ts';
import { deriveSeed, Random, type Seed } from '../../../protocol/random.ts';
import type { Simulator } from '../simulator.ts';

export interface LabelledPoint {
  readonly point: readonly [x: number, y: number];
  readonly label: 0 | 1;
}

/** One Gaussian of a mixture, axis-aligned. */
interface Component {
  readonly label: 0 | 1;
  readonly mean: readonly [x: number, y: number];
  readonly sd: readonly [x: number, y: number];
}

const names = ['a0', 'a1', 'b0', 'b1'] as const; // class a (0) and b (1), two components each

/** The means of the four components before any learning: apart, but chosen without knowledge of the data. */
const startMeans = { a0: [-5, 0], a1: [5, 0], b0: [0, 5], b1: [0, -5] } as const;

export const MIXTURE_PARAMETERS: readonly Parameter[] = defineParameters(
  names.flatMap((name) =>
    (['x', 'y'] as const).flatMap((axis, i) => [
      {
        kind: 'continuous' as const,
        name: `${name}.mean.${axis}`,
        low: -10,
        high: 10,
        scale: 'linear' as const,
        default: startMeans[name][i]!,
        unit: '1',
        meaning: `Mean of component ${name} along ${axis}.`,
      },
      {
        kind: 'continuous' as const,
        name: `${name}.sd.${axis}`,
        low: Math.exp(-1),
        high: Math.exp(1),
        scale: 'log' as const,
        default: 1,
        unit: '1',
        meaning: `Standard deviation of component ${name} along ${axis}.`,
      },
    ]),
  ),
);

function components(theta: Theta): Component[] {
  const value = (name: string) => theta[name] as number;
  return names.map((name) => ({
    label: name.startsWith('a') ? 0 : 1,
    mean: [value(`${name}.mean.x`), value(`${name}.mean.y`)],
    sd: [value(`${name}.sd.x`), value(`${name}.sd.y`)],
  }));
}

/** Point `index` of a mixture: components take turns, so that every data set holds the same number of each. */
function drawPoint(mixture: readonly Component[], seed: Seed, index: number): LabelledPoint {
  const random = new Random(deriveSeed(seed, index));
  const { label, mean, sd } = mixture[index % mixture.length]!;
  return { label, point: [random.normal(mean[0], sd[0]), random.normal(mean[1], sd[1])] };
}

export function mixtureSimulator(): Simulator<LabelledPoint> {
  return {
    name: 'mixture',
    version: 0,
    parameters: MIXTURE_PARAMETERS,
    open(theta, seed) {
      const mixture = components(completeTheta(MIXTURE_PARAMETERS, theta));
      return { draw: (index) => drawPoint(mixture, seed, index) };
    },
  };
}

/** The real data: three round components per class, which the simulator cannot reach. */
const REAL: readonly Component[] = [
  { label: 0, mean: [-9.5, -0.5], sd: [0.7, 0.7] },
  { label: 0, mean: [6.5, -6.5], sd: [1.5, 1.5] },
  { label: 0, mean: [-3, 5], sd: [1.25, 1.25] },
  { label: 1, mean: [1, 7.5], sd: [0.8, 0.8] },
  { label: 1, mean: [6, 3], sd: [2, 2] },
  { label: 1, mean: [-3, -6.5], sd: [1.75, 1.75] },
];

/** `count` points of the real data. */
export function realPoints(seed: Seed, count: number): LabelledPoint[] {
  return Array.from({ length: count }, (_, index) => drawPoint(REAL, seed, index));
}
