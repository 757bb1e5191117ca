/** `npm run scenes`: contact sheets of the traffic simulator, to look at. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { actionSize, actionToTheta, type Theta } from '../protocol/parameters.ts';
import { deriveSeed, Random } from '../protocol/random.ts';
import { trafficSimulator } from '../env/simulators/traffic/traffic.ts';
import { type Row, writeSheet } from './figures/sheet.ts';
import { certainly, contactSheet, mostTelling, pictureSheet, sweep } from './figures/street-sheets.ts';
import { readTheta, THETA_HELP } from './theta-flag.ts';

/** A whole number from `low` upwards. */
const whole = (low: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= low) return value;
  throw new InvalidArgumentError(`expected a whole number from ${low}, got ${text}`);
};

const options = new Command('scenes')
  .description('Draws a contact sheet of the traffic simulator: images, class labels and depth.')
  .option('--theta <file|json>', THETA_HELP, '{}')
  .option('--random-theta', 'a new random θ for each scene, uniform over the action cube', false)
  .option(
    '--sweep <name|all>',
    'a parameter, or each, swept from low to high on the same scene; of all, on the scene that shows it best',
  )
  .option('--seed <n>', 'seed of the data set', whole(0), 1)
  .option('--count <n>', 'scenes on the sheet; steps of a sweep', whole(1), 8)
  .option('--width <pixels>', 'of each image', whole(8), 160)
  .option('--height <pixels>', 'of each image', whole(8), 120)
  .option('--scale <n>', 'pixels of the sheet for each pixel of an image', whole(1), 2)
  .option('--out <file>', 'where the sheet goes: .png or .jpg', 'runs/scenes.png')
  .option('--gallery <folder>', 'all the sheets of env/README.md, as JPEG files; --out and --count do not count')
  .parse()
  .opts<{
    theta: string;
    randomTheta: boolean;
    sweep?: string;
    seed: number;
    count: number;
    width: number;
    height: number;
    scale: number;
    out: string;
    gallery?: string;
  }>();
console.log(JSON.stringify(options));

const simulator = trafficSimulator({ width: options.width, height: options.height });
const { parameters } = simulator;
const source = { simulator, seed: options.seed };

function randomTheta(index: number): Theta {
  const random = new Random(deriveSeed(options.seed, 'random theta', index));
  const action = Array.from({ length: actionSize(parameters) }, () => random.uniform(-1, 1));
  return actionToTheta(parameters, action);
}

function sweepSheet(base: Theta, name: string): Row[] {
  const chosen = name === 'all' ? parameters : parameters.filter((parameter) => parameter.name === name);
  if (chosen.length === 0) {
    const names = parameters.map((parameter) => parameter.name).join(', ');
    throw new RangeError(`--sweep: expected all or one of ${names}, got ${name}`);
  }
  return chosen.flatMap((parameter) => {
    const scenes = name === 'all' ? [mostTelling(source, base, parameter)] : [0, 1, 2];
    return sweep(source, base, parameter, scenes, options.count);
  });
}

/** Rows of a sheet of sweeps. */
const SWEEPS_A_SHEET = 13;

/** The pictures of env/README.md: scenes and labels, all sweeps, and a sheet for each weather and kind of junction. */
async function gallery(base: Theta, folder: string): Promise<void> {
  const save = async (name: string, rows: Row[]) => {
    const path = join(folder, `${name}.jpg`);
    await writeSheet({ rows, scale: options.scale }, path);
    console.log(path);
  };
  await mkdir(folder, { recursive: true });
  await save(
    'scenes',
    contactSheet(source, () => base, 8),
  );
  await save('random-theta', contactSheet(source, randomTheta, 8));
  for (let first = 0, sheet = 1; first < parameters.length; first += SWEEPS_A_SHEET, sheet++) {
    const some = parameters.slice(first, first + SWEEPS_A_SHEET);
    await save(
      `sweep-${sheet}`,
      some.flatMap((parameter) => sweep(source, base, parameter, [mostTelling(source, base, parameter)], 6)),
    );
  }
  for (const parameter of parameters) {
    if (parameter.kind !== 'simplex' || parameter.name === 'carTypes') continue;
    const near: Theta = parameter.name === 'junctions' ? { junctionDistance: 25 } : {};
    for (const [i, label] of parameter.labels.entries()) {
      const theta = { ...base, ...near, ...certainly(parameter, i) };
      await save(`${parameter.name}-${label}`, pictureSheet(source, theta, 12));
    }
  }
}

try {
  const base = readTheta(parameters, options.theta);
  if (options.gallery !== undefined) await gallery(base, options.gallery);
  else {
    const thetaOf = options.randomTheta ? randomTheta : () => base;
    const { sweep: name, count, scale, out } = options;
    const rows = name === undefined ? contactSheet(source, thetaOf, count) : sweepSheet(base, name);
    await mkdir(dirname(out), { recursive: true });
    await writeSheet({ rows, scale }, out);
    console.log(out);
  }
} catch (error) {
  console.error(`scenes: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
