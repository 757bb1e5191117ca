/** An environment as somebody writes it in a project of their own: which mean of draws is that of the hidden ones? */
import {
  defineExperiment,
  defineParameters,
  deriveSeed,
  hiddenTarget,
  InfeasibleError,
  Random,
  z,
  type DataSet,
  type Experiment,
  type Simulator,
  type Task,
} from 'learning-to-simulate/environment';

const simulator: Simulator<number> = {
  name: 'draws',
  version: 1,
  parameters: defineParameters([
    {
      kind: 'continuous',
      name: 'mean',
      meaning: 'Mean of the draws.',
      low: -1,
      high: 1,
      scale: 'linear',
      default: 0,
      unit: '1',
    },
  ]),
  open({ mean }, seed): DataSet<number> {
    if (mean === -1) throw new InfeasibleError('no draws there');
    return { draw: (index) => new Random(deriveSeed(seed, index)).normal(mean as number, 0.1) };
  },
};

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const task: Task<number> = {
  name: 'guess',
  metrics: [{ name: 'negativeError', meaning: 'Minus the distance of the means', low: -2, high: 0 }],
  reward: 'negativeError',
  train: async (samples) => ({
    score: async (set) => ({ negativeError: -Math.abs(average(set) - average(samples)) }),
    dispose() {},
  }),
};

export default defineExperiment({
  id: 'Draws-v0',
  title: 'The mean of some draws',
  options: z.strictObject({ draws: z.int().min(1).default(20) }),
  create({ draws }): Experiment<number> {
    return {
      simulator,
      task,
      target: hiddenTarget(simulator, { mean: 0.5 }, { validation: 50, test: 50 }, 7),
      trainingSamples: draws,
      start: { mean: -0.5 },
    };
  },
});
