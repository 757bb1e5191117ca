/** An environment whose score is a number in a file of its data folder, times one of its weights folder, for tests. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { defineExperiment } from '../../env/experiments/experiment.ts';
import { defineParameters } from '../../protocol/parameters.ts';

const parameters = defineParameters([
  { kind: 'continuous', name: 'x', meaning: 'nothing', low: 0, high: 1, scale: 'linear', default: 0.5, unit: '1' },
]);

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

export default defineExperiment({
  id: 'DataReader-v0',
  title: 'A number in a file',
  options: z.strictObject({
    /** The name of a file of the weights folder; none where it is empty. */
    weights: z.string().default(''),
    /** In milliseconds. */
    delayMs: z.number().default(0),
  }),
  create({ weights, delayMs }, { data, weights: folder }) {
    const text = readFileSync(join(data!, 'number.txt'), 'utf8');
    const factor = weights === '' ? '1' : readFileSync(join(folder, weights), 'utf8');
    return {
      simulator: { name: 'nothing', version: 1, parameters, open: () => ({ draw: () => 0 }) },
      task: {
        name: 'reading',
        metrics: [{ name: 'number', meaning: 'what the file says', low: -Infinity, high: Infinity }],
        reward: 'number',
        ...(weights !== '' && { weights: hashOf(factor) }),
        async train() {
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          return { score: async () => ({ number: Number(text) * Number(factor) }), dispose() {} };
        },
      },
      target: { name: 'a file', validation: async () => [], test: async () => [], content: () => hashOf(text) },
      trainingSamples: 1,
      start: { x: 0.5 },
      prepare: async () => 'arithmetic',
    };
  },
});
