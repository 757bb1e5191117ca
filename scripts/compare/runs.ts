/** Reads the logs of agents' runs, and groups the runs that differ in their seed alone. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Reported } from '../../agents/run/report.ts';
import { readTrialLog, type EvaluationRecord, type RunHeader } from '../../agents/run/trial-log.ts';
import { isHidden } from '../../env/streets/hidden-files.ts';
import { searchTrials } from '../reproduce/search-log.ts';

export interface Run {
  readonly path: string;
  readonly header: RunHeader;
  /** The evaluations of its search, in the order in which the agent asked for them. */
  readonly trials: readonly EvaluationRecord[];
  /** The evaluations that it has cost; one that was discarded counts by the share of its training that was done. */
  readonly spent: number;
  /** The start and the learned θ with their scores; undefined if the run has not ended. */
  readonly reported: readonly Reported[] | undefined;
}

/** Runs of one agent with the same options, each with its own seed. */
export interface Group {
  /** The agent, with the options that tell it from other groups of this agent: `cem (population 32)`. */
  readonly name: string;
  readonly runs: readonly Run[];
}

/** Options that do not tell one group from another. */
const OF_THE_RUN = ['seed', 'url', 'env', 'evaluations'];

/** The log files at these paths; of a folder, those that lie in it. @throws {Error} naming the path without a log */
export function logFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.jsonl(\.gz)?$/.test(name) && !isHidden(name));
    if (names.length === 0) throw new Error(`${path}: expected logs of runs (.jsonl) in this folder, found none`);
    return names.sort().map((name) => join(path, name));
  });
}

/** @throws {Error} naming the file that is no log of a search */
function readRun(path: string): Run {
  const { header, records } = readTrialLog(path);
  const trials = searchTrials(records);
  if (trials.length === 0) throw new Error(`${path}: expected the log of a search, got one without its evaluations`);
  const last = records.at(-1)!;
  const reported = last.type === 'summary' ? (last['reported'] as readonly Reported[]) : undefined;
  return { path, header, trials, spent: trials.reduce((sum, { work = 1 }) => sum + work, 0), reported };
}

/**
 * Reads logs, plain or compressed.
 *
 * @param paths of logs, or of folders with logs
 * @returns the groups by name, each with its runs by seed
 * @throws {Error} naming the file that is no log, is of another environment than the others, or repeats a run
 */
export function readGroups(paths: readonly string[]): Group[] {
  const runs = logFiles(paths).map(readRun);
  refuseOthers(runs);
  const byIdentity = new Map<string, Run[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.header.agent, identityOf(run)]);
    byIdentity.set(key, [...(byIdentity.get(key) ?? []), run]);
  }
  const groups = [...byIdentity.values()];
  return groups
    .map((runs): Group => ({ name: nameOf(runs, groups), runs: bySeed(runs) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws {Error} naming two files whose rewards cannot be compared */
function refuseOthers(runs: readonly Run[]): void {
  const [first] = runs;
  const { id, specHash } = first!.header.environment;
  const other = runs.find(({ header }) => header.environment.specHash !== specHash);
  if (!other) return;
  const { id: otherId, specHash: otherHash } = other.header.environment;
  throw new Error(
    `${other.path}: expected a run in ${id} with spec ${specHash} as ${first!.path}, got ${otherId} with ${otherHash}: ` +
      'their rewards cannot be compared',
  );
}

/** What tells a group from another one: the agent's options, and the budget. */
function identityOf({ header, reported, spent }: Run): Record<string, unknown> {
  const options = Object.entries(header.options).filter(([name]) => !OF_THE_RUN.includes(name));
  const known = Object.fromEntries(options.sort(([a], [b]) => (a < b ? -1 : 1)));
  // The budget may have been raised when the run was resumed; a run that has not ended aims at what it was given.
  return { ...known, evaluations: reported ? Math.ceil(spent) : header.options['evaluations'] };
}

/** The agent, and the options that differ between its groups. */
function nameOf(runs: readonly Run[], groups: readonly (readonly Run[])[]): string {
  const { agent } = runs[0]!.header;
  const identities = groups.filter(([run]) => run!.header.agent === agent).map(([run]) => identityOf(run!));
  const own = identityOf(runs[0]!);
  const names = [...new Set(identities.flatMap((identity) => Object.keys(identity)))];
  const told = names.filter((name) => new Set(identities.map((identity) => JSON.stringify(identity[name]))).size > 1);
  const words = told.flatMap((name) => (own[name] === undefined ? [] : [`${name} ${word(own[name])}`]));
  return words.length > 0 ? `${agent} (${words.join(', ')})` : agent;
}

const word = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** @throws {Error} naming two files that are the same run: its interval would be too narrow */
function bySeed(runs: readonly Run[]): Run[] {
  const seeds = new Map<unknown, Run>();
  for (const run of runs) {
    const seed = run.header.options['seed'];
    const known = seeds.get(seed);
    if (known) {
      throw new Error(
        `${run.path}: expected another seed than ${known.path}, got ${String(seed)} and the same options: ` +
          'a repeated run says nothing new',
      );
    }
    seeds.set(seed, run);
  }
  return [...seeds.entries()].sort(([a], [b]) => Number(a) - Number(b)).map(([, run]) => run);
}
