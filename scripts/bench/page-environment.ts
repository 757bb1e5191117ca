/** An environment for `bench -- page`: as many parameters as a search of streets has, and nothing that takes time. */
import { z } from 'zod';
import { defineExperiment } from '../../env/experiments/experiment.ts';
import { defineParameters, type Theta } from '../../protocol/parameters.ts';
import { Random } from '../../protocol/random.ts';

/** Numbers beside the simplex. */
export const NUMBERS = 12;
const BEST = 0.7;
const NOISE = 0.03;

const parameters = defineParameters([
  ...Array.from({ length: NUMBERS }, (_, i) => ({
    ...({ kind: 'continuous', scale: 'linear', low: 0, high: 1, default: 0.5, unit: 'm' } as const),
    ...{ name: `length${i}`, meaning: `the length of part ${i}` },
  })),
  {
    ...{ kind: 'simplex', name: 'weather', meaning: 'which weather', labels: ['clear', 'overcast', 'low sun', 'rain'] },
    default: [0.25, 0.25, 0.25, 0.25],
  },
]);

/** Highest where all lengths are the best; the first of them matter most. */
function rewardOf(theta: Theta, random: Random): number {
  const miss = Array.from({ length: NUMBERS }, (_, i) => ((theta[`length${i}`] as number) - BEST) ** 2 / (i + 1));
  return 1 - miss.reduce((sum, each) => sum + each, 0) + random.normal(0, NOISE);
}

export default defineExperiment({
  id: 'Lengths-v0',
  title: 'Lengths of twelve parts, and the weather',
  options: z.strictObject({}),
  create: () => ({
    simulator: {
      ...{ name: 'lengths', version: 1, parameters },
      open: (theta: Theta, seed: number) => ({ draw: () => rewardOf(theta, new Random(seed)) }),
    },
    task: {
      name: 'lengths',
      metrics: [{ name: 'fit', meaning: 'how well the parts fit', low: -Infinity, high: Infinity }],
      reward: 'fit',
      train: async ([reward]: readonly number[]) => ({ score: async () => ({ fit: reward! }), dispose() {} }),
    },
    target: { name: 'nothing', validation: async () => [], test: async () => [] },
    trainingSamples: 1,
    start: {},
  }),
});
