/** What makes two environments the same: equal identities, θ and seeds give equal rewards. */
import { createHash } from 'node:crypto';
import type { Experiment, ExperimentDefinition } from './experiment.ts';

/** A short hash of a value's content; the order of keys makes no difference. */
export function contentHash(value: unknown): string {
  const ordered = JSON.stringify(value, (_key, node: unknown) =>
    typeof node === 'object' && node !== null && !Array.isArray(node)
      ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)))
      : node,
  );
  return createHash('sha256').update(ordered).digest('hex').slice(0, 16);
}

/**
 * The `spec_hash` of an experiment.
 *
 * @param options all of them, with their values
 */
export function specHashOf(
  { id }: ExperimentDefinition,
  { simulator, task, target, trainingSamples }: Experiment,
  options: Readonly<Record<string, unknown>>,
): string {
  const { renderer } = simulator;
  return contentHash({
    id,
    simulator: [simulator.name, simulator.version],
    ...(renderer && { renderer: [renderer.name, renderer.version, ...(renderer.driver ? [renderer.driver] : [])] }),
    task: [task.name, task.reward, ...(task.version === undefined ? [] : [task.version])],
    target: target.name,
    ...(target.content && { content: target.content() }),
    training_samples: trainingSamples,
    options,
    parameters: [...simulator.parameters],
    metrics: task.metrics,
  });
}
