/** Runs of agents as programs of their own: those that have ended are kept, those that were stopped go on. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readTrialLog, type LogRecord } from '../../agents/trial-log.ts';
import type { Reported } from '../../agents/report.ts';
import type { Laboratory } from './experiment.ts';

export interface Search {
  /** The arm that it belongs to, such as `randomSearch`. */
  readonly arm: string;
  /** The agent's file in agents/, such as `random-search`. */
  readonly agent: string;
  readonly seed: number;
  readonly evaluations: number;
  /** The agent's options as its log names them, such as `{ learningRate: 0.03 }`. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

export interface FinishedSearch extends Search {
  /** The rewards in the order in which it asked for them; null where an evaluation failed. */
  readonly rewards: readonly (number | null)[];
  /** The agent's state after each iteration. */
  readonly states: readonly Readonly<Record<string, unknown>>[];
  readonly start: Reported;
  readonly learned: Reported;
}

/** Searches under way at once: while one agent thinks, the other's evaluations keep the workers busy. */
const AT_ONCE = 2;
const REPORT_EVERY_MS = 10_000;

const logOf = (logs: string, { arm, seed }: Search) => join(logs, `${arm}-${seed}.jsonl`);
const flag = (option: string) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const optionsOf = ({ options, seed }: Search): Search['options'] => ({ ...options, seed });

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
    if (header.agent === search.agent && header.options[name] === value) continue;
    const got = `${header.agent} with ${JSON.stringify(header.options[name])}`;
    throw new Error(
      `${path}: expected ${search.agent} with ${name} ${JSON.stringify(value)}, got ${got}; move it away`,
    );
  }
  const ended = records.some((r) => r.type === 'evaluation' && r.key === `after-${search.evaluations}/learned/0`);
  const summary = records.at(-1);
  if (!ended || summary?.type !== 'summary') return undefined;
  const reported = summary['reported'] as readonly Reported[];
  const named = (name: string) => reported.find((r) => r.name === name)!;
  const states = records.flatMap((r) => (r.type === 'iteration' ? [r.state] : []));
  return { ...search, rewards: searchRewards(records), states, start: named('start'), learned: named('learned') };
}

/** The rewards of a log's search, without those of finalists and reports. */
export function searchRewards(records: readonly LogRecord[]): (number | null)[] {
  const position = (key: string) => Number(key.slice('search/'.length));
  return records
    .flatMap((r) => (r.type === 'evaluation' && r.key.startsWith('search/') ? [r] : []))
    .sort((a, b) => position(a.key) - position(b.key))
    .map(({ reward }) => reward);
}

function flagsOf(search: Search, logs: string, url: string): string[] {
  const path = logOf(logs, search);
  if (existsSync(path) && !readFileSync(path, 'utf8').includes('\n')) rmSync(path); // stopped before its first line
  const flags = ['--url', url, '--evaluations', String(search.evaluations)];
  if (existsSync(path)) return [...flags, '--resume', path];
  flags.push('--log', path);
  for (const [name, value] of Object.entries(optionsOf(search))) {
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

/** Seconds as `h:mm:ss`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** Says every few seconds how far all searches are, with the time left. */
function progressOf(searches: readonly Search[], kept: number): { done: Map<Search, number>; stop: () => void } {
  const done = new Map<Search, number>();
  const total = searches.reduce((sum, { evaluations }) => sum + evaluations, 0);
  const sum = () => [...done.values()].reduce((a, b) => a + b, 0);
  const began = performance.now();
  let first: number | undefined; // evaluations that were there when the first report came: they took no time now
  const timer = setInterval(() => {
    first ??= sum();
    const pace = (sum() - first) / ((performance.now() - began) / 1000);
    const ended = [...done].filter(([search, count]) => count === search.evaluations).length;
    const left = pace > 0 ? `${duration((total - sum()) / pace)} left` : '';
    console.log(
      `searches ${kept + ended}/${kept + searches.length}, evaluations ${sum()}/${total}  ${pace.toFixed(1)}/s  ${left}`,
    );
  }, REPORT_EVERY_MS);
  return { done, stop: () => clearInterval(timer) };
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
  const { done, stop } = progressOf(open, searches.length - open.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < open.length && !programs.interrupted) {
      const search = open[next++]!;
      await runAgent(laboratory, search, (count) => done.set(search, count));
      const result = finished(logs, search);
      if (result) console.log(`${search.arm}, seed ${search.seed}: test ${testScores(result).join(' ')}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    stop();
  }
  if (programs.interrupted) throw new Error('interrupted; the same command goes on');
  return searches.map((search) => finished(logs, search)!);
}

const testScores = ({ learned }: FinishedSearch) => learned.test.map((scores) => Object.values(scores)[0]!.toFixed(4));
