/** Runs agents as programs of their own: those that have ended are kept, those that were stopped go on. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { makeFolder } from '../../protocol/make-folder.ts';
import { startedTrialLog, type LogRecord } from '../../agents/run/trial-log.ts';
import { AT_ONCE, flag, goOn, serverOf, specificationOf, type Laboratory } from './laboratory.ts';
import { isLean, logPath } from './logs.ts';
import { Pace } from './pace.ts';
import { finishedSearch, nameOf, type Search } from './search-log.ts';

/** The spec of a search's environment. */
type SpecOf = (search: Search) => string | undefined;

/**
 * The log of a search; empty where there is none.
 *
 * @throws {Error} when it was made with other options, in another environment, or from trials of another one
 */
function logOf(logs: string, search: Search, specOf: SpecOf = () => undefined, from?: Search): LogRecord[] {
  const path = logPath(logs, nameOf(search));
  const started = startedTrialLog(path);
  if (!started) return [];
  const { header, records } = started;
  const warm = records.find((record) => record.type === 'warm-start');
  for (const [made, expected] of [
    [header.environment.specHash, specOf(search)],
    [warm?.trials[0]?.repro.spec_hash, from && specOf(from)],
  ]) {
    if (expected === undefined || made === expected) continue;
    throw new Error(`${path}: expected evaluations of spec ${expected}, got ${made ?? 'none'}; move it away`);
  }
  const { options, seed, envOptions, agent } = search;
  for (const [name, value] of Object.entries({ ...options, seed, envOptions })) {
    if (header.agent === agent && JSON.stringify(header.options[name]) === JSON.stringify(value)) continue;
    const got = `${header.agent} with ${JSON.stringify(header.options[name])}`;
    throw new Error(`${path}: expected ${agent} with ${name} ${JSON.stringify(value)}, got ${got}; move it away`);
  }
  return records;
}

/** The evaluations of a whole run: the search, its finalists, and the report of start and winner. */
function costOf({ evaluations, options }: Search): number {
  const { finalists = 3, finalistSeeds = 2, reportSeeds = 3 } = options;
  return evaluations + (Number(finalists) + 1) * Number(finalistSeeds) + 2 * Number(reportSeeds);
}

/** The flags of a search's agent, which goes on from the log where it can. */
function flagsOf(search: Search, laboratory: Laboratory): string[] {
  const { logs } = laboratory;
  const path = logPath(logs, nameOf(search));
  const flags = ['--url', serverOf(laboratory), '--evaluations', String(search.evaluations)];
  const past = logOf(logs, search);
  if (past.length > 0 && !isLean(past)) return [...flags, '--resume', path];
  rmSync(path, { force: true });
  flags.push('--log', path, '--env', search.environment);
  const { startsFrom: arm, seed } = search;
  if (arm !== undefined) flags.push('--warm-start', logPath(logs, nameOf({ arm, seed })));
  flags.push('--seed', String(search.seed), '--env-options', JSON.stringify(search.envOptions));
  for (const [name, value] of Object.entries(search.options)) {
    if (value === true) flags.push(flag(name));
    else if (value !== false) flags.push(flag(name), String(value));
  }
  return flags;
}

/** Runs one agent to its end. @param onDone told how many evaluations of the search are done */
async function runAgent(laboratory: Laboratory, search: Search, onDone: (evaluations: number) => void): Promise<void> {
  const { programs } = laboratory;
  const child = programs.start(`agents/${search.agent}.ts`, flagsOf(search, laboratory), 'pipe');
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

/** The specs of all environments of these searches. */
async function specsOf(laboratory: Laboratory, searches: readonly Search[]): Promise<SpecOf> {
  const keyOf = ({ environment, envOptions }: Search) => JSON.stringify([environment, envOptions]);
  const specs = new Map<string, string>();
  for (const search of searches) {
    const key = keyOf(search);
    if (specs.has(key)) continue;
    specs.set(key, (await specificationOf(laboratory, search.environment, search.envOptions)).spec_hash);
  }
  return (search) => specs.get(keyOf(search));
}

/**
 * Runs every search that has not ended yet.
 *
 * @throws {Error} when an agent fails, a log was made with other options, or Ctrl-C came: then what is done is kept
 */
export async function runSearches(laboratory: Laboratory, searches: readonly Search[]): Promise<void> {
  const { logs, programs } = laboratory;
  makeFolder(logs);
  const specOf = await specsOf(laboratory, searches);
  const open = searches.filter((search) => {
    const from = searches.find(({ arm, seed }) => arm === search.startsFrom && seed === search.seed);
    return !finishedSearch(search, logOf(logs, search, specOf, from));
  });
  console.log(`${searches.length} searches, ${searches.length - open.length} of them done before; logs: ${logs}`);
  const pace = new Pace(
    'searches',
    open.reduce((sum, search) => sum + costOf(search), 0),
  );
  const run = async (some: readonly Search[]): Promise<void> => {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < some.length && !programs.interrupted) {
        const search = some[next++]!;
        await runAgent(laboratory, search, (count) => pace.reached(search, count));
        pace.reached(search, costOf(search));
        if (!programs.interrupted) console.log(`${search.arm}, seed ${search.seed}: done`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  };
  try {
    await run(open.filter(({ startsFrom }) => startsFrom === undefined));
    await run(open.filter(({ startsFrom }) => startsFrom !== undefined));
  } finally {
    pace.stop();
  }
  goOn(laboratory);
}
