/** What the arms of every experiment are made of: searches, and θ that are scored as they are. */
import { join } from 'node:path';
import { actionSize, actionToTheta, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import type { Arm, EnvOptions, Laboratory, Scores } from './experiment.ts';
import { scoreThetas } from './fixed-thetas.ts';
import { runSearches, type AgentOptions, type FinishedSearch } from './searches.ts';

export interface SearchArm {
  readonly title: string;
  /** The agent's file in agents/, such as `random-search`. */
  readonly agent: string;
  readonly options: AgentOptions;
  /** What differs from the experiment's options. */
  readonly envOptions?: EnvOptions;
  /** Runs at most, where the preset asks for more. */
  readonly mostSeeds?: number;
  /** θ where the search of a seed starts, where it is not the environment's start. */
  readonly start?: (seed: number) => Theta;
}

export const seedsOf = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
export const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of each score. @throws {RangeError} when there is none: every evaluation failed */
function meanScores(all: readonly Scores[]): Scores {
  if (all.length === 0) throw new RangeError('scores: expected at least one evaluation that succeeds, got none');
  return Object.fromEntries(Object.keys(all[0]!).map((name) => [name, meanOf(all.map((scores) => scores[name]!))]));
}

/** θ drawn as random search draws them: actions uniform over the box. */
export function randomThetas(parameters: readonly Parameter[], count: number): Theta[] {
  const random = new Random(deriveSeed(1, 'random thetas'));
  const action = () => Array.from({ length: actionSize(parameters) }, () => random.uniform(-1, 1));
  return Array.from({ length: count }, () => actionToTheta(parameters, action()));
}

/** Runs every search of every arm, each arm with the same seeds. @returns them by arm */
export async function runSearchArms(
  laboratory: Laboratory,
  arms: Readonly<Record<string, SearchArm>>,
): Promise<Record<string, FinishedSearch[]>> {
  const { preset } = laboratory;
  const searches = seedsOf(preset.searchSeeds).flatMap((seed) =>
    Object.entries(arms)
      .filter(([, { mostSeeds = Infinity }]) => seed <= mostSeeds)
      .map(([arm, { agent, options, envOptions, start }]) => ({
        arm,
        agent,
        seed,
        evaluations: preset.evaluations[arm]!,
        options: { ...options, ...(start && { start: JSON.stringify(start(seed)) }) },
        envOptions: { ...preset.envOptions, ...envOptions },
      })),
  );
  const ended = await runSearches(laboratory, searches);
  return Object.fromEntries(Object.keys(arms).map((arm) => [arm, ended.filter((search) => search.arm === arm)]));
}

/** The arms' titles, by name. */
export function titlesOf(arms: Readonly<Record<string, SearchArm>>): Record<string, string> {
  return Object.fromEntries(Object.entries(arms).map(([arm, { title }]) => [arm, title]));
}

/** What the searches of an arm found: the scores of their final reports. */
export function reportedArm(title: string, searches: readonly FinishedSearch[]): Arm {
  const reported = searches.map(({ learned }) => learned);
  return {
    title,
    evaluations: searches[0]!.evaluations,
    validation: reported.map(({ validation }) => meanScores(validation)),
    test: reported.map(({ test }) => meanScores(test)),
  };
}

/**
 * What the searches of each arm found, scored as every other θ is: on fresh seeds, with every parameter free, whatever
 * the search was rewarded with.
 *
 * @param seeds on how many seeds each θ
 */
export async function learnedArms(
  laboratory: Laboratory,
  environment: string,
  arms: Readonly<Record<string, SearchArm>>,
  byArm: Readonly<Record<string, readonly FinishedSearch[]>>,
  seeds: number,
): Promise<Record<string, Arm>> {
  const scored: Record<string, Arm> = {};
  for (const [arm, { title }] of Object.entries(arms)) {
    const thetas = byArm[arm]!.map(({ learned }) => learned.theta);
    const found = await fixedArm(laboratory, environment, { name: `learned-${arm}`, title, thetas, seeds }, ALL_FREE);
    scored[arm] = { ...found, evaluations: laboratory.preset.evaluations[arm]! };
  }
  return scored;
}

/** A θ of any search has a meaning where every parameter is free. */
export const ALL_FREE: EnvOptions = { free: [] };

/** θ that nobody searches, each scored on `seeds` seeds. */
export async function fixedArm(
  { server, logs, preset }: Laboratory,
  environment: string,
  arm: { readonly name: string; readonly title: string; readonly thetas: readonly Theta[]; readonly seeds: number },
  envOptions: EnvOptions = {},
): Promise<Arm> {
  const { name, title, thetas, seeds } = arm;
  const requests = thetas.flatMap((theta, i) =>
    seedsOf(seeds).map((j) => ({ key: `${name}/${i}/${j}`, theta, seed: deriveSeed(i + 1, 'report', j) })),
  );
  console.log(`${title}: ${requests.length} evaluations`);
  const scored = await scoreThetas(
    {
      url: server.url,
      environment,
      envOptions: { ...preset.envOptions, ...envOptions },
      log: join(logs, `${name}.jsonl`),
    },
    requests,
  );
  const failed = scored.findIndex(({ outcome }) => outcome !== 'ok');
  if (failed >= 0) {
    const { outcome, reason } = scored[failed]!;
    throw new Error(`${requests[failed]!.key}: expected an evaluation that succeeds, got ${outcome} (${reason})`);
  }
  const means = (set: 'validation' | 'test') =>
    thetas.map((_, i) => meanScores(scored.slice(i * seeds, (i + 1) * seeds).map((scores) => scores[set])));
  return { title, evaluations: 0, validation: means('validation'), test: means('test') };
}

const REPETITIONS = 5;

/** One θ that nobody searches, on several seeds; each counts as a θ, so that the interval is that of the noise. */
export function repeatedArm(
  laboratory: Laboratory,
  environment: string,
  { name, title, theta }: { readonly name: string; readonly title: string; readonly theta: Theta },
  envOptions?: EnvOptions,
): Promise<Arm> {
  const thetas = Array<Theta>(REPETITIONS).fill(theta);
  return fixedArm(laboratory, environment, { name, title, thetas, seeds: 1 }, envOptions);
}

/** Of an arm's θ the one that is best on validation: the pick of somebody who tried them all. */
export function bestOf(title: string, { validation, test }: Arm, metric: string): Arm {
  const values = validation.map((scores) => scores[metric]!);
  const best = values.indexOf(Math.max(...values));
  return { title, evaluations: values.length, validation: [validation[best]!], test: [test[best]!] };
}
