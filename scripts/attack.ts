/**
 * `npm run attack`: what an enemy, a bad network and a bad disk do to a server, and what comes of it.
 *
 * Prints the figures of each round. The exit code is 1 if anything was lost, doubled, changed or turned away.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import { integer, number, seed } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { Random } from '../protocol/random.ts';
import { cuts } from './attack/cuts.ts';
import { damages } from './attack/damage.ts';
import { history } from './attack/history.ts';
import { kills } from './attack/kills.ts';
import { programs } from './attack/programs.ts';
import type { Found } from './attack/round.ts';
import { silent } from './attack/silent.ts';

const ROUNDS = ['kills', 'cuts', 'damage', 'silent', 'history', 'programs'] as const;

interface Options {
  readonly rounds: readonly (typeof ROUNDS)[number][];
  readonly results: number;
  readonly kills: number;
  readonly cutResults: number;
  readonly cuts: number;
  readonly places: number;
  readonly sockets: number;
  readonly windowSeconds: number;
  readonly mostFall: number;
  readonly rows: number;
  readonly readers: number;
  readonly evaluations: number;
  readonly seed: number;
}

const options = newCommand('attack')
  .description('Kills, cuts, damages and floods servers of its own, and counts what is wrong afterwards.')
  .addOption(new Option('--rounds <names...>', 'which rounds').choices(ROUNDS).default([...ROUNDS]))
  .option('--results <n>', 'results that are compared in the round of kills', integer(100), 100_000)
  .option('--kills <n>', 'kills of the server', integer(1, 10_000), 40)
  .option('--cut-results <n>', 'results that are compared in the round of cuts', integer(100), 20_000)
  .option('--cuts <n>', 'connections that are cut', integer(1, 10_000), 60)
  .option('--places <n>', 'damaged journals', integer(1, 10_000), 60)
  .option('--sockets <n>', 'silent sockets', integer(1, 20_000), 3000)
  .option('--window-seconds <n>', 'time over which evaluations are counted, before and beside them', number(0.1), 20)
  .option('--most-fall <share>', 'how far the evaluations a minute may fall', number(0, 1), 0.1)
  .option('--rows <n>', 'rows of the history', integer(1, 100_000), 100_000)
  .option('--readers <n>', 'readers of the whole history at once', integer(1, 200), 20)
  .option('--evaluations <n>', 'evaluations by programs that go wrong', integer(10, 100_000), 500)
  .option('--seed <n>', 'decides what happens when', seed, 1)
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  endDescendants();
  console.log(`attack ${JSON.stringify(options)}`);
  const folder = mkdtempSync(join(tmpdir(), 'lts-attack-'));
  const random = new Random(options.seed);
  const rounds: Readonly<Record<(typeof ROUNDS)[number], () => Promise<Found>>> = {
    kills: () => kills(folder, options.results, options.kills, random),
    cuts: () => cuts(options.cutResults, options.cuts, random),
    damage: () => damages(folder, options.places, random),
    silent: () => silent(options.sockets, options.windowSeconds * 1000, options.mostFall),
    history: () => history(folder, options.rows, options.readers),
    programs: () => programs(folder, options.evaluations, random),
  };
  let wrong = 0;
  try {
    for (const name of options.rounds) {
      const found = await rounds[name]();
      wrong += found.wrong;
      console.log(`\n${name}: ${found.wrong} wrong`);
      for (const [figure, value] of Object.entries(found.figures)) console.log(`  ${figure.padEnd(32)}${value}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`\n${wrong} wrong`);
  if (wrong > 0) process.exitCode = 1;
}

await runProgram('attack', main);
