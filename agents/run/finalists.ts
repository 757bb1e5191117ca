/** The winner of a search: the best of many noisy rewards is mostly luck, so the best few are evaluated again. */
import { deriveSeed } from '../../protocol/random.ts';
import type { Agent } from '../agent.ts';
import type { RunOptions } from './run-options.ts';
import type { EvaluateTrials, TrialRequest } from './trial.ts';
import type { EvaluationRecord } from './trial-log.ts';

/** What is known of a candidate. */
type Evaluated = Pick<EvaluationRecord, 'action' | 'theta' | 'reward'>;

/**
 * The best few actions of a search, and the action that the agent recommends; each [D]. Of several evaluations of one θ
 * (where parameters are integers, booleans and choices), the luckiest stands for all.
 */
export function finalists(
  trials: readonly Evaluated[],
  agent: Agent,
  { finalists: count }: Pick<RunOptions, 'finalists'>,
): (readonly number[])[] {
  const seen = new Set<string>();
  const isNew = ({ theta }: Evaluated) => seen.size < seen.add(JSON.stringify(theta)).size;
  const ranked = trials
    .filter(({ reward }) => reward !== null)
    .sort((a, b) => b.reward! - a.reward!)
    .filter(isNew)
    .slice(0, count)
    .map(({ action }) => action);
  const own = agent.recommend?.();
  return own ? [...ranked, own] : ranked;
}

/**
 * The finalist with the best mean reward on seeds that the search has not seen. All finalists share the seeds.
 *
 * @throws {Error} with the reason of the first, when no evaluation of a finalist has a reward
 */
export async function bestOf(
  candidates: readonly (readonly number[])[],
  { seed, finalistSeeds, evaluations }: Pick<RunOptions, 'seed' | 'finalistSeeds' | 'evaluations'>,
  evaluate: EvaluateTrials,
): Promise<readonly number[]> {
  console.log(`\nre-evaluating ${candidates.length} candidates on ${finalistSeeds} fresh seeds each`);
  const requests = candidates.flatMap((action, i) =>
    Array.from({ length: finalistSeeds }, (_, j): TrialRequest => ({
      key: `after-${evaluations}/finalist/${i}/${j}`,
      action,
      seed: deriveSeed(seed, 'finalist', j),
    })),
  );
  const records = await evaluate(requests);
  if (records.every(({ reward }) => reward === null)) {
    const { outcome, reason } = records[0]!;
    throw new Error(`finalists: expected a reward for one of them, got none; the first one: ${outcome} (${reason})`);
  }
  const means = candidates.map((_, i) => {
    const rewards = records.slice(i * finalistSeeds, (i + 1) * finalistSeeds).map(({ reward }) => reward ?? -Infinity);
    return rewards.reduce((mean, reward) => mean + reward / finalistSeeds, 0); // the sum of them may not be finite
  });
  return candidates[means.indexOf(Math.max(...means))]!;
}
