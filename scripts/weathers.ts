/** `npm run weathers`: measures how well a small network tells the four weathers apart in fresh pictures. */
import { integer, jsonObject, seed as seedFlag, THETA_HELP } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { completeTheta, type Theta } from '../protocol/parameters.ts';
import { deriveSeed, type Seed } from '../protocol/random.ts';
import { createRenderer } from '../env/render/create-renderer.ts';
import { evaluationSeeds } from '../env/evaluate.ts';
import { drawSamples } from '../env/simulators/draw-samples.ts';
import { stratified } from '../env/simulators/stratified.ts';
import { TRAFFIC_PARAMETERS, WEATHERS } from '../env/simulators/traffic/parameters.ts';
import { trafficSimulator, type TrafficImage } from '../env/simulators/traffic/traffic.ts';
import type { CountableImage } from '../env/tasks/counting/counts.ts';
import { countingTask } from '../env/tasks/counting.ts';
import { markdownTable } from './markdown.ts';
import { backendFlag, rendererFlag, runtimeOf, type RuntimeFlags } from './runtime-flags.ts';

interface Flags extends RuntimeFlags {
  readonly theta: Theta;
  readonly images: number;
  readonly fresh: number;
  readonly steps: number;
  readonly width: number;
  readonly height: number;
  readonly seed: Seed;
}

const command = newCommand('weathers')
  .description('Measures how well a small network tells the four weathers apart in fresh pictures.')
  .option('--theta <file|json>', `${THETA_HELP}; all weathers are equally frequent`, jsonObject, {})
  .option('--images <n>', 'number of training images', integer(1), 800)
  .option('--fresh <n>', 'number of fresh images', integer(1), 400)
  .option('--steps <n>', 'number of steps of the optimiser', integer(1), 400)
  .option('--width <pixels>', 'width of each image', integer(16, 1024), 96)
  .option('--height <pixels>', 'height of each image', integer(16, 1024), 72)
  .option('--seed <n>', 'decides everything random', seedFlag, 1)
  .addOption(backendFlag())
  .addOption(rendererFlag())
  .parse();

/**
 * A picture as one thing that is everywhere, whose type is the weather: who counts the things of each type names the
 * weather.
 */
function weatherEverywhere({ width, height, rgb, weather }: TrafficImage): CountableImage {
  return {
    width,
    height,
    rgb,
    instances: new Uint16Array(width * height).fill(1),
    cars: [{ instance: 1, type: weather }],
  };
}

await runProgram('weathers', async () => {
  const { theta, images, fresh, steps, width, height, seed, ...flags } = command.opts<Flags>();
  const runtime = runtimeOf(flags);
  const traffic = trafficSimulator({ width, height, renderer: createRenderer(runtime.renderer) });
  const equal = completeTheta(TRAFFIC_PARAMETERS, { ...theta, weather: WEATHERS.map(() => 1 / WEATHERS.length) });
  const draw = async (set: string, count: number) =>
    (await drawSamples(stratified(traffic, ['weather']), equal, deriveSeed(seed, set), count)).map(weatherEverywhere);
  const task = countingTask({ types: WEATHERS, batchSize: 16, steps, augment: false }, runtime);
  const model = await task.train(await draw('training', images), evaluationSeeds(seed), () => {});
  const truth = await draw('fresh', fresh);
  const taken = WEATHERS.map(() => WEATHERS.map(() => 0));
  let right = 0;
  for (const [i, prediction] of (await model.predict(truth)).entries()) {
    const actual = WEATHERS.findIndex((weather) => weather === truth[i]!.cars[0]!.type);
    const likeliest = prediction.indexOf(Math.max(...prediction));
    taken[actual]![likeliest]!++;
    if (likeliest === actual) right++;
  }
  model.dispose();
  const rows = WEATHERS.map((weather, i) => [weather, ...taken[i]!.map(String)]);
  console.log(markdownTable(['weather', ...WEATHERS.map((weather) => `taken for ${weather}`)], rows).join('\n'));
  console.log(`right: ${((100 * right) / fresh).toFixed(1)} % of ${fresh} fresh pictures`);
});
