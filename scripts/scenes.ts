/** `npm run scenes`: draws contact sheets of the traffic simulator. */
import { dirname, join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { filePath, integer, jsonObject, seed, THETA_HELP, word } from '../agents/run/flags.ts';
import { makeFolder } from '../protocol/make-folder.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { completeTheta, type Parameter, type Theta } from '../protocol/parameters.ts';
import { deriveSeed } from '../protocol/random.ts';
import { createRenderer } from '../env/render/create-renderer.ts';
import type { Renderer } from '../env/render/renderer.ts';
import type { RendererName } from '../env/runtime.ts';
import { TRAFFIC, trafficSimulator } from '../env/simulators/traffic/traffic.ts';
import { type Row, type Sheet, writeSheet } from './figures/sheet.ts';
import {
  certainly,
  contactSheet,
  mostTelling,
  pictureSheet,
  type Source,
  sweep,
  weatherSheet,
} from './figures/street-sheets.ts';
import { randomTheta } from './random-theta.ts';
import { rendererFlag } from './runtime-flags.ts';

/** Reads the name of a sheet's file: .png or .jpg. */
function picture(word: string): string {
  if (/\.(png|jpg)$/.test(word)) return word;
  throw new InvalidArgumentError(`Expected a file that ends in .png or .jpg, got "${word}".`);
}

const options = newCommand('scenes')
  .description('Draws a contact sheet of the traffic simulator: images, class labels and depth.')
  .option('--theta <file|json>', THETA_HELP, jsonObject, {})
  .addOption(
    new Option('--random-theta', 'a new random θ for each scene, uniform over the action cube')
      .default(false)
      .conflicts(['theta', 'sweep']),
  )
  .option(
    '--sweep <name|all>',
    'sweep a parameter from low to high on the same scenes; all: each parameter, on the scene that shows it best. --theta overrides the rest of θ, which otherwise suits the sweep',
    word,
  )
  .option('--seed <n>', 'seed of the data set', seed, 1)
  .option('--count <n>', 'number of scenes on the sheet, or of steps in a sweep', integer(1, 1000), 8)
  .option('--width <pixels>', 'width of each image', integer(8, 4096), 160)
  .option('--height <pixels>', 'height of each image', integer(8, 4096), 120)
  .addOption(rendererFlag())
  .option('--scale <n>', 'pixels of the sheet for each pixel of an image', integer(1, 16), 2)
  .option('--out <file>', 'file of the sheet: .png or .jpg', picture, 'runs/scenes.png')
  .addOption(
    new Option('--gallery <folder>', 'draw all sheets of env/README.md, as JPEG files; --out and --count are ignored')
      .argParser(filePath)
      .conflicts(['sweep', 'randomTheta']),
  )
  .parse()
  .opts<{
    theta: Theta;
    randomTheta: boolean;
    sweep?: string;
    seed: number;
    count: number;
    width: number;
    height: number;
    renderer: RendererName;
    scale: number;
    out: string;
    gallery?: string;
  }>();

const { parameters } = TRAFFIC;

const randomThetaOf = (index: number) => randomTheta(parameters, deriveSeed(options.seed, 'random theta', index));

/** The parameters that `--sweep` names. */
function swept(name: string): readonly Parameter[] {
  const chosen = name === 'all' ? parameters : parameters.filter((parameter) => parameter.name === name);
  if (chosen.length === 0) {
    const names = parameters.map((parameter) => parameter.name).join(', ');
    throw new RangeError(`--sweep: expected all or one of ${names}, got ${name}`);
  }
  return chosen;
}

async function sweepSheet(source: Source, given: Theta, name: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const parameter of swept(name)) {
    const scenes = name === 'all' ? [await mostTelling(source, given, parameter)] : [0, 1, 2];
    rows.push(...(await sweep(source, given, parameter, scenes, options.count)));
  }
  return rows;
}

/** The number of rows on a sheet of sweeps. */
const SWEEPS_A_SHEET = 13;

/** The size of the pictures on the sheet `large`. */
const LARGE = { width: 1280, height: 720 };

/**
 * Draws the pictures of env/README.md: scenes and labels, all sweeps, a sheet for each label of each simplex, and a
 * large picture of each weather.
 */
async function gallery(source: Source, given: Theta, folder: string, renderer: Renderer): Promise<void> {
  const save = async (name: string, sheet: Sheet) => {
    const path = join(folder, `${name}.jpg`);
    await writeSheet({ ...sheet, scale: options.scale }, path);
    console.log(path);
  };
  const scenes = await contactSheet(source, () => given, 8);
  await save('scenes', scenes);
  await save('random-theta', await contactSheet(source, randomThetaOf, 8));
  for (let first = 0, sheet = 1; first < parameters.length; first += SWEEPS_A_SHEET, sheet++) {
    const rows: Row[] = [];
    for (const parameter of parameters.slice(first, first + SWEEPS_A_SHEET))
      rows.push(...(await sweep(source, given, parameter, [await mostTelling(source, given, parameter)], 6)));
    await save(`sweep-${sheet}`, { rows });
  }
  for (const parameter of parameters) {
    if (parameter.kind !== 'simplex' || parameter.name === 'carTypes') continue;
    const near: Theta = parameter.name === 'junctions' ? { junctionDistance: 25 } : {};
    for (const [i, label] of parameter.labels.entries()) {
      const theta = { ...near, ...given, ...certainly(parameter, i) };
      await save(`${parameter.name}-${label}`, { rows: await pictureSheet(source, theta, 12) });
    }
  }
  await save('large', {
    rows: await weatherSheet({ ...source, simulator: trafficSimulator({ ...LARGE, renderer }) }, given),
  });
}

await runProgram('scenes', async () => {
  const { theta: given, seed, width, height, renderer } = options;
  completeTheta(parameters, given); // throws an error if a parameter is wrong
  const draws = createRenderer(renderer);
  const source = { simulator: trafficSimulator({ width, height, renderer: draws }), seed };
  if (options.sweep !== undefined) swept(options.sweep);
  makeFolder(options.gallery ?? dirname(options.out)); // an error now, not when all is drawn
  console.log(JSON.stringify(options));
  if (options.gallery !== undefined) await gallery(source, given, options.gallery, draws);
  else {
    const thetaOf = options.randomTheta ? randomThetaOf : () => given;
    const { sweep: name, count, scale, out } = options;
    const sheet =
      name === undefined ? await contactSheet(source, thetaOf, count) : { rows: await sweepSheet(source, given, name) };
    await writeSheet({ ...sheet, scale }, out);
    console.log(out);
  }
});
