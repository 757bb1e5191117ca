/**
 * Lists and exports the evaluations that a server has made, and repeats one of them.
 *
 *     node --import tsx agents/history.ts list --outcome ok --limit 20
 *     node --import tsx agents/history.ts export --env Mixture-v0 > history.jsonl
 *     node --import tsx agents/history.ts replay <session_id> <step_id>
 */
import type { Command } from 'commander';
import type { HistoryEntry } from '../protocol/history.ts';
import type { Result } from '../protocol/messages.ts';
import { connect } from './client/index.ts';
import { integer, isProgram, secretOf, withSecret, word } from './run/flags.ts';
import { newCommand, runCommands, runProgram, sentenceOf } from './run/run-program.ts';

interface Options {
  readonly url: string;
  readonly session?: string;
  readonly env?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly limit?: number;
}

/** @throws {Error} with the server's answer when it refuses */
async function ask(options: Options, query: Record<string, string | number | undefined>): Promise<string> {
  const { url } = options;
  if (!URL.canParse(url)) throw new Error(`--url: expected an address such as ws://127.0.0.1:7077, got ${url}`);
  const page = new URL('/v1/history.jsonl', url.replace(/^ws/, 'http'));
  for (const [key, value] of Object.entries(query)) if (value !== undefined) page.searchParams.set(key, String(value));
  const token = secretOf(options, 'token');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(page, { headers }).catch((error: unknown) => {
    throw new Error(`${url}: expected a server, got ${sentenceOf(error)}`, { cause: error });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${page.href}: expected the history, got ${response.status} ${text.trim()}`);
  return text;
}

function entriesOf(text: string): HistoryEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEntry);
}

/**
 * Evaluates an entry again, with the same options, θ and seeds.
 *
 * @returns the new result; on the same build and backend, its reward equals the old one
 * @throws {Error} when the environment has changed (another `spec_hash`)
 */
export async function replay(url: string, entry: HistoryEntry, token?: string): Promise<Result> {
  const client = await connect(url, { name: 'history', say: console.error, ...(token !== undefined && { token }) });
  try {
    const environment = await client.open({ env_id: entry.env_id, options: { ...entry.options } });
    const [was, is] = [entry.repro.spec_hash, environment.spec.spec_hash];
    if (was !== is) throw new Error(`${entry.env_id}: expected spec ${was}, as in the history, got ${is}`);
    return await environment.evaluate({
      params: entry.theta,
      seeds: entry.seeds,
      ...(entry.test_scores && { test: true }),
    });
  } finally {
    await client.close();
  }
}

async function list(options: Options): Promise<void> {
  const { session, env, outcome, since, limit = 20 } = options;
  for (const entry of entriesOf(await ask(options, { session, env, outcome, since, limit }))) {
    const { accepted_at, env_id, reward, session_id, step_id } = entry;
    console.log([accepted_at, env_id, entry.outcome, reward ?? '-', session_id, step_id].join('  '));
  }
}

async function replayOne(session: string, step: string, options: Options): Promise<void> {
  const [entry] = entriesOf(await ask(options, { session, step }));
  if (!entry) throw new Error(`history: expected an evaluation ${step} of session ${session}, got none`);
  const again = await replay(options.url, entry, secretOf(options, 'token'));
  const same = again.reward === entry.reward;
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
    .option('--outcome <name>', 'only with this outcome: ok, infeasible, diverged, failed, deadline, cancelled', word)
    .option('--since <time>', 'only accepted at or after this time, in ISO 8601 (a date will do)', word)
    .option('--limit <n>', 'at most this number, the latest first', integer(1, 100_000));

withFilter(program.command('list').description('one line for each evaluation')).action(list);
withFilter(program.command('export').description('all fields, as JSON lines')).action(async (options: Options) => {
  const { session, env, outcome, since, limit } = options;
  process.stdout.write(await ask(options, { session, env, outcome, since, limit: limit ?? 100_000 }));
});
withServer(program.command('replay').description('repeats one; exit code 0 when the reward is the same'))
  .argument('<session>', 'session_id of the evaluation', word)
  .argument('<step>', 'step_id of the evaluation', word)
  .action(replayOne);

if (isProgram(import.meta.url)) await runProgram('history', () => runCommands(program));
