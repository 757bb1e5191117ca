/** Measures how many images a CPU second we draw, beside the programs that a user would pick instead. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface RenderBenchOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** How often everything is measured; medians are compared. */
  readonly rounds: number;
  readonly json?: boolean;
}

/** Draws images for some seconds of computing and gives how many a second. */
type Contender = (seconds: number) => Promise<number>;

const OURS = 'ours, boxes';
const PEERS = { pybullet: 'render_pybullet.py', mujoco: 'render_mujoco.py' };

/** A program that prints its images a CPU second, in a process of its own. */
function contender(command: string, args: readonly string[], { width, height }: RenderBenchOptions): Contender {
  return async (seconds) => {
    const all = [...args, String(width), String(height), String(seconds)];
    const { stdout } = await promisify(execFile)(command, all, { timeout: (seconds * 20 + 60) * 1000 });
    const value = Number(stdout.trim().split('\n').at(-1));
    if (!(value > 0)) throw new Error(`${args.at(-1)}: expected images a second, got "${stdout}"`);
    return value;
  };
}

/** One of the scenes of render-ours.ts. */
function ours(scene: string, options: RenderBenchOptions): Contender {
  const program = fileURLToPath(new URL('render-ours.ts', import.meta.url));
  return contender(process.execPath, [...process.execArgv, program, scene], options); // execArgv brings tsx along.
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The last line of what a failed Python program said. */
function lastWords(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n').at(-1)!;
}

/** Which peers are installed here, and a word about those that are not. */
async function installedPeers(options: RenderBenchOptions): Promise<Map<string, Contender>> {
  const found = new Map<string, Contender>();
  for (const [name, file] of Object.entries(PEERS)) {
    const peer = contender('python3', [fileURLToPath(new URL(`peers/${file}`, import.meta.url))], options);
    try {
      await peer(0.1);
      found.set(name, peer);
    } catch (error) {
      console.log(`${name}: absent (${lastWords(error)})`);
    }
  }
  return found;
}

/** Measures all in turn, round after round, and prints medians and their ratios. */
export async function benchRender(options: RenderBenchOptions): Promise<void> {
  const { width, height, seconds, rounds, json } = options;
  const peers = await installedPeers(options);
  const contenders = new Map<string, Contender>([
    [OURS, ours('boxes', options)],
    ['ours, boxes, antialiased', ours('boxes-antialiased', options)],
    ['ours, traffic, drawing', ours('traffic-drawing', options)],
    ['ours, traffic, whole samples', ours('traffic', options)],
    ...peers,
  ]);
  const rates = new Map([...contenders.keys()].map((name) => [name, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of contenders) {
      const value = await measure(seconds);
      rates.get(name)!.push(value);
      console.log(`round ${round} of ${rounds}: ${name} ${value.toFixed(0)} img/s`);
    }
  }
  const medians = new Map([...rates].map(([name, values]) => [name, median(values)]));
  const own = medians.get(OURS)!;
  console.log(`\nmedians of ${rounds} rounds, ${width}×${height}, colours + segmentation + depth, images a CPU second`);
  for (const [name, value] of medians) {
    const ratio = peers.has(name) ? `   ours is ${(own / value).toFixed(1)} times as fast` : '';
    console.log(`${name.padEnd(30)} ${value.toFixed(0).padStart(6)} img/s${ratio}`);
  }
  if (json) {
    const rounded = [...peers.keys()].map((name) => [name, Math.round(medians.get(name)!)]);
    console.log(
      JSON.stringify({ ours: Math.round(own), peers: Object.fromEntries(rounded) as Record<string, number> }),
    );
  }
}
