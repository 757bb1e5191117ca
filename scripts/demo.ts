/**
 * `npm run demo`: the whole loop in minutes, as two programs that talk over WebSocket.
 *
 * Starts the environment server, runs REINFORCE against it from a poor θ, prints the learned θ, and draws pictures.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { filePath, integer, seed, typed } from '../agents/run/flags.ts';
import { makeFolder } from '../protocol/make-folder.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { startedTrialLog } from '../agents/run/trial-log.ts';
import { drawRun } from './figures/run-pictures.ts';
import { ownPrograms, startServer } from './programs.ts';
import { backendFlag, runtimeOf, type RuntimeFlags } from './runtime-flags.ts';

/** The demo searches only some parameters: a few dozen evaluations learn more in few dimensions than in all. */
const ENV_OPTIONS = {
  preset: 'quick',
  free: [
    ...['carTypes', 'weather', 'parkedShare', 'leadingRate', 'oncomingRate', 'paintDarkness'],
    ...['fog', 'cameraHeight', 'cameraPitch', 'exposure'],
  ],
};
/** REINFORCE for a small budget: a wide policy, large steps, and advantages that outliers do not affect. */
const AGENT_FLAGS = ['--sigma', '0.4', '--learning-rate', '0.3', '--advantage', 'ranked', '--antithetic'];

interface DemoOptions extends RuntimeFlags {
  readonly evaluations: number;
  readonly seed: number;
  readonly workers?: number;
  readonly out: string;
}

const time = new Date().toISOString().replace(/[-:]|\..*/g, '');
const options = newCommand('demo')
  .description('Learns to simulate streets for a small segmentation network, in a few minutes.')
  .option('--evaluations <n>', 'the budget of the search', integer(8), 48)
  .option('--seed <n>', 'decides everything random', seed, 1)
  .addOption(backendFlag())
  .option('--workers <n>', 'evaluations at once (default: one per core)', integer(1))
  .option(
    '--out <folder>',
    'folder for the log and the pictures; if it has the log of a demo, this one goes on',
    filePath,
    `runs/demo-${time}`,
  )
  .parse()
  .opts<DemoOptions>();

/** The flags that go on with this demo. */
const given = [
  ...['--out', typed(options.out), '--evaluations', options.evaluations, '--seed', options.seed],
  ...(options.workers === undefined ? [] : ['--workers', options.workers]),
  ...(options.backend === 'auto' ? [] : ['--backend', options.backend]),
];

const ENVIRONMENT = 'TrafficSegmentation-v0';

async function main(): Promise<void> {
  makeFolder(options.out);
  const programs = ownPrograms();
  const workers = options.workers === undefined ? [] : ['--workers', String(options.workers)];
  const server = await startServer(programs, ['--env', ENVIRONMENT, '--backend', options.backend, ...workers]);
  console.log(`demo ${JSON.stringify(options)}`);
  console.log(`server: ${server.url} serves ${ENVIRONMENT}; backend: ${server.backend ?? 'unknown'}`);
  console.log(`${server.url.replace(/^ws/, 'http')}/ shows it in a browser\n`);
  const log = join(options.out, 'trials.jsonl');
  try {
    const agentFlags = ['--url', server.url, '--env-options', JSON.stringify(ENV_OPTIONS)];
    agentFlags.push('--evaluations', String(options.evaluations), '--seed', String(options.seed));
    agentFlags.push(...AGENT_FLAGS, startedTrialLog(log) ? '--resume' : '--log', log);
    agentFlags.push('--go-on', `npm run demo -- ${given.join(' ')}`);
    const agent = programs.start('agents/reinforce.ts', agentFlags, 'inherit');
    const [code] = (await once(agent, 'close')) as [number | null];
    if (code !== 0 && !programs.interrupted) throw new Error(`the agent ended with ${code ?? 'a signal'}`);
  } finally {
    await server.stop();
  }
  if (programs.interrupted) process.exit(130);
  console.log('\ndrawing');
  const pictures = await drawRun(log, options.out, runtimeOf(options));
  for (const { path, what } of pictures) console.log(`${path}  ${what}`);
  console.log(`${log}  every evaluation of the run`);
}

await runProgram('demo', main);
