/** What the arms of every study are made of. */
import { actionSize, actionToTheta, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import type { Scores } from '../../env/tasks/task.ts';
import type { Arm, EnvOptions, Evidence, FixedThetas, Preset, ThetasArm, TrainedArm, Study } from './study.ts';

export const seedsOf = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
export const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of each score. @throws {RangeError} when there is none: every evaluation failed */
export function meanScores(all: readonly Scores[]): Scores {
  if (all.length === 0) throw new RangeError('scores: expected at least one evaluation that succeeds, got none');
  return Object.fromEntries(Object.keys(all[0]!).map((name) => [name, meanOf(all.map((scores) => scores[name]!))]));
}

/** θ drawn as random search draws them: actions uniform over the box. */
export function randomThetas(parameters: readonly Parameter[], count: number): Theta[] {
  const random = new Random(deriveSeed(1, 'random thetas'));
  const action = () => Array.from({ length: actionSize(parameters) }, () => random.uniform(-1, 1));
  return Array.from({ length: count }, () => actionToTheta(parameters, action()));
}

/** As many random θ as the preset says, each on one seed; one that fails is left out. */
export function randomArm(title: string, parameters: readonly Parameter[], envOptions: EnvOptions = {}): ThetasArm {
  const thetas: ThetasArm['thetas'] = ({ randomThetas: n }) => randomThetas(parameters, n);
  return { kind: 'thetas', title, thetas, seeds: 1, mayFail: true, envOptions };
}

/** One θ for trained models (`drawn`), once for each search seed. */
export const onEachSeed =
  (theta: Theta) =>
  ({ preset }: Evidence) =>
    Array<Theta>(preset.searchSeeds).fill(theta);

const REPETITIONS = 5;

/** One θ that nobody searches, on several seeds; each counts as a θ, so that the interval is that of the noise. */
export function repeatedArm(title: string, theta: Theta, envOptions: EnvOptions = {}): ThetasArm {
  return { kind: 'thetas', title, thetas: () => Array<Theta>(REPETITIONS).fill(theta), seeds: 1, envOptions };
}

/** A θ of any search has a meaning where every parameter is free. */
export const ALL_FREE: EnvOptions = { free: [] };

/** The same evaluations for every search, ours and those of Python, but for those that have a number, or a limit, of their own. */
export function everySearch(arms: Readonly<Record<string, Arm>>, evaluations: number): Preset['evaluations'] {
  const searches = Object.entries(arms).flatMap(([name, arm]) => {
    if (arm.kind === 'search') return [[name, arm.evaluations ?? evaluations] as const];
    return arm.kind === 'example' ? [[name, Math.min(evaluations, arm.mostEvaluations ?? evaluations)] as const] : [];
  });
  return Object.fromEntries(searches);
}

/** The environment's options while a search goes on. */
export const searchOptionsOf = ({ envOptions, searchOptions }: Preset): EnvOptions => ({
  ...envOptions,
  ...searchOptions,
});

/** The arms of a study that a preset measures, in the order of the study. */
export function armsOf({ arms }: Pick<Study, 'arms'>, { arms: names }: Pick<Preset, 'arms'>): Study['arms'] {
  return Object.fromEntries(Object.entries(arms).filter(([name]) => names?.includes(name) ?? true));
}

/** The names of the arms that are not among others, for a preset that leaves these out. */
export function armsWithout(arms: Study['arms'], others: Study['arms']): string[] {
  return Object.keys(arms).filter((name) => !(name in others));
}

/** The evaluations of θ that nobody searches: each on the same number of seeds. */
export function thetasOf(
  log: string,
  thetas: readonly Theta[],
  { seeds, envOptions = {}, mayFail }: Pick<ThetasArm, 'seeds' | 'envOptions' | 'mayFail'>,
): FixedThetas {
  const requests = thetas.flatMap((theta, i) =>
    seedsOf(seeds).map((j) => ({ key: `${log}/${i}/${j}`, theta, seed: deriveSeed(i + 1, 'report', j) })),
  );
  return { log, envOptions, test: true, ...(mayFail && { mayFail }), requests };
}

/**
 * The evaluations of what the searches of an arm found, scored as every other θ is: on fresh seeds, whatever the search
 * was rewarded with.
 */
export function learnedThetas(
  arm: string,
  thetas: readonly Theta[],
  learned: NonNullable<Study['learned']>,
): FixedThetas {
  return thetasOf(`learned-${arm}`, thetas, learned);
}

/** One model of an arm of trained models. */
export interface TrainingRequest {
  readonly key: string;
  /** From 1. */
  readonly number: number;
  /** Of the drawn samples. */
  readonly theta?: Theta;
}

/** Every training of an arm. */
export function trainingsOf(name: string, { drawn }: TrainedArm, evidence: Evidence): TrainingRequest[] {
  const thetas = drawn?.(evidence) ?? Array<undefined>(evidence.preset.searchSeeds).fill(undefined);
  return thetas.map((theta, i) => ({ key: `${name}/${i + 1}`, number: i + 1, ...(theta && { theta }) }));
}
