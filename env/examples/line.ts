/**
 * A complete environment of your own: which slope makes points that teach the line behind hidden points?
 *
 *     npm run serve -- --env ./env/examples/line.ts --port 7077
 *     node --import tsx agents/gaussian-process.ts --url ws://127.0.0.1:7077 --evaluations 32
 *
 * Give a copy its own `id` and its own names of simulator and task: logs and the history tell environments apart by
 * them. `options` below declares the options of the environment.
 */
import { z } from 'zod';
import { completeTheta, defineParameters } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import { defineExperiment, type Experiment } from '../experiments/experiment.ts';
import type { SamplePictures } from '../pictures.ts';
import type { Simulator } from '../simulators/simulator.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import type { Task } from '../tasks/task.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

const parameters = defineParameters([
  {
    kind: 'continuous',
    name: 'slope',
    low: -2,
    high: 2,
    default: 0,
    unit: '1',
    scale: 'linear',
    meaning: 'Slope of the line.',
  },
]);

/** θ → samples: points about a line through the origin. All randomness comes from the seed and the index. */
const simulator: Simulator<Point> = {
  name: 'line',
  version: 1,
  parameters,
  open(theta, seed) {
    const slope = completeTheta(parameters, theta)['slope'] as number;
    return {
      draw(index) {
        const random = new Random(deriveSeed(seed, index));
        const x = random.uniform(-1, 1);
        return { x, y: slope * x + random.normal(0, 0.1) };
      },
    };
  },
};

const sum = (points: readonly Point[], of: (point: Point) => number) =>
  points.reduce((total, point) => total + of(point), 0);

/** Samples → trained model → scores: least squares, and minus the mean squared error as the reward. */
const task: Task<Point> = {
  name: 'least squares',
  metrics: [{ name: 'negativeError', meaning: 'Minus the mean squared error', low: -10, high: 0 }],
  reward: 'negativeError',
  train: async (points) => {
    const slope = sum(points, ({ x, y }) => x * y) / sum(points, ({ x }) => x * x);
    return {
      score: async (set) => ({ negativeError: -sum(set, ({ x, y }) => (y - slope * x) ** 2) / set.length }),
      dispose() {},
    };
  },
};

const SIDE = 160;
const REACH = 2.5;

/** Samples for people, optional: the page of the server shows them. Points are blue squares, both axes −2.5 to 2.5. */
const pictures: SamplePictures<Point> = {
  samples: 50,
  draw(points) {
    const rgb = new Uint8Array(SIDE * SIDE * 3).fill(255);
    const pixel = (place: number) => Math.round(((place + REACH) / (2 * REACH)) * (SIDE - 3));
    for (const { x, y } of points) {
      for (let i = 0; i < 9; i++) {
        rgb.set([0, 90, 180], ((pixel(-y) + Math.floor(i / 3)) * SIDE + pixel(x) + (i % 3)) * 3);
      }
    }
    return [{ name: 'points', meaning: 'x to the right, y upwards', pictures: [{ width: SIDE, height: SIDE, rgb }] }];
  },
};

export default defineExperiment({
  id: 'Line-v0',
  title: 'Points about a line, least squares',
  options: z.strictObject({ points: z.int().min(2).max(10_000).default(50) }),
  create({ points }): Experiment<Point> {
    return {
      simulator,
      task,
      // Validation and test are drawn from this θ; no agent sees it. A target can read files instead.
      target: hiddenTarget(simulator, { slope: 1.3 }, { validation: 100, test: 200 }, 7),
      pictures,
      trainingSamples: points,
      start: { slope: -1 },
    };
  },
});
