/** Runs of agents as programs of their own: those that have ended are kept, those that were stopped go on. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readTrialLog, type EvaluationRecord, type LogRecord } from '../../agents/run/trial-log.ts';
import type { Reported } from '../../agents/run/report.ts';
import type { EnvOptions, Laboratory } from './experiment.ts';
import { Progress } from './progress.ts';

export interface Search {
  /** The arm that it belongs to, such as `randomSearch`. */
  readonly arm: string;
  /** The agent's file in agents/, such as `random-search`. */
  readonly agent: string;
  readonly seed: number;
  readonly evaluations: number;
  /** The agent's options as its log names them, such as `{ learningRate: 0.03 }`. */
  readonly options: AgentOptions;
  readonly envOptions: EnvOptions;
}

export type AgentOptions = Readonly<Record<string, string | number | boolean>>;

export interface FinishedSearch extends Search {
  /** What it asked for, in its order. */
  readonly trials: readonly EvaluationRecord[];
  /** The agent's state after each iteration. */
  readonly states: readonly Readonly<Record<string, unknown>>[];
  /** How many of its trials the agent had been told when it was in each of these states. */
  readonly told: readonly number[];
  readonly start: Reported;
  readonly learned: Reported;
}

/** Searches under way at once: while one agent thinks, the other's evaluations keep the workers busy. */
const AT_ONCE = 2;

const logOf = (logs: string, { arm, seed }: Search) => join(logs, `${arm}-${seed}.jsonl`);
const flag = (option: string) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
/** All that decides a search, as its log names it. */
const optionsOf = ({ options, seed, envOptions }: Search) => ({ ...options, seed, envOptions });

/**
 * The search as its log tells it, once it has ended; undefined while it has not.
 *
 * @throws {Error} when the log was made with other options
 */
function finished(logs: string, search: Search): FinishedSearch | undefined {
  const path = logOf(logs, search);
  if (!existsSync(path)) return undefined;
  const { header, records } = readTrialLog(path);
  for (const [name, value] of Object.entries(optionsOf(search))) {
    if (header.agent === search.agent && JSON.stringify(header.options[name]) === JSON.stringify(value)) continue;
    const got = `${header.agent} with ${JSON.stringify(header.options[name])}`;
    throw new Error(
      `${path}: expected ${search.agent} with ${name} ${JSON.stringify(value)}, got ${got}; move it away`,
    );
  }
  const reportedTheta = records.some(
    (r) => r.type === 'evaluation' && r.key === `after-${search.evaluations}/learned/0`,
  );
  const summary = records.at(-1);
  if (!reportedTheta || summary?.type !== 'summary') return undefined;
  const reported = summary['reported'] as readonly Reported[];
  const named = (name: string) => reported.find((r) => r.name === name)!;
  const ended = { start: named('start'), learned: named('learned') };
  return { ...search, trials: searchTrials(records), ...iterations(records), ...ended };
}

/** The agent's states, and how many trials of its search it had been told before each: a log is in their order. */
export function iterations(records: readonly LogRecord[]): Pick<FinishedSearch, 'states' | 'told'> {
  const states: FinishedSearch['states'][number][] = [];
  const told: number[] = [];
  let trials = 0;
  for (const record of records) {
    if (record.type === 'evaluation' && isOfSearch(record)) trials++;
    if (record.type !== 'iteration') continue;
    states.push(record.state);
    told.push(trials);
  }
  return { states, told };
}

/** The evaluations of a log's search, without those of finalists and reports. */
export function searchTrials(records: readonly LogRecord[]): EvaluationRecord[] {
  const position = (key: string) => Number(key.slice('search/'.length));
  return records
    .flatMap((r) => (r.type === 'evaluation' && isOfSearch(r) ? [r] : []))
    .sort((a, b) => position(a.key) - position(b.key));
}

const isOfSearch = ({ key }: EvaluationRecord) => key.startsWith('search/');

/** The evaluations of a whole run: the search, its finalists, and the report of start and winner. */
function costOf({ evaluations, options }: Search): number {
  const { finalists = 3, finalistSeeds = 2, reportSeeds = 3 } = options;
  return evaluations + (Number(finalists) + 1) * Number(finalistSeeds) + 2 * Number(reportSeeds);
}

function flagsOf(search: Search, logs: string, url: string): string[] {
  const path = logOf(logs, search);
  if (existsSync(path) && !readFileSync(path, 'utf8').includes('\n')) rmSync(path); // stopped before its first line
  const flags = ['--url', url, '--evaluations', String(search.evaluations)];
  if (existsSync(path)) return [...flags, '--resume', path];
  flags.push('--log', path);
  flags.push('--seed', String(search.seed), '--env-options', JSON.stringify(search.envOptions));
  for (const [name, value] of Object.entries(search.options)) {
    if (value === true) flags.push(flag(name));
    else if (value !== false) flags.push(flag(name), String(value));
  }
  return flags;
}

/** Runs one agent to its end. @param onDone told how many evaluations of the search are done */
async function runAgent(
  { programs, server, logs }: Laboratory,
  search: Search,
  onDone: (evaluations: number) => void,
): Promise<void> {
  const child = programs.start(`agents/${search.agent}.ts`, flagsOf(search, logs, server.url), 'pipe');
  const end = once(child, 'close') as Promise<[number | null]>;
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const done = /^\[ *(\d+)\/\d+\]/.exec(line)?.[1];
    if (done !== undefined) onDone(Number(done));
  });
  const [code] = await end;
  if (code !== 0 && !programs.interrupted) {
    throw new Error(`${search.arm}, seed ${search.seed}: the agent ended with ${code ?? 'a signal'}`);
  }
}

/**
 * Runs every search that has not ended yet.
 *
 * @returns all of them, in the order given
 * @throws {Error} when an agent fails, or Ctrl-C came: then what is done is kept
 */
export async function runSearches(laboratory: Laboratory, searches: readonly Search[]): Promise<FinishedSearch[]> {
  const { logs, programs } = laboratory;
  mkdirSync(logs, { recursive: true });
  const open = searches.filter((search) => !finished(logs, search));
  console.log(`${searches.length} searches, ${searches.length - open.length} of them done before; logs: ${logs}`);
  const progress = new Progress(
    'searches',
    open.reduce((sum, search) => sum + costOf(search), 0),
  );
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < open.length && !programs.interrupted) {
      const search = open[next++]!;
      await runAgent(laboratory, search, (count) => progress.reached(search, count));
      progress.reached(search, costOf(search));
      if (!programs.interrupted) console.log(`${search.arm}, seed ${search.seed}: done`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    progress.stop();
  }
  if (programs.interrupted) throw new Error('interrupted; the same command goes on');
  return searches.map((search) => finished(logs, search)!);
}
