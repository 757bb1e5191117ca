/** The search: ask → evaluate, several at once, discarding the weak → tell → …, until the budget is spent. */
import { deriveSeed } from '../../protocol/random.ts';
import type { Agent, Trial } from '../agent.ts';
import type { RunOptions } from './run-options.ts';
import type { EvaluateTrials, TrialRequest } from './trial.ts';
import type { EvaluationRecord } from './trial-log.ts';

/**
 * @param evaluate    evaluates the requests of one iteration
 * @param onIteration called after each whole iteration, numbered from 0, with the agent's state and how many evaluations
 *   it has been told
 * @returns the trials, in the order in which the agent asked for them
 * @throws {Error} when every evaluation of an iteration failed, or none of the search has a reward; with the reason of
 *   the first
 */
export async function search(
  agent: Agent,
  options: Pick<RunOptions, 'evaluations' | 'seed' | 'seeds' | 'discard'>,
  evaluate: EvaluateTrials,
  onIteration: (iteration: number, state: Readonly<Record<string, unknown>>, told: number) => void,
): Promise<EvaluationRecord[]> {
  const trials: EvaluationRecord[] = [];
  let left = options.evaluations;
  for (let iteration = 0; left >= 1; iteration++) {
    const asked = agent.ask();
    if (iteration === 0 && left < asked.length && agent.learns !== false) {
      console.log(
        `--evaluations: ${left} are fewer than the ${asked.length} actions of the agent's first iteration, so it learns nothing ` +
          'from them; give it more, or smaller iterations',
      );
    }
    const past = options.discard === 'median' ? [...trials] : undefined;
    const first = trials.length;
    const requests = asked.slice(0, Math.floor(left)).map((action, i): TrialRequest => {
      const key = `search/${first + i}`;
      return { key, action, past, ...seedsOf(options, iteration, first + i) };
    });
    const records = await evaluate(requests);
    if (records.every(({ outcome }) => outcome === 'failed')) {
      throw new Error(`all ${records.length} evaluations of iteration ${iteration} failed: ${records[0]?.reason}`);
    }
    if (past && iteration === 0 && records.every(({ early = [] }) => early.length === 0)) {
      console.log('--discard: nothing will be, as this environment tells no scores before the end of a training');
    }
    trials.push(...records);
    for (const { work = 1 } of records) left -= work;
    if (records.length < asked.length) break; // the budget ended within the iteration: agents learn only from whole ones
    agent.tell(records.map(({ action, reward, estimate = null }): Trial => ({ action, reward: reward ?? estimate })));
    onIteration(iteration, agent.state?.() ?? {}, trials.length);
  }
  if (trials.every(({ reward }) => reward === null)) {
    const { outcome, reason } = trials[0]!;
    throw new Error(`none of the ${trials.length} evaluations has a reward; the first one: ${outcome} (${reason})`);
  }
  return trials;
}

/** The seeds of a trial, according to `--seeds`. */
function seedsOf(
  { seed, seeds }: Pick<RunOptions, 'seed' | 'seeds'>,
  iteration: number,
  trial: number,
): Pick<TrialRequest, 'seed' | 'initialisation'> {
  switch (seeds) {
    case 'common':
      return { seed: deriveSeed(seed, 'iteration', iteration) };
    case 'fresh':
      return { seed: deriveSeed(seed, 'evaluation', trial) };
    case 'fixed-initialisation':
      return { seed: deriveSeed(seed, 'evaluation', trial), initialisation: deriveSeed(seed, 'initialisation') };
  }
}
