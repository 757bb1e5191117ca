/** The options that every agent's program has besides its own. */
import { Option, type Command } from 'commander';
import { choice, filePath, integer, jsonObject, seed, seedRange, withSecret, word } from './flags.ts';
import { startText } from './start.ts';
import type { LogRecord, RunHeader } from './trial-log.ts';

export interface RunOptions {
  readonly url: string;
  readonly env?: string;
  readonly envOptions: Record<string, unknown>;
  readonly evaluations: number;
  readonly seed: number;
  readonly searchSeeds?: readonly number[];
  readonly start: string;
  readonly seeds: 'fresh' | 'fixed-initialisation' | 'common';
  readonly discard: 'none' | 'median';
  readonly parallel?: number;
  readonly finalists: number;
  readonly finalistSeeds: number;
  readonly reportSeeds: number;
  readonly warmStart?: string;
  readonly log?: string;
  readonly resume?: string;
  /** What goes on with the run, if it is stopped: told by the program that has started this one. */
  readonly goOn?: string;
}

/** Options that decide no result; they are not logged. */
const UNLOGGED = ['token', 'tokenFile', 'parallel', 'log', 'resume', 'searchSeeds', 'goOn'];
/** Options that a resumed run may change. */
const CHANGEABLE = ['url', 'evaluations'];

/** Adds the flags of these options to an agent's command. */
export function withRunFlags(command: Command): Command {
  command.option('--url <url>', 'the environment server', word, 'ws://127.0.0.1:7077');
  return withSecret(command, 'token', "the server's bearer token", 'LTS_TOKEN')
    .option('--env <id>', 'environment id (default: the only one of the server)', word)
    .option('--env-options <json>', 'options of the environment, {…} or a file', jsonObject, {})
    .option(
      '--evaluations <n>',
      'the budget of the search; a discarded evaluation counts by the share of its training that was done',
      integer(1),
      64,
    )
    .option('--seed <n>', 'decides everything random in the run', seed, 1)
    .addOption(
      new Option(
        '--search-seeds <range>',
        'several runs, one after the other, with the seeds 1..5: their logs go into the folder that --log names; ' +
          'the same command with the same folder goes on where it was stopped',
      )
        .argParser(seedRange)
        .conflicts(['seed', 'resume']),
    )
    .option(
      '--start <where>',
      'θ to start from: start (as the environment says), default, centre, random, or {…}/a file',
      startText,
      'start',
    )
    .option(
      '--warm-start <log>',
      'trials to start from, which cost nothing: the log of a run, or what `history.ts export` wrote',
      filePath,
    )
    .option(
      '--seeds <rule>',
      'fresh: new seeds for each evaluation; fixed-initialisation: the same first weights for all; ' +
        'common: all seeds shared in an iteration, new in the next',
      choice('fresh', 'fixed-initialisation', 'common'),
      'fixed-initialisation',
    )
    .option(
      '--discard <rule>',
      'median: cancel an evaluation that scores below the median of the latest at the same point of training; none',
      choice('none', 'median'),
      'none',
    )
    .option('--parallel <n>', 'evaluations that run at once (default: as many as the server takes)', integer(1))
    .option(
      '--finalists <n>',
      'number of best actions that are evaluated again on fresh seeds, besides the one that the agent recommends',
      integer(1),
      3,
    )
    .option('--finalist-seeds <n>', 'number of seeds for each of them', integer(1), 2)
    .option(
      '--report-seeds <n>',
      'number of seeds for the final report of the start and the winner, with the test set',
      integer(1),
      3,
    )
    .option(
      '--log <path>',
      'where the log of trials goes: a new file (default: runs/<agent>-<env>-<time>.jsonl); with --search-seeds a folder, ' +
        'which has a log for each run, <agent>-<seed>.jsonl (default: runs/<agent>-<time>)',
      filePath,
    )
    .addOption(
      new Option('--resume <file>', 'continue a stopped run from its log').argParser(filePath).conflicts('log'),
    )
    .addOption(new Option('--go-on <words>', 'what goes on with the run, if it is stopped').argParser(word).hideHelp());
}

/**
 * The options of a resumed run, taken from its log.
 *
 * @throws {Error} when a flag differs from the log, or the log is another agent's
 */
export function resumedOptions(
  command: Command,
  { header, records }: { readonly header: RunHeader; readonly records: readonly LogRecord[] },
  name: string,
): RunOptions {
  const path = command.getOptionValue('resume') as string;
  if (header.agent !== name) throw new Error(`${path}: expected a log of ${name}, got one of ${header.agent}`);
  for (const [key, given] of Object.entries(command.opts<Record<string, unknown>>())) {
    if (command.getOptionValueSource(key) !== 'cli' || UNLOGGED.includes(key) || CHANGEABLE.includes(key)) continue;
    const logged = key === 'start' ? inlineStart(header.options[key]) : header.options[key];
    const [expected, got] = [logged, given].map((value) => JSON.stringify(value));
    if (got === expected) continue;
    throw new Error(`option ${key}: expected ${expected ?? 'none'} as in ${path}, got ${got}`);
  }
  for (const [key, logged] of Object.entries(header.options)) {
    if (command.getOptionValueSource(key) !== 'cli') command.setOptionValueWithSource(key, logged, 'config');
  }
  const options = command.opts<RunOptions>();
  const keys = records.flatMap((record) => (record.type === 'evaluation' ? record.key : []));
  const least = keys.reduce((most, key) => Math.max(most, Number(/^after-(\d+)\//.exec(key)?.[1] ?? 0)), 0);
  if (options.evaluations < least) {
    const got = `got ${options.evaluations}; a shorter run is a new one, without --resume`;
    throw new Error(`--evaluations: expected at least ${least}, after which ${path} has its report, ${got}`);
  }
  return options;
}

/** The start of a log; older ones have the name of a file. */
function inlineStart(logged: unknown): unknown {
  try {
    return startText(logged as string);
  } catch {
    return logged;
  }
}

/** The options that are logged: all that decide a result. */
export function loggedOptions(options: RunOptions & Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !UNLOGGED.includes(key)));
}
