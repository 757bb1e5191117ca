/** An environment whose evaluations have no score, and the runtime that it was given, as JSON, for a reason. */
import { z } from 'zod';
import { defineExperiment } from '../../env/experiments/experiment.ts';
import { InfeasibleError } from '../../env/simulators/simulator.ts';
import { defineParameters } from '../../protocol/parameters.ts';

const parameters = defineParameters([
  { kind: 'continuous', name: 'x', meaning: 'nothing', low: 0, high: 1, scale: 'linear', default: 0.5, unit: '1' },
]);

export default defineExperiment({
  id: 'RuntimeEcho-v0',
  title: 'The runtime, given back',
  options: z.strictObject({}),
  create: (_, runtime) => ({
    simulator: {
      name: 'echo',
      version: 1,
      parameters,
      open() {
        throw new InfeasibleError(JSON.stringify(runtime));
      },
    },
    task: {
      name: 'nothing',
      metrics: [{ name: 'score', meaning: 'nothing', low: 0, high: 1 }],
      reward: 'score',
      train: async () => ({ score: async () => ({ score: 0 }), dispose() {} }),
    },
    target: { name: 'nothing', validation: async () => [], test: async () => [] },
    trainingSamples: 1,
    start: { x: 0.5 },
    prepare: async () => JSON.stringify(runtime),
  }),
});
