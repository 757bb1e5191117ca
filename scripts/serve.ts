/** Serves environments: `npm run serve -- --env TrafficSegmentation-v0`. */
import { lookup } from 'node:dns/promises';
import { availableParallelism } from 'node:os';
import { Option } from 'commander';
import {
  absolutePath,
  filePath,
  integer,
  number,
  secretOf,
  withoutSecrets,
  withSecret,
  word,
  words,
} from '../agents/run/flags.ts';
import { onSignals } from '../agents/run/interrupt.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { BUILT_IN } from '../env/experiments/index.ts';
import { pageAssets } from '../env/server/dashboard/assets.ts';
import { createLog, LOG_FORMATS, LOG_LEVELS, type LogFormat } from '../env/server/log.ts';
import type { QueueOptions } from '../env/workers/queue/queue-evaluations.ts';
import { MAX_EVALUATION_MS, startServer, type EnvironmentServer } from '../env/server/server.ts';
import { addProgramFlags, programsOf, type ProgramFlags } from './program-flags.ts';
import { exactBuild, withQueue } from './queue-flags.ts';
import {
  backendFlag,
  namedFolder,
  rendererFlag,
  runtimeOf,
  type NamedFolder,
  type RuntimeFlags,
} from './runtime-flags.ts';
import { version } from './version.ts';

/** The environments that flags of their own serve. */
const PROGRAM = 'Program-v0';
const TABLE = 'Table-v0';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

const command = newCommand('serve')
  .description('Serves environments over WebSocket; evaluations run in child processes.')
  .option(
    '--env <id or path>',
    `an environment: ${Object.keys(BUILT_IN).join(', ')} or ./module.ts; may be repeated`,
    words,
  )
  .option('--port <n>', 'TCP port; 0 takes a free one', integer(0, 65535), 7077)
  .option(
    '--host <address>',
    'address to listen on; one that other machines can reach needs --token',
    word,
    '127.0.0.1',
  )
  .option(
    '--workers <n>',
    'evaluations at once, each in its own process; 0: one, in the server’s process, for evaluations of microseconds; with --queue: none here',
    integer(0, 1024),
    availableParallelism(),
  );
withQueue(command).option(
  '--mixed-backends',
  'with --queue: workers of unequal backends may take part, though equal θ and seeds then give unequal rewards',
);
withSecret(command, 'token', 'bearer token that clients must show', 'LTS_TOKEN');
withSecret(
  command,
  'observer-token',
  'token for observers of /metrics, /v1/sessions, /v1/history.jsonl',
  'LTS_OBSERVER_TOKEN',
);
withSecret(
  command,
  'admin-token',
  'token for admins, who may do everything, such as DELETE /v1/sessions/ID',
  'LTS_ADMIN_TOKEN',
);
addProgramFlags(command);
command
  .option('--table <file>', 'evaluations as CSV or Parquet, for Table-v0: see npm run table', absolutePath)
  .option(
    '--max-evaluation <seconds>',
    'an evaluation that runs for longer ends, with the outcome deadline',
    number(0.001),
    MAX_EVALUATION_MS / 1000,
  )
  .option(
    '--history-days <n>',
    'closed sessions are forgotten after this number of days (default: 30; without a journal 1)',
    integer(0, 36500),
  )
  .option(
    '--history-mb <n>',
    '… or when all results together are larger than this (default: 1024; without a journal 32, in memory)',
    integer(1, 1_000_000),
  )
  .option('--origin <url>', 'web page that may connect; may be repeated', words)
  .option('--reveal', 'the page shows the hidden θ of a benchmark to those who watch; agents never get it')
  .addOption(backendFlag())
  .option(
    '--data <[name=]folder>',
    'images that models are scored on; workers of a queue know them by their name (default: data)',
    namedFolder,
  )
  .addOption(rendererFlag())
  .option(
    '--journal <file>',
    'SQLite file with sessions and results (default: runs/server-<port>.sqlite; none for port 0)',
    filePath,
  )
  .option(
    '--drain-seconds <n>',
    'time that evaluations have to end after the first SIGINT or SIGTERM',
    integer(0, 86400),
    10,
  )
  .option('--stop-with-stdin', 'stop when standard input ends, for example with the program that started this one')
  .addOption(new Option('--log <level>', 'least level that is logged to stderr').choices(LOG_LEVELS).default('info'))
  .addOption(
    new Option('--log-format <form>', 'text: lines for people; json (default: text, or json with --json)').choices(
      LOG_FORMATS,
    ),
  )
  .option('--json', 'print one line of JSON on stdout when ready, and nothing else; log in JSON');

interface Options extends Omit<RuntimeFlags, 'data'>, ProgramFlags {
  readonly data?: NamedFolder;
  readonly mixedBackends?: boolean;
  readonly env?: string[];
  readonly table?: string;
  readonly port: number;
  readonly host: string;
  readonly workers: number;
  readonly maxEvaluation: number;
  readonly historyDays?: number;
  readonly historyMb?: number;
  readonly origin?: string[];
  readonly reveal?: true;
  readonly journal?: string;
  readonly drainSeconds: number;
  readonly stopWithStdin?: boolean;
  readonly log: (typeof LOG_LEVELS)[number];
  readonly logFormat?: LogFormat;
  readonly json?: true;
}

async function main(): Promise<void> {
  endDescendants();
  const options = command.allowExcessArguments().parse().opts<Options>();
  const { port, host, workers, data, historyDays, historyMb, ...named } = options;
  const [argument] = command.args;
  if (argument !== undefined) return command.error(`expected flags alone, got ${argument}; --env names an environment`);
  const url = secretOf(options, 'queue');
  // With a queue, the programs may all run elsewhere.
  const programs = programsOf(options, url === undefined ? workers : Math.max(1, workers));
  const { table } = options;
  const env = [
    ...new Set([...(programs ? [PROGRAM] : []), ...(table === undefined ? [] : [TABLE]), ...(options.env ?? [])]),
  ];
  const token = secretOf(options, 'token');
  if (env.length === 0) {
    return command.error('--env: expected at least one environment, or --simulator, --trainer or --table');
  }
  if (token === undefined && !LOOPBACK.includes(host)) {
    return command.error(`--token: expected one where --host ${host} lets other machines in`);
  }
  if (url === undefined && options.mixedBackends) return command.error('--mixed-backends: expected --queue beside it');
  await lookup(host).catch((error: Error) =>
    command.error(`--host: expected an address or a name of this machine, got ${host} (${error.message})`),
  );
  // The server goes on when nobody reads any more what it prints.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const log = createLog(options.log, options.logFormat ?? (options.json ? 'json' : 'text'));
  const server = await startServer({
    environments: env,
    port,
    host,
    workers,
    tokens: { agent: token, observer: secretOf(options, 'observer-token'), admin: secretOf(options, 'admin-token') },
    maxEvaluationMs: options.maxEvaluation * 1000,
    keeping: {
      ...(historyDays !== undefined && { maxAgeMs: historyDays * 86_400_000 }),
      ...(historyMb !== undefined && { maxBytes: historyMb * 1024 ** 2 }),
    },
    onDrainRequest: () => void process.kill(process.pid, 'SIGTERM'),
    origins: options.origin ?? [],
    reveal: options.reveal ?? false,
    log,
    journal: options.journal ?? (port === 0 ? undefined : `runs/server-${port}.sqlite`),
    ...(await version()),
    runtime: {
      ...runtimeOf({ ...named, ...(data && { data: data.folder }) }),
      ...(programs && { programs }),
      ...(table !== undefined && { table }),
    },
    queue: url === undefined ? undefined : await queueOf(url, options),
  });
  if (!options.json) console.log(`serve ${withoutSecrets(options)}`);
  stopOnSignals(server, options.drainSeconds * 1000);
  if (options.stopWithStdin) process.stdin.once('end', () => void process.kill(process.pid, 'SIGTERM')).resume();
  announce(server, options, url !== undefined);
  // The first visitor does not wait for it.
  pageAssets().catch((error: unknown) => log.warn({ error: String(error) }, 'the page cannot be bundled'));
}

async function queueOf(url: string, { data, mixedBackends = false }: Options): Promise<QueueOptions> {
  return { url, build: await exactBuild(), data: data?.name, mixedBackends };
}

function announce({ url, port, environments }: EnvironmentServer, { workers, json }: Options, queue: boolean): void {
  const served = environments.map(({ spec, about }) => ({
    about,
    id: spec.env_id,
    title: spec.title,
    actionSize: spec.spaces.action.shape[0],
    backend: spec.backend,
  }));
  if (json)
    return console.log(JSON.stringify({ ready: true, url, port, pid: process.pid, workers, environments: served }));
  for (const { id, title, actionSize, backend, about } of served) {
    console.log(
      `${id}: ${title}; ${actionSize} action components${backend === undefined ? '' : `; backend: ${backend}`}`,
    );
    if (about !== undefined) console.log(`  ${about}`);
  }
  console.log(`${url.replace(/^ws/, 'http')}/ shows it in a browser`);
  const elsewhere = queue ? ' here, and those of the queue' : '';
  console.log(`${url} is ready, with ${workers} worker${workers === 1 ? '' : 's'}${elsewhere}; Ctrl-C stops it`);
}

/** The first signal lets running evaluations end, the second does not. */
function stopOnSignals(server: EnvironmentServer, drainMs: number): void {
  const endWith = (stopping: Promise<void>) => void stopping.then(() => process.exit(0));
  onSignals(
    () => endWith(server.drain(drainMs)),
    () => endWith(server.stop()),
  );
}

await runProgram('', main);
