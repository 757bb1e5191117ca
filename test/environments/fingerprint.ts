/**
 * The traffic simulator with a task that trains nothing: the reward is a number made of every byte of the data set, so
 * that equal rewards mean equal data sets.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineExperiment, type Experiment } from '../../env/experiments/experiment.ts';
import { SoftwareRenderer } from '../../env/render/software/software-renderer.ts';
import { trafficSimulator, type TrafficImage } from '../../env/simulators/traffic/traffic.ts';
import type { Task } from '../../env/tasks/task.ts';
import { defaultTheta } from '../../protocol/parameters.ts';

/** The first 32 bits of the SHA-256 of all images, labels, instances and depths. */
export function fingerprint(samples: readonly TrafficImage[]): number {
  const hash = createHash('sha256');
  for (const { rgb, classes, instances, depth } of samples) {
    for (const { buffer, byteOffset, byteLength } of [rgb, classes, instances, depth]) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest().readUInt32BE();
}

const task: Task<TrafficImage> = {
  name: 'fingerprint',
  metrics: [{ name: 'fingerprint', meaning: 'a hash of the data set', low: 0, high: 0xffffffff }],
  reward: 'fingerprint',
  async train(samples) {
    const value = fingerprint(samples);
    return { score: async () => ({ fingerprint: value }), dispose() {} };
  },
};

export default defineExperiment({
  id: 'Fingerprint-v0',
  title: 'A hash of the data set',
  options: z.strictObject({}),
  create(): Experiment<TrafficImage> {
    const simulator = trafficSimulator({ width: 64, height: 48, renderer: new SoftwareRenderer() });
    return {
      simulator,
      task,
      target: { name: 'nothing', validation: async () => [], test: async () => [] },
      trainingSamples: 4,
      start: defaultTheta(simulator.parameters),
    };
  },
});
