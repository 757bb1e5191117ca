/**
 * Lists and exports the evaluations that a server has made, and repeats one of them.
 *
 *     node --import tsx agents/history.ts list --outcome ok --limit 20
 *     node --import tsx agents/history.ts export --env Mixture-v0 > history.jsonl
 *     node --import tsx agents/history.ts export --log runs/cem.jsonl --format optuna-journal cem.journal
 *     node --import tsx agents/history.ts replay <session_id> <step_id>
 */
import { Option, type Command } from 'commander';
import type { HistoryEntry } from '../protocol/history.ts';
import { OUTCOMES, type Result } from '../protocol/messages.ts';
import { EXPORT_FORMATS, exportEvaluations, type ExportFlags } from './history/export.ts';
import { entriesOf, historyLines, openAgain, withClient, type ServerFlags } from './history/server-history.ts';
import { filePath, integer, isProgram, withSecret, word } from './run/flags.ts';
import { newCommand, runCommands, runProgram } from './run/run-program.ts';

interface Filter {
  readonly session?: string;
  readonly env?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly limit?: number;
}

/**
 * Evaluates an entry again, with the same options, θ and seeds.
 *
 * @returns the new result; on the same build and backend, its reward equals the old one
 * @throws {Error} when the environment has changed (another `spec_hash`)
 */
export function replay(flags: ServerFlags, entry: HistoryEntry): Promise<Result> {
  return withClient(flags, async (client) => {
    const environment = await openAgain(client, entry);
    return environment.evaluate({
      params: entry.theta,
      seeds: entry.seeds,
      ...(entry.test_scores && { test: true }),
    });
  });
}

async function list(flags: ServerFlags & Filter): Promise<void> {
  const { session, env, outcome, since, limit = 20 } = flags;
  const entries = entriesOf(await historyLines(flags, { session, env, outcome, since, limit }));
  if (entries.length === 0) return console.error('history: no evaluation matches');
  const rows = entries.map(({ accepted_at, env_id, reward, session_id, step_id, ...entry }) => {
    return [accepted_at, env_id, entry.outcome, reward === null ? '-' : reward.toPrecision(6), session_id, step_id];
  });
  const table = [['accepted at', 'environment', 'outcome', 'reward', 'session', 'step'], ...rows];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  for (const row of table)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    );
}

async function exportAll(file: string | undefined, flags: ExportFlags & Filter): Promise<void> {
  const { session, env, outcome, since, limit = 100_000 } = flags;
  await exportEvaluations(file, flags, { session, env, outcome, since, limit });
}

async function replayOne(session: string, step: string, flags: ServerFlags): Promise<void> {
  const [entry] = entriesOf(await historyLines(flags, { session, step }));
  if (!entry) throw new Error(`history: expected an evaluation ${step} of session ${session}, got none`);
  const again = await replay(flags, entry);
  const same = again.outcome === entry.outcome && again.reward === entry.reward;
  console.log(`was ${entry.outcome} ${entry.reward ?? '-'} (${entry.repro.build}, ${entry.repro.backend ?? '-'})`);
  console.log(`is  ${again.outcome} ${again.reward ?? '-'} (${again.repro.build}, ${again.repro.backend ?? '-'})`);
  console.log(same ? 'the same' : 'not the same');
  process.exitCode = same ? 0 : 1;
}

const program = newCommand('history').description('The evaluations that a server has made.');
const withServer = (command: Command) =>
  withSecret(command, 'token', 'its bearer token', 'LTS_TOKEN').option(
    '--url <url>',
    'the server',
    word,
    'ws://127.0.0.1:7077',
  );
const withFilter = (command: Command) =>
  withServer(command)
    .option('--session <id>', 'only of this session', word)
    .option('--env <id>', 'only in this environment', word)
    .addOption(new Option('--outcome <name>', 'only with this outcome').choices(OUTCOMES))
    .option('--since <time>', 'only accepted at or after this time, in ISO 8601 (a date will do)', word)
    .option('--limit <n>', 'at most this number, the latest first', integer(1, 100_000));

withFilter(program.command('list').description('one line for each evaluation')).action(list);
withFilter(program.command('export').description('all fields, as JSON lines; a table; or a journal for Optuna'))
  .argument('[file]', 'where it goes (default: standard output)', filePath)
  .addOption(
    new Option('--format <name>', 'jsonl, csv, or optuna-journal: a file for JournalStorage, a study a specification')
      .choices(EXPORT_FORMATS)
      .default('jsonl'),
  )
  .addOption(
    new Option('--log <file>', 'of a run, or exported JSON lines: in place of what a server has')
      .argParser(filePath)
      .conflicts(['session', 'env', 'outcome', 'since', 'limit']),
  )
  .action(exportAll);
withServer(program.command('replay').description('repeats one; exit code 0 when the reward is the same'))
  .argument('<session>', 'session_id of the evaluation', word)
  .argument('<step>', 'step_id of the evaluation', word)
  .action(replayOne);

if (isProgram(import.meta.url)) await runProgram('history', () => runCommands(program));
