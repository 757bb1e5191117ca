/** Compares images per CPU second of our renderers and of programs that a user could choose instead. */
import { fileURLToPath } from 'node:url';
import { hasWebgl, openWebgl } from '../../env/render/webgl/context.ts';
import type { RendererName } from '../../env/runtime.ts';
import { absent, DEFAULT_PYTHON, medians, rateOf, type Contender } from './rounds.ts';

export interface RenderBenchOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** The number of measurements of each; medians are compared. */
  readonly rounds: number;
  readonly json?: boolean;
}

const OURS = 'ours, boxes';
/** Scenes of render-ours.ts. */
const SCENES = {
  [OURS]: 'boxes',
  'ours, boxes, antialiased': 'boxes-antialiased',
  'ours, traffic, drawing': 'traffic-drawing',
  'ours, traffic, whole samples': 'traffic',
  'ours, the same, one sample a pixel': 'traffic-plain',
};
/** The same scenes, by three's WebGLRenderer. */
const WEBGL_SCENES = {
  'webgl, boxes': 'boxes',
  'webgl, boxes, antialiased': 'boxes-antialiased',
  'webgl, traffic, drawing': 'traffic-drawing',
  'webgl, traffic, whole samples': 'traffic',
};
const PEERS = { pybullet: 'render_pybullet.py', mujoco: 'render_mujoco.py' };

/** Runs a program that prints its images per CPU second. */
function rate(command: string, args: readonly string[], options: RenderBenchOptions): Promise<number> {
  const { width, height, seconds } = options;
  return rateOf(command, [...args, width, height, seconds].map(String), (seconds * 20 + 240) * 1000);
}

function ours(renderer: RendererName, scenes: object, options: RenderBenchOptions): [string, Contender][] {
  const program = fileURLToPath(new URL('render-ours.ts', import.meta.url));
  return Object.entries(scenes).map(([name, scene]) => [
    name,
    () => rate(process.execPath, [...process.execArgv, program, renderer, String(scene)], options), // execArgv loads tsx
  ]);
}

/** The scenes by WebGL; prints what draws them, or that nothing is installed. */
function byWebgl(options: RenderBenchOptions): [string, Contender][] {
  if (!hasWebgl()) {
    console.log('webgl: absent (npm run setup:webgl builds it)');
    return [];
  }
  console.log(`webgl: ${openWebgl().driver}`);
  return ours('webgl', WEBGL_SCENES, options);
}

/** The peers that are installed here; prints why the others are absent. */
async function installedPeers(options: RenderBenchOptions): Promise<[string, Contender][]> {
  const found: [string, Contender][] = [];
  for (const [name, file] of Object.entries(PEERS)) {
    const program = fileURLToPath(new URL(`peers/${file}`, import.meta.url));
    try {
      await rate(DEFAULT_PYTHON, [program], { ...options, seconds: 0.1 });
      found.push([name, () => rate(DEFAULT_PYTHON, [program], options)]);
    } catch (error) {
      absent(name, DEFAULT_PYTHON, error);
    }
  }
  return found;
}

/** Measures all contenders in turn, round after round, and prints medians and ratios. */
export async function benchRender(options: RenderBenchOptions): Promise<void> {
  const { width, height, rounds, json } = options;
  const own = [...ours('software', SCENES, options), ...byWebgl(options)];
  const peers = new Map(await installedPeers(options));
  const rates = await medians(new Map([...own, ...peers]), rounds, 'img/s');
  console.log(`\nmedians of ${rounds} rounds, ${width}×${height}, colours + segmentation + depth, images a CPU second`);
  for (const [name, value] of rates) {
    const ratio = peers.has(name) ? `   ours is ${(rates.get(OURS)! / value).toFixed(1)} times as fast` : '';
    console.log(`${name.padEnd(34)} ${value.toFixed(0).padStart(6)} img/s${ratio}`);
  }
  if (json) {
    const rounded = [...peers.keys()].map((name) => [name, Math.round(rates.get(name)!)]);
    const measured = Object.fromEntries(rounded) as Record<string, number>;
    console.log(JSON.stringify({ ours: Math.round(rates.get(OURS)!), peers: measured }));
  }
}
