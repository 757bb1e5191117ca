/** An environment that does nothing but wait, if it is told to: only protocol, server and queue take time. */
import { z } from 'zod';
import { defineParameters } from '../../protocol/parameters.ts';
import { defineExperiment } from '../../env/experiments/experiment.ts';

const parameters = defineParameters([
  { kind: 'continuous', name: 'x', meaning: 'nothing', low: 0, high: 1, scale: 'linear', default: 0.5, unit: '1' },
]);

export default defineExperiment({
  id: 'Noop-v0',
  title: 'Nothing',
  options: z.object({ delayMs: z.number().default(0) }),
  create: ({ delayMs }) => ({
    simulator: { name: 'noop', version: 1, parameters, open: (theta) => ({ draw: () => theta['x'] }) },
    task: {
      name: 'noop',
      metrics: [{ name: 'score', meaning: 'half', low: 0, high: 1 }],
      reward: 'score',
      async train() {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        return { score: async () => ({ score: 0.5 }), dispose() {} };
      },
    },
    target: { name: 'nothing', validation: async () => [], test: async () => [] },
    trainingSamples: 1,
    start: { x: 0.5 },
  }),
});
