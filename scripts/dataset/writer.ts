/** Writes a share of a data set's pictures: one of the processes of `npm run dataset`. */
import sharp from 'sharp';
import { createRenderer } from '../../env/render/create-renderer.ts';
import type { RendererName } from '../../env/runtime.ts';
import { annotator } from '../../env/simulators/traffic/annotations.ts';
import { trafficSimulator } from '../../env/simulators/traffic/traffic.ts';
import { sentenceOf } from '../../agents/run/run-program.ts';
import type { Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import { isWhole, writeFrame } from '../../env/dataset/frame.ts';

/** The writer's task, as JSON in its first argument. */
export interface Share {
  readonly out: string;
  readonly theta: Theta;
  readonly seed: Seed;
  readonly width: number;
  readonly height: number;
  readonly renderer: RendererName;
  /** The pictures are `first`, `first` + `step`, … below `count`. */
  readonly count: number;
  readonly first: number;
  readonly step: number;
}

/** The writer's report on each picture, whether it had to be drawn; or why the writer ends. */
export type Report = { readonly isNew: boolean } | { readonly error: string };

const {
  out,
  theta,
  seed,
  width,
  height,
  renderer: drawnBy,
  count,
  first,
  step,
} = JSON.parse(process.argv[2]!) as Share;
let isStopped = false;
const stop = () => (isStopped = true);
process.on('SIGINT', stop); // from the terminal, or passed on: the current picture is still written
process.on('disconnect', stop);
sharp.concurrency(1);
/** Resolves when the report is sent: signals are handled in between, and no report is lost at the end. */
const report = (message: Report) =>
  new Promise<void>((resolve) => process.send!(message, undefined, undefined, () => resolve()));

try {
  const renderer = createRenderer(drawnBy);
  const set = trafficSimulator({ width, height, renderer }).open(theta, seed);
  const annotate = annotator(renderer);
  for (let index = first; index < count && !isStopped; index += step) {
    const isNew = !isWhole(out, index);
    if (isNew) {
      const image = await set.draw(index);
      await writeFrame(out, index, image, await annotate(image), { seed, theta });
    }
    await report({ isNew });
  }
} catch (error) {
  await report({ error: sentenceOf(error) });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
