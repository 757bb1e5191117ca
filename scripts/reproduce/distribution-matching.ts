/**
 * Distribution matching for the mixture: the θ under which the validation points are most likely, whatever the
 * classifier makes of them.
 *
 * Expectation maximisation (Dempster et al. 1977) for each class, over what the simulator can express: two components
 * that are drawn equally often, with diagonal covariances and θ within its bounds.
 */
import { MIXTURE_PARAMETERS, type LabelledPoint } from '../../env/simulators/mixture/mixture.ts';
import type { Theta } from '../../protocol/parameters.ts';
import type { Random } from '../../protocol/random.ts';

type Point = readonly [x: number, y: number];

interface Gaussian {
  readonly mean: Point;
  readonly sd: Point;
}

export interface Fit {
  readonly components: readonly [Gaussian, Gaussian];
  /** Mean log-likelihood of a point. */
  readonly logLikelihood: number;
}

const ITERATIONS = 300;
const RESTARTS = 10;

function bounds(kind: 'mean' | 'sd'): readonly [low: number, high: number] {
  const parameter = MIXTURE_PARAMETERS.find((p) => p.name === `a0.${kind}.x`);
  if (parameter?.kind !== 'continuous') throw new TypeError(`a0.${kind}.x: expected a continuous parameter`);
  return [parameter.low, parameter.high];
}
const within = (value: number, [low, high]: readonly [number, number]) => Math.min(high, Math.max(low, value));

function logDensity(point: Point, { mean, sd }: Gaussian): number {
  let sum = -Math.log(2 * Math.PI);
  for (const axis of [0, 1] as const) sum -= ((point[axis] - mean[axis]) / sd[axis]) ** 2 / 2 + Math.log(sd[axis]);
  return sum;
}

/** The Gaussian within bounds under which the weighted points are most likely: the M step. */
function mostLikely(points: readonly Point[], weights: readonly number[]): Gaussian {
  const total = weights.reduce((sum, w) => sum + w, 0) || 1e-12;
  const average = (value: (point: Point) => number) =>
    points.reduce((sum, point, i) => sum + weights[i]! * value(point), 0) / total;
  const axes = ([0, 1] as const).map((axis) => {
    const mean = within(
      average((point) => point[axis]),
      bounds('mean'),
    );
    const sd = within(Math.sqrt(average((point) => (point[axis] - mean) ** 2)), bounds('sd'));
    return { mean, sd };
  }) as [{ mean: number; sd: number }, { mean: number; sd: number }];
  return { mean: [axes[0].mean, axes[1].mean], sd: [axes[0].sd, axes[1].sd] };
}

/** One run of expectation maximisation, from two of the points. */
function climb(points: readonly Point[], random: Random): Fit {
  const first = (): Gaussian => ({ mean: random.pick(points), sd: [2, 2] });
  let components: readonly [Gaussian, Gaussian] = [first(), first()];
  let logLikelihood = -Infinity;
  for (let i = 0; i < ITERATIONS; i++) {
    // E step: how likely each point is from the first component, both being drawn equally often
    const densities = points.map((point) => components.map((c) => logDensity(point, c)) as [number, number]);
    const shares = densities.map(([a, b]) => 1 / (1 + Math.exp(b - a)));
    const likelihood = densities.reduce((sum, [a, b]) => {
      const top = Math.max(a, b);
      return sum + top + Math.log((Math.exp(a - top) + Math.exp(b - top)) / 2);
    }, 0);
    if (likelihood / points.length - logLikelihood < 1e-10) break;
    logLikelihood = likelihood / points.length;
    components = [
      mostLikely(points, shares),
      mostLikely(
        points,
        shares.map((share) => 1 - share),
      ),
    ];
  }
  return { components, logLikelihood };
}

/** The most likely two components of one class, of several runs. */
export function fitTwoGaussians(points: readonly Point[], random: Random): Fit {
  return Array.from({ length: RESTARTS }, () => climb(points, random)).reduce((a, b) =>
    b.logLikelihood > a.logLikelihood ? b : a,
  );
}

/** θ of the mixture simulator that matches the points of both classes. */
export function matchDistribution(points: readonly LabelledPoint[], random: Random): Theta {
  const theta: Theta = {};
  for (const [label, letter] of ['a', 'b'].entries()) {
    const own = points.filter((point) => point.label === label).map(({ point }) => point);
    fitTwoGaussians(own, random).components.forEach(({ mean, sd }, i) => {
      for (const [axis, name] of (['x', 'y'] as const).entries()) {
        theta[`${letter}${i}.mean.${name}`] = mean[axis]!;
        theta[`${letter}${i}.sd.${name}`] = sd[axis]!;
      }
    });
  }
  return theta;
}
