/** `npm run dataset`: writes a data set of the traffic simulator in formats that other tools read. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { filePath, integer, jsonObject, seed, THETA_HELP } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { createRenderer } from '../env/render/create-renderer.ts';
import { identityOfRenderer } from '../env/render/renderer-identity.ts';
import type { RendererName } from '../env/runtime.ts';
import { TRAFFIC } from '../env/simulators/traffic/traffic.ts';
import { isHidden } from '../env/streets/hidden-files.ts';
import { frameIndex, removeParts } from '../env/dataset/frame.ts';
import { readJson, summarise } from '../env/dataset/summary.ts';
import type { Report, Share } from './dataset/writer.ts';
import { writeWhole } from '../protocol/whole-file.ts';
import { completeTheta, type Theta } from '../protocol/parameters.ts';
import { rendererFlag } from './runtime-flags.ts';

const options = newCommand('dataset')
  .description(
    'Writes pictures of the traffic simulator with their labels: images/, labels/ (Cityscapes train ids), ' +
      'labels_camvid/ (CamVid’s 11 classes), instances/ (16 bit), depth/ (16 bit, centimetres, 0 = sky), ' +
      'annotations.json (COCO), metadata.jsonl (everything that was drawn) and frames/ (the same, one file per picture). ' +
      'Run it again after a stop to write the missing pictures, or with a larger --count to add some.',
  )
  .requiredOption('--out <folder>', 'folder of the data set', filePath)
  .requiredOption('--count <n>', 'number of pictures', integer(1, 1_000_000))
  .option('--theta <file|json>', THETA_HELP, jsonObject, {})
  .option('--seed <n>', 'seed of the data set', seed, 1)
  .option('--width <pixels>', 'width of each picture', integer(8, 4096), 320)
  .option('--height <pixels>', 'height of each picture', integer(8, 4096), 240)
  .addOption(rendererFlag())
  .option('--workers <n>', 'number of processes that draw', integer(1, 1024), availableParallelism())
  .parse()
  .opts<{
    out: string;
    count: number;
    theta: Theta;
    seed: number;
    width: number;
    height: number;
    renderer: RendererName;
    workers: number;
  }>();

/** The number of pictures that is worth another process. */
const SHARE = 32;

async function main(): Promise<void> {
  const { out, count, seed, width, height, renderer, workers } = options;
  const theta = completeTheta(TRAFFIC.parameters, options.theta);
  const drawnBy = renderer === 'software' ? {} : { renderer: identityOfRenderer(createRenderer(renderer)) };
  const known = { simulator: `${TRAFFIC.name} ${TRAFFIC.version}`, ...drawnBy, seed, width, height, theta };
  removeParts(out);
  claim(out, known);
  const there = pictureCount(out);
  if (count < there)
    throw new Error(`--count: expected at least ${there}, since ${out} has that many pictures, got ${count}`);
  console.log(`dataset ${JSON.stringify(options)}`);
  const all = { out, theta, seed, width, height, renderer, count };
  const { done, isStopped } = await writePictures(all, Math.min(workers, Math.ceil(count / SHARE)));
  if (isStopped) {
    console.log(`stopped after ${done} of ${count} pictures: the same command goes on, and describes them at its end`);
    process.exitCode = 130;
    return;
  }
  summarise(out, count, { width, height });
  console.log(out);
}

/**
 * Writes the missing pictures; each of n processes takes every n-th picture.
 *
 * @returns the number of pictures that are there, and whether an interrupt stopped it
 * @throws {Error} with the first reason, when processes fail
 */
async function writePictures(
  { count, ...all }: Omit<Share, 'first' | 'step'>,
  processes: number,
): Promise<{ done: number; isStopped: boolean }> {
  const path = fileURLToPath(new URL('./dataset/writer.ts', import.meta.url));
  let [done, written] = [0, 0];
  let reason: string | undefined;
  const start = performance.now();
  const writers = Array.from({ length: processes }, (_, first) => {
    const share: Share = { ...all, count, first, step: processes };
    const writer = fork(path, [JSON.stringify(share)]);
    writer.on('message', (report: Report) => {
      if ('error' in report) return void (reason ??= report.error);
      done++;
      if (report.isNew) written++;
      if (done % 100 !== 0 && done !== count) return;
      const rate = (written / (performance.now() - start)) * 1000;
      console.log(`${done} of ${count} pictures, ${written} of them new, ${rate.toFixed(0)} a second`);
    });
    return writer;
  });
  const stop = () => writers.forEach((writer) => writer.kill('SIGINT'));
  let isStopped = false;
  const interrupted = () => {
    isStopped = true;
    stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, interrupted); // not `once`: the terminal and npm both send it
  let failed = 0;
  await Promise.all(
    writers.map(async (writer) => {
      const [code, signal] = (await once(writer, 'close')) as [number | null, NodeJS.Signals | null];
      if (code === 0 || signal === 'SIGINT') return; // the signal came before the process listened to it
      failed++;
      stop();
    }),
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted);
  if (failed > 0) {
    const got = reason ?? 'one that ended without a word';
    throw new Error(`${failed} of ${processes} processes failed: ${got}; the same command goes on`);
  }
  return { done, isStopped };
}

/** The number of the last picture in a folder, plus 1: missing pictures before it are counted too. */
function pictureCount(folder: string): number {
  const frames = join(folder, 'frames');
  if (!existsSync(frames)) return 0;
  return readdirSync(frames).reduce((most, name) => Math.max(most, (frameIndex(name) ?? -1) + 1), 0);
}

/** Claims a folder for this data set. @throws {Error} when it has another data set, or other files */
function claim(folder: string, known: object): void {
  const path = join(folder, 'dataset.json');
  const expected = '--out: expected an empty folder or one of the same θ, seed, size and renderer';
  if (!existsSync(path)) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const other = names.find((name) => !isHidden(name));
    if (other !== undefined) throw new Error(`${expected}, got ${folder}, which has ${other} and no dataset.json`);
    writeWhole(path, `${JSON.stringify(known, null, 2)}\n`);
    return;
  }
  const found = readJson(
    path,
    `write ${JSON.stringify(known)} into it if the pictures are of this θ, seed, size and renderer`,
  );
  if (!isDeepStrictEqual(found, JSON.parse(JSON.stringify(known)))) {
    throw new Error(
      `${expected}, got another: ${difference(JSON.parse(JSON.stringify(known)) as object, found)} (${path})`,
    );
  }
}

/** The first field in which two descriptions differ, such as `seed 2, 1 there`. */
function difference(own: object, there: unknown, place = ''): string {
  for (const [name, value] of Object.entries(own)) {
    const other = (there as Record<string, unknown> | null)?.[name];
    if (isDeepStrictEqual(value, other)) continue;
    const path = place === '' ? name : `${place}.${name}`;
    const isNested = [value, other].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
    if (isNested) return difference(value as object, other, path);
    return `${path} ${JSON.stringify(value)}, ${other === undefined ? 'none' : JSON.stringify(other)} there`;
  }
  return 'it has more fields';
}

await runProgram('dataset', main);
