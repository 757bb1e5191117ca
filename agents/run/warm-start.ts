/** `--warm-start`: a search that starts from trials which exist, of another run or of any client's session. */
import type { Specification } from '../../protocol/messages.ts';
import { actionToTheta, thetaToAction, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { unitRewards, type Agent, type Trial } from '../agent.ts';
import { isTrial, readPast } from './past-evaluations.ts';
import type { LogRecord, PastEvaluation, WarmStart, WarmTrial } from './trial-log.ts';

/** θ that one action gives differs by less than this, whichever version decoded it. */
const ROUNDING = 1e-9;

/**
 * The trials of a file: those of the search, of a run's log; all evaluations, of a history. One that was cancelled says
 * nothing of its θ, and is left out.
 *
 * @throws {Error} naming the file, and the place where its parameters are not those of `spec`; or when no trial has a
 *   reward
 */
export function readWarmStart(file: string, spec: Specification): WarmStart {
  const { evaluations, run } = readPast(file);
  const other = run?.environment.parameters && difference(run.environment.parameters, spec.parameters);
  if (other !== undefined)
    throw new Error(`--warm-start: ${file}: expected the parameters of ${spec.env_id}: ${other}`);
  const ended = evaluations.filter((evaluation) => isTrial(evaluation) && evaluation.outcome !== 'cancelled');
  const trials = ended.map((evaluation, i): WarmTrial => {
    try {
      return { ...evaluation, ...pointOf(evaluation, spec.parameters), key: `warm-start/${i}` };
    } catch (error) {
      const expected = `${file}, ${evaluation.step_id}: expected a trial of the parameters of ${spec.env_id}`;
      throw new Error(`--warm-start: ${expected}: ${(error as Error).message}`, { cause: error });
    }
  });
  if (trials.every(({ reward }) => reward === null)) {
    throw new Error(`--warm-start: ${file}: expected a trial with a reward, got none among ${trials.length} trials`);
  }
  return { type: 'warm-start', file, trials };
}

/** The trials that the log of a stopped run has. */
export function loggedWarmStart(records: readonly LogRecord[]): WarmStart | undefined {
  return records.find((record) => record.type === 'warm-start');
}

/**
 * Tells the trials to an agent that has asked for nothing yet, and says so. The rewards of another specification are
 * scaled from 0 to 1 over its trials, so that those of several can stand beside each other.
 */
export function warmStart(agent: Agent, { file, trials }: WarmStart, spec: Specification): void {
  const own = new Set(ofSameSpec(trials, spec));
  const rewards = trials.map(({ reward, estimate = null }) => reward ?? estimate);
  const told = trials.map(({ action }, i): Trial => ({ action, reward: rewards[i]! }));
  for (const hash of new Set(trials.map(({ repro }) => repro.spec_hash))) {
    const others = trials.flatMap((trial, i) => (trial.repro.spec_hash === hash && !own.has(trial) ? [i] : []));
    const known = others.filter((i) => rewards[i] !== null);
    const scaled = new Map(unitRewards(known.map((i) => rewards[i]!)).map((reward, k) => [known[k]!, reward]));
    for (const i of others) told[i] = { action: trials[i]!.action, reward: scaled.get(i) ?? null, isOther: true };
  }
  agent.warmStart?.(told);
  const failed = trials.filter(({ reward }) => reward === null).length;
  const best = trials.reduce((best, { reward }) => Math.max(best, reward ?? -Infinity), -Infinity);
  const others = trials.length - own.size;
  const sentences = [
    `warm start: ${trials.length} trials of ${file}, best ${best.toFixed(4)}${failed > 0 ? `, ${failed} without a reward` : ''}`,
    ...(agent.warmStart ? [] : ['this agent learns nothing from them; the best of them join its finalists']),
    ...(others > 0
      ? [
          `${others} of them were made under another specification than ${spec.spec_hash}, so their rewards may not compare: ` +
            'they guide the search, and none joins the finalists',
        ]
      : []),
  ];
  console.log(sentences.join('\n  '));
}

/** The trials whose rewards compare with those of the run. */
export function ofSameSpec(trials: readonly WarmTrial[], { spec_hash }: Specification): WarmTrial[] {
  return trials.filter(({ repro }) => repro.spec_hash === spec_hash);
}

/** Where two descriptions of parameters differ in what θ means, in words; undefined where they do not. */
export function difference(given: readonly Parameter[], own: readonly Parameter[]): string | undefined {
  const names = (parameters: readonly Parameter[]) => parameters.map(({ name }) => name).join(', ');
  if (names(given) !== names(own)) return `expected ${names(own)}, got ${names(given)}`;
  const differences = own.flatMap((parameter, i) => {
    const theirs = new Map<string, unknown>(Object.entries(given[i]!));
    const decisive = Object.entries(parameter).filter(([field]) => field !== 'meaning' && field !== 'default');
    return decisive.flatMap(([field, value]) => {
      const [expected, got] = [JSON.stringify(value), JSON.stringify(theirs.get(field))];
      return expected === got ? [] : [`${parameter.name}.${field}: expected ${expected}, got ${got}`];
    });
  });
  return differences[0];
}

/** @throws {Error} with the rule that is broken, when they are not of these parameters */
function pointOf(
  { action = [], theta }: PastEvaluation,
  parameters: readonly Parameter[],
): { action: readonly number[]; theta: Theta } {
  const names = parameters.map(({ name }) => name);
  const missing = names.find((name) => !(name in theta));
  const hasTheta = Object.keys(theta).length > 0;
  if (hasTheta && missing !== undefined)
    throw new Error(`θ: expected ${missing}, got ${Object.keys(theta).join(', ')}`);
  if (action.length === 0) {
    if (!hasTheta)
      throw new Error('expected an action or θ, got neither (the kept logs of a study leave most of them out)');
    return { action: thetaToAction(parameters, theta), theta };
  }
  const decoded = actionToTheta(parameters, action);
  if (!hasTheta) return { action, theta: decoded };
  const unknown = Object.keys(theta).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`θ: expected ${names.join(', ')}, got ${unknown}`);
  const other = names.find((name) => !isClose(decoded[name], theta[name]));
  if (other === undefined) return { action, theta };
  const [expected, got] = [decoded[other], theta[other]].map((value) => JSON.stringify(value));
  throw new Error(`${other}: expected ${expected}, which its action stands for, got ${got}`);
}

function isClose(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => isClose(value, b[i]));
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
}
