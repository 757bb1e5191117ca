/** `--search-seeds 1..5`: the runs of one command line, one after the other, with their logs in one folder. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { RunOptions } from './run-options.ts';
import { startedTrialLog } from './trial-log.ts';

/**
 * The commands of the runs that a command line asks for: itself, or one for each seed. A run whose log is already in the
 * folder is continued; if it has ended, nothing of it is evaluated again.
 *
 * @param name  of the agent
 * @param parse parses the command line, into a new command each time
 * @throws {Error} when `--log` is a file, where there are several runs
 */
export function* runsOf(name: string, parse: () => Command): Generator<Command> {
  const command = parse();
  const { searchSeeds, log } = command.opts<RunOptions>();
  if (!searchSeeds) {
    yield command;
    return;
  }
  const folder = log ?? join('runs', `${name}-${timeStamp()}`);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) {
    throw new Error(
      `--log: expected a folder, since --search-seeds makes several runs, each with a log of its own, got the file ${folder}`,
    );
  }
  console.log(`${searchSeeds.length} runs; logs: ${folder}`);
  for (const seed of searchSeeds) {
    const path = join(folder, `${name}-${seed}.jsonl`);
    const own = parse();
    own.setOptionValueWithSource('seed', seed, 'cli');
    // A killed program may have left a log without one whole line: it is begun anew.
    own.setOptionValueWithSource(startedTrialLog(path) ? 'resume' : 'log', path, 'cli');
    yield own;
  }
}

/** The present time, for the name of a file. */
export function timeStamp(): string {
  return new Date().toISOString().replace(/[-:]|\..*/g, '');
}
