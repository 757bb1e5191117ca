/** The winner of a search: the best of many noisy rewards is mostly luck, so the best few are evaluated again. */
import { isDeepStrictEqual } from 'node:util';
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
  return own && !ranked.some((action) => isDeepStrictEqual(action, own)) ? [...ranked, own] : ranked;
}

/**
 * The finalist with the best mean reward on seeds that the search has not seen, of those with the fewest failed
 * evaluations. All finalists share the seeds.
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
  const judged = candidates.map((action, i) => {
    const rewards = records
      .slice(i * finalistSeeds, (i + 1) * finalistSeeds)
      .flatMap(({ reward }) => (reward === null ? [] : [reward]));
    const mean = rewards.reduce((sum, reward) => sum + reward / rewards.length, 0); // a sum may not be finite
    return { action, known: rewards.length, mean };
  });
  return judged.reduce((a, b) => (b.known > a.known || (b.known === a.known && b.mean > a.mean) ? b : a)).action;
}
