/**
 * An environment without images or training, for tests: the reward is a smooth function of θ with a known optimum.
 *
 *     reward = 1 − |x − .7|² / 2 − Σ (p − p*)² + noise · N(0, 1)
 *
 * Its switches (options) make an evaluation slow, hang, crash, diverge or infeasible.
 */
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { defineExperiment } from '../../env/experiments/experiment.ts';
import { InfeasibleError, type Simulator } from '../../env/simulators/simulator.ts';
import type { Task, TrainedModel } from '../../env/tasks/task.ts';
import type { Target } from '../../env/targets/target.ts';
import { defineParameters, type Theta } from '../../protocol/parameters.ts';
import { Random } from '../../protocol/random.ts';

/** θ of the highest reward, 1. */
export const OPTIMUM = { x: 0.7, y: 0.01, weather: [0.6, 0.2, 0.1, 0.1] } as const;

const options = z.object({
  /** Standard deviation of the noise in the reward. */
  noise: z.number().min(0).default(0),
  /** How long the training takes, in at least four steps; the event loop is free meanwhile. */
  delayMs: z.number().min(0).default(0),
  /** What goes wrong in the training. */
  fault: z
    .enum(['none', 'throw', 'exit', 'abort', 'memory', 'hang', 'block', 'stop', 'program', 'diverge', 'infeasible'])
    .default('none'),
  /** How long the program of the fault `program` takes; no other has this number. */
  programSeconds: z.number().default(1e6),
  /** Where it goes wrong, or without a fault takes its time: only for x above this. */
  faultAbove: z.number().default(-1),
});
type Options = z.infer<typeof options>;

const parameters = defineParameters([
  { kind: 'continuous', name: 'x', meaning: 'a length', low: 0, high: 1, scale: 'linear', default: 0.5, unit: 'm' },
  { kind: 'continuous', name: 'y', meaning: 'a rate', low: 0.001, high: 1, scale: 'log', default: 0.1, unit: '1/s' },
  {
    kind: 'simplex',
    name: 'weather',
    meaning: 'which weather',
    labels: ['clear', 'overcast', 'low sun', 'rain'],
    default: [0.25, 0.25, 0.25, 0.25],
  },
]);

/** A "sample" is the θ that it was drawn from, and a random number. */
interface Draw {
  readonly theta: Theta;
  readonly number: number;
}

function simulator({ fault, faultAbove }: Options): Simulator<Draw> {
  return {
    name: 'bandit',
    version: 1,
    parameters,
    open(theta, seed) {
      if (fault === 'infeasible' && (theta['x'] as number) > faultAbove) throw new InfeasibleError('no such bandit');
      return { draw: (index) => ({ theta, number: new Random(seed + index).normal() }) };
    },
  };
}

/** Squared distance of each part of θ from the optimum, y on its log scale. */
function distance(theta: Theta): number {
  const x = (theta['x'] as number) - OPTIMUM.x;
  const y = Math.log10(theta['y'] as number) - Math.log10(OPTIMUM.y);
  const weather = theta['weather'] as number[];
  return x ** 2 / 2 + y ** 2 / 18 + weather.reduce((sum, p, i) => sum + (p - OPTIMUM.weather[i]!) ** 2, 0);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function goWrong({ fault, programSeconds }: Options): Promise<void> {
  switch (fault) {
    case 'throw':
      throw new Error('this bandit throws');
    case 'exit':
      console.error('Error: this bandit leaves');
      return process.exit(3);
    case 'abort':
      return process.abort();
    case 'memory': {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(1e6).fill(hoard.length));
    }
    case 'stop':
      process.kill(process.pid, 'SIGSTOP');
      await pause(100);
      return;
    case 'hang':
      // No timer: where the bandit runs in the process of the tests, one would keep that process for ever.
      return new Promise(() => {});
    case 'block':
      for (;;) Math.sqrt(2);
    case 'program': // a shell, and what it has started, which has our stdout
      spawn('sh', ['-c', `sleep ${programSeconds}; true`], { stdio: ['ignore', 'inherit', 'inherit'] });
      return new Promise(() => {});
    case 'none':
    case 'diverge':
    case 'infeasible':
  }
}

function task(options: Options): Task<Draw> {
  const { noise, fault, faultAbove } = options;
  return {
    name: 'pull',
    metrics: [
      { name: 'gain', meaning: 'what the bandit pays', low: -Infinity, high: Infinity },
      { name: 'distance', meaning: 'squared distance from the optimum', low: 0, high: Infinity },
    ],
    reward: 'gain',
    async train(samples, { order }, report) {
      const { theta, number } = samples[0]!;
      const faulty = (theta['x'] as number) > faultAbove;
      const luck = noise * (number + new Random(order).normal()) * Math.SQRT1_2;
      const gain = faulty && fault === 'diverge' ? NaN : 1 - distance(theta) + luck;
      /** @param missing what it would still gain */
      const model = (missing: number): TrainedModel<Draw> => ({
        score: async (set) => ({ gain: gain - missing + set.length * 1e-9, distance: distance(theta) }),
        dispose() {},
      });
      const delayMs = fault === 'none' && !faulty ? 0 : options.delayMs;
      const steps = delayMs > 0 ? Math.max(4, Math.ceil(delayMs / 100)) : 0;
      for (let step = 1; step <= steps; step++) {
        await pause(delayMs / steps);
        const fraction = step / steps;
        await report({ fraction, loss: 1 / step, model: () => model(1 - fraction) });
      }
      if (faulty) await goWrong(options);
      return model(0);
    },
  };
}

/** Validation has no sample and test has one, so that a test can tell their scores apart. */
const target: Target<Draw> = {
  name: 'nothing',
  validation: async () => [],
  test: async () => [{ theta: {}, number: 0 }],
};

export default defineExperiment({
  id: 'Bandit-v0',
  title: 'A bandit with a known optimum',
  options,
  create: (given) => ({
    simulator: simulator(given),
    task: task(given),
    target,
    trainingSamples: 1,
    start: { x: 0.1, y: 0.5, weather: [0.1, 0.1, 0.4, 0.4] },
    prepare: async () => 'arithmetic',
  }),
});
