/** Measures our speed and the speed of programs that a user could choose instead: `npm run bench -- render`. */
import { InvalidArgumentError } from 'commander';
import { benchBackbone } from './bench/backbone.ts';
import type { NetworkBenchOptions } from './bench/beside-torch.ts';
import { benchProtocol, type ProtocolBenchOptions } from './bench/protocol.ts';
import { benchMemory } from './bench/memory.ts';
import { benchPage, type PageBenchOptions } from './bench/page.ts';
import { benchPageCost, type PageCostBenchOptions } from './bench/page-cost.ts';
import { benchEvaluate, type EvaluateBenchOptions } from './bench/evaluate.ts';
import { benchPrograms, type ProgramsBenchOptions } from './bench/programs.ts';
import { benchPythonClient, type PythonClientBenchOptions } from './bench/python-client.ts';
import { DEFAULT_PYTHON } from './bench/rounds.ts';
import { benchQueue, type QueueBenchOptions } from './bench/queue.ts';
import { benchRender, type RenderBenchOptions } from './bench/render.ts';
import { processor } from './bench/processor.ts';
import { benchTrain } from './bench/train.ts';
import { benchTrainers, type TrainersBenchOptions } from './bench/trainers.ts';
import { jsonObject, word } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runCommands, runProgram } from '../agents/run/run-program.ts';
import { backendFlag, dataFlag } from './runtime-flags.ts';
import { PYTHON } from './setup/python-folder.ts';

function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= low && value <= high)) throw new InvalidArgumentError(`expected ${low} to ${high}, got ${text}`);
    return value;
  };
}

function positive(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError(`expected a number above 0, to 3600, got ${text}`);
  return value;
}

function announce(name: string, options: object): void {
  console.log(`bench ${name} ${JSON.stringify(options)}\nprocessor: ${processor()}`);
}

const program = newCommand('bench').description(
  'Measures speed. Our programs and others run in turn, and medians are compared.',
);

program
  .command('render')
  .description(
    'images per CPU second: our software renderer, three’s by WebGL (if installed), pybullet and MuJoCo (if python3 finds them)',
  )
  .option('--width <pixels>', 'width of an image', integer(1, 4096), 128)
  .option('--height <pixels>', 'height of an image', integer(1, 4096), 64)
  .option('--seconds <s>', 'length of one measurement, in CPU seconds', positive, 2)
  .option('--rounds <n>', 'number of measurements of each', integer(1, 100), 3)
  .option('--json', 'end with one line of JSON: {"ours": img/s, "peers": {name: img/s}}')
  .action(async (options: RenderBenchOptions) => {
    announce('render', options);
    await benchRender(options);
  });

program
  .command('protocol')
  .description('steps per second of the server, with journal: ours, OpenEnv (if python has openenv-core), a bare echo')
  .option('--seconds <s>', 'length of one measurement', positive, 5)
  .option('--rounds <n>', 'number of measurements of each', integer(1, 100), 5)
  .option('--python <path>', 'Python that has openenv-core', word, DEFAULT_PYTHON)
  .option('--json', 'end with one line of JSON: {name: steps/s}')
  .action(async (options: ProtocolBenchOptions) => {
    announce('protocol', options);
    await benchProtocol(options);
  });

program
  .command('python-client')
  .description('what the client of agents/python adds to a step: beside bare websockets to our server, and to an echo')
  .option('--seconds <s>', 'length of one measurement', positive, 3)
  .option('--rounds <n>', 'number of measurements of each', integer(1, 100), 5)
  .option('--python <path>', 'Python that has what the package needs (default: of npm run setup:python)', word, PYTHON)
  .option('--json', 'end with one line of JSON: {name: ms a step}')
  .action(async (options: PythonClientBenchOptions) => {
    announce('python-client', options);
    await benchPythonClient(options);
  });

const networkBench = (name: string, description: string, size: { width: number; height: number }) =>
  program
    .command(name)
    .description(description)
    .option('--width <pixels>', 'width of an image', integer(8, 1024), size.width)
    .option('--height <pixels>', 'height of an image', integer(8, 1024), size.height)
    .option('--batch <n>', 'images at once', integer(1, 256), 8)
    .option('--seconds <s>', 'length of one measurement, in CPU seconds', positive, 4)
    .option('--rounds <n>', 'number of measurements of each', integer(1, 100), 3)
    .addOption(backendFlag())
    .option('--python <path>', 'Python that has torch', word, DEFAULT_PYTHON)
    .option('--json', 'end with one line of JSON: {"ours": img/s, "backend": name, "peers": {"pytorch": img/s}}');

networkBench('train', 'training images per CPU second: ours on each backend, the same network in PyTorch', {
  width: 96,
  height: 72,
}).action(async (options: NetworkBenchOptions) => {
  announce('train', options);
  await benchTrain(options);
});

networkBench('backbone', 'images per CPU second through the pretrained backbone: ours and PyTorch', {
  width: 160,
  height: 120,
}).action(async (options: NetworkBenchOptions) => {
  announce('backbone', options);
  await benchBackbone(options);
});

program
  .command('evaluate')
  .description('the stages of one evaluation, and two workers compared with one')
  .option('--env <id>', 'environment', word, 'TrafficSegmentation-v0')
  .option('--preset <name>', 'a preset of the environment', word)
  .option('--env-options <json>', 'options of the environment', jsonObject)
  .addOption(backendFlag())
  .addOption(dataFlag())
  .option('--evaluations <n>', 'evaluations of each measurement', integer(1, 1000), 8)
  .option('--memory <n>', 'instead: the memory of a worker over n evaluations', integer(1, 1_000_000))
  .option('--json', 'end with one line of JSON')
  .action(async ({ memory, ...options }: EvaluateBenchOptions & { memory?: number }) => {
    announce('evaluate', { ...options, memory });
    await (memory === undefined ? benchEvaluate(options) : benchMemory(options, memory));
  });

program
  .command('queue')
  .description('evaluations that do nothing: through a Redis (redis-server must be there), and in child processes')
  .option('--evaluations <n>', 'evaluations of each measurement', integer(10, 100_000), 100)
  .option('--workers <n>', 'workers that wait, to measure what these cost', integer(50, 100_000), 1000)
  .option('--json', 'end with one line of JSON')
  .action(async (options: QueueBenchOptions) => {
    announce('queue', options);
    await benchQueue(options);
  });

program
  .command('page')
  .description('how soon Chromium shows the page of a server with a long run, and what a new evaluation costs it')
  .option('--evaluations <n>', 'evaluations of the run', integer(100, 100_000), 10_000)
  .option('--updates <n>', 'new evaluations in each view', integer(1, 1000), 10)
  .option('--rounds <n>', 'first views', integer(1, 100), 5)
  .option('--json', 'end with one line of JSON')
  .action(async (options: PageBenchOptions) => {
    announce('page', options);
    await benchPage(options);
  });

program
  .command('page-cost')
  .description('evaluations a minute with and without the page open in Chromium, in turn, on this machine')
  .option('--env <id>', 'environment', word, 'TrafficSegmentation-v0')
  .option('--env-options <json>', 'options of the environment', jsonObject, { preset: 'quick' })
  .option('--evaluations <n>', 'evaluations of each measurement', integer(1, 1000), 12)
  .option('--rounds <n>', 'pairs of measurements', integer(1, 100), 6)
  .option('--json', 'end with one line of JSON')
  .action(async (options: PageCostBenchOptions) => {
    announce('page-cost', options);
    await benchPageCost(options);
  });

program
  .command('programs')
  .description('what an evaluation costs beyond the time of its programs, where simulator and trainer are programs')
  .option('--width <pixels>', 'width of an image', integer(16, 1024), 96)
  .option('--height <pixels>', 'height of an image', integer(16, 1024), 72)
  .option('--images <n>', 'images that the simulator writes', integer(1, 10_000), 200)
  .option('--evaluations <n>', 'number of measurements', integer(1, 1000), 20)
  .option('--json', 'end with one line of JSON: {"evaluationMs", "programsMs", "overheadMs"}')
  .action(async (options: ProgramsBenchOptions) => {
    announce('programs', options);
    await benchPrograms(options);
  });

program
  .command('trainers')
  .description('IoU and seconds of our segmentation and of the trainer in PyTorch, on the same images')
  .option('--width <pixels>', 'width of an image', integer(16, 1024), 96)
  .option('--height <pixels>', 'height of an image', integer(16, 1024), 72)
  .option('--images <n>', 'images to train on, and as many to score on', integer(1, 10_000), 200)
  .option('--steps <n>', 'steps of the optimiser', integer(1, 1_000_000), 250)
  .option('--seeds <n>', 'trainings of each', integer(1, 1000), 3)
  .addOption(backendFlag())
  .option('--python <path>', 'Python that has torch and Pillow (default: of npm run setup:python)', word, PYTHON)
  .option('--json', 'end with one line of JSON')
  .action(async (options: TrainersBenchOptions) => {
    announce('trainers', options);
    await benchTrainers(options);
  });

await runProgram('bench', async () => {
  endDescendants();
  await runCommands(program);
});
