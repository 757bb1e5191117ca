/** An environment whose texts would be HTML, if a page took them for it. */
import { z } from 'zod';
import { defineExperiment } from '../../env/experiments/experiment.ts';
import { InfeasibleError } from '../../env/simulators/simulator.ts';
import { defineParameters, type Theta } from '../../protocol/parameters.ts';

const HTML = '<script>window.wasRead=1</script><img src=x onerror="window.wasRead=1">';

export default defineExperiment({
  id: `Hostile-v0 ${HTML}`.slice(0, 120),
  title: `Title ${HTML}`,
  options: z.strictObject({}),
  create: () => ({
    simulator: {
      name: 'hostile',
      version: 1,
      parameters: defineParameters([
        {
          ...{ kind: 'continuous', name: `p${HTML}`, meaning: `Meaning ${HTML}`, low: 0, high: 1, scale: 'linear' },
          ...{ default: 0.5, unit: HTML },
        },
      ]),
      open(theta: Theta) {
        const value = Object.values(theta)[0] as number;
        if (value > 0.9) throw new InfeasibleError(`Reason ${HTML}`);
        return { draw: () => value };
      },
    },
    task: {
      name: 'hostile',
      metrics: [{ name: `m${HTML}`, meaning: HTML, low: -Infinity, high: Infinity }],
      reward: `m${HTML}`,
      train: async (samples: readonly unknown[]) => ({
        score: async () => ({ [`m${HTML}`]: samples[0] as number }),
        dispose() {},
      }),
    },
    target: { name: 'nothing', validation: async () => [], test: async () => [] },
    pictures: {
      samples: 1,
      draw: () => [
        {
          ...{ name: `strip${HTML}`, meaning: HTML },
          pictures: [{ width: 1, height: 1, rgb: Uint8Array.of(1, 2, 3), caption: HTML }],
          key: [{ name: HTML, colour: [1, 2, 3] }],
        },
      ],
    },
    trainingSamples: 1,
    start: { [`p${HTML}`]: 0.5 },
  }),
});
