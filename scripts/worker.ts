/** Takes evaluations of servers on any machine: `npm run worker -- --queue redis://host`. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { absolutePath, filePath, integer, secretOf, withoutSecrets, words } from '../agents/run/flags.ts';
import { onSignals } from '../agents/run/interrupt.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { BACKEND_NAMES, DEFAULT_RUNTIME, type BackendPreference, type RendererName } from '../env/runtime.ts';
import { createLog, LOG_FORMATS, LOG_LEVELS, workerEvents, type LogFormat } from '../env/server/log.ts';
import { QueueWorker } from '../env/workers/queue/queue-worker.ts';
import { addProgramFlags, programsOf, type ProgramFlags } from './program-flags.ts';
import { exactBuild, withQueue } from './queue-flags.ts';
import { folderOf, namedFolder, rendererFlag, runtimeOf, type NamedFolder } from './runtime-flags.ts';

const collectFolders = (text: string, known: NamedFolder[] = []) => {
  const one = namedFolder(text);
  if (known.some(({ name }) => name === one.name)) {
    throw new InvalidArgumentError(`Expected a name of its own for each folder, got ${one.name} twice.`);
  }
  return [...known, one];
};

const command = newCommand('worker').description(
  'Takes evaluations from a queue and runs them in child processes; the servers of the queue say which.',
);
withQueue(command);
addProgramFlags(command)
  .option('--workers <n>', 'evaluations at once, each in its own process', integer(1, 1024), availableParallelism())
  .option('--env <path>', 'the module of an environment that is not built in; may be repeated', words)
  .option(
    '--data <[name=]folder>',
    'images for servers whose --data has this name (default: data); may be repeated',
    collectFolders,
  )
  .option('--table <file>', 'the file of evaluations of servers with --table', absolutePath)
  .option('--weights <folder>', 'weights that trainings may start from', filePath, DEFAULT_RUNTIME.weights)
  .addOption(rendererFlag())
  .addOption(
    new Option('--backend <name>', 'backend of TensorFlow.js (default: what the server was told)').choices([
      'auto',
      ...BACKEND_NAMES,
    ]),
  )
  .option(
    '--drain-seconds <n>',
    'time that evaluations have to end after the first SIGINT or SIGTERM; then other workers get them',
    integer(0, 86400),
    600,
  )
  .addOption(new Option('--log <level>', 'least level that is logged to stderr').choices(LOG_LEVELS).default('info'))
  .addOption(new Option('--log-format <form>', 'text: lines for people; json').choices(LOG_FORMATS).default('text'));

interface Options extends ProgramFlags {
  readonly workers: number;
  readonly env?: string[];
  readonly data?: NamedFolder[];
  readonly weights: string;
  readonly renderer: RendererName;
  readonly table?: string;
  readonly backend?: BackendPreference;
  readonly drainSeconds: number;
  readonly log: (typeof LOG_LEVELS)[number];
  readonly logFormat: LogFormat;
}

async function main(): Promise<void> {
  endDescendants();
  const options = command.parse().opts<Options>();
  const url = secretOf(options, 'queue');
  if (url === undefined) return command.error('--queue: expected the address of a Redis, got none');
  const { renderer } = runtimeOf({ backend: 'auto', renderer: options.renderer });
  const programs = programsOf(options, options.workers);
  const data = new Map((options.data ?? []).map((one) => [one.name, folderOf(one)]));
  // The worker goes on when nobody reads any more what it prints.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const log = createLog(options.log, options.logFormat);
  log.info(`worker ${withoutSecrets(options)}`);
  const worker = new QueueWorker({
    url,
    places: options.workers,
    build: await exactBuild(),
    modules: options.env ?? [],
    data,
    runtime: {
      weights: options.weights,
      renderer,
      ...(programs && { programs }),
      ...(options.table !== undefined && { table: options.table }),
    },
    backend: options.backend,
    log: workerEvents(log),
  });
  log.info({ worker: worker.id }, 'waiting for a server');
  onSignals(
    () => {
      log.info({ seconds: options.drainSeconds }, 'stopping: what runs may end; a second signal gives it back');
      void worker.drain(options.drainSeconds * 1000).then(() => process.exit(0));
    },
    () => worker.giveBack(),
  );
}

await runProgram('worker', main);
