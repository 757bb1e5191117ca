/** A trainer that is somebody's program: it trains a model on files, and scores it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shown, valueAt } from '../../protocol/errors.ts';
import { makeFolder } from '../../protocol/make-folder.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import type { PictureSize } from '../simulators/traffic/scene.ts';
import { FailedError } from '../failed-error.ts';
import type { ProgramsRuntime } from '../runtime.ts';
import type { Metric, Scores, Scoring, Task } from '../tasks/task.ts';
import { call, failing } from './call.ts';
import { CONTRACT, trainerResult, type ProgressLine, type TrainerRequest, type TrainerResult } from './contract.ts';
import type { Program } from './program.ts';
import type { StoredImage } from './simulator.ts';

export interface TrainerProgram {
  /** Tells programs apart: the command. */
  readonly name: string;
  readonly program: Program;
  readonly metrics: readonly Metric[];
  readonly reward: string;
  readonly size: PictureSize;
  readonly options: TrainerRequest['options'];
  /** Whether the working folder stays. */
  readonly keep: boolean;
}

/** A set that is scored: in the folder of its first image. */
async function folderOf(set: Scoring<StoredImage>['validation'], signal: AbortSignal | undefined) {
  const images = await failing('trainer', () => set(signal));
  return { images, folder: images[0]!.folder };
}

/** The metrics of a trainer, as the server's command line names them. */
export function metricsOf({ metrics }: NonNullable<ProgramsRuntime['trainer']>): Metric[] {
  return metrics.map(({ name, low, high }) => {
    return { name, meaning: 'as the trainer writes it', low: low ?? -Infinity, high: high ?? Infinity };
  });
}

/** A task that is a program. It trains and scores in one call, so that its model knows the scores of these sets only. */
export function programTask({
  name,
  program,
  metrics,
  reward,
  size,
  options,
  keep,
}: TrainerProgram): Task<StoredImage> {
  return {
    name: `program ${name}`,
    version: CONTRACT,
    metrics,
    reward,
    async train(samples, seeds, report, scoring) {
      if (!scoring)
        throw new RangeError('trainer: expected the sets to score, got none: a program has no model to hand out');
      const { signal, early } = scoring;
      const data = samples[0]!.folder;
      const validation = await folderOf(scoring.validation, signal);
      const test = scoring.test && (await folderOf(scoring.test, signal));
      const place = join(dirname(data), 'trainer');
      const out = join(place, 'out');
      await failing('trainer', () => makeFolder(out));
      const { width, height } = size;
      await call(
        'trainer',
        program,
        {
          kind: 'train',
          data,
          count: samples.length,
          validation: validation.folder,
          ...(test && { test: test.folder }),
          seeds: { initialisation: seeds.initialisation, order: seeds.order },
          metrics: metrics.map((metric) => metric.name),
          early_scores: early,
          width,
          height,
          options,
          out,
        },
        place,
        { isKept: keep, signal, onProgress: (line) => report(progressOf(line, early, metrics)) },
      );
      const { scores, test_scores } = readResult(join(out, 'result.json'), metrics, test !== undefined);
      const scored = new Map([[validation.images, scoresIn(scores, metrics)]]);
      if (test) scored.set(test.images, scoresIn(test_scores!, metrics));
      return {
        async score(images) {
          const known = scored.get(images);
          if (!known) throw new RangeError('trainer: expected a set that the program has scored, got another one');
          return known;
        },
        dispose() {},
      };
    },
  };
}

/** What a line says: an unscored one has no metric of the task, whose clients would take it for a score. */
function progressOf({ fraction, metrics = {}, scored = false }: ProgressLine, early: boolean, of: readonly Metric[]) {
  if (scored && early) return { fraction, scores: metrics };
  const others = Object.entries(metrics).filter(([name]) => of.every((metric) => metric.name !== name));
  return { fraction, metrics: Object.fromEntries(others) };
}

/** The scores by metric; what else the program has written is left out. */
function scoresIn(scores: TrainerResult['scores'], metrics: readonly Metric[]): Scores {
  return Object.fromEntries(metrics.map(({ name }) => [name, scores[name] ?? NaN]));
}

/** @throws {FailedError} naming what is missing or wrong in the file */
function readResult(path: string, metrics: readonly Metric[], isTested: boolean): TrainerResult {
  const failed = (text: string) => new FailedError(`trainer: ${path}: ${text}`);
  let text: string;
  try {
    if (!isRegularFile(path)) throw failed('expected the scores, found no file');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw error instanceof FailedError ? error : failed((error as Error).message);
  }
  let value: unknown;
  try {
    value = JSON.parse(withoutNaN(text));
  } catch {
    throw failed(`expected JSON, got ${shown(text)}`);
  }
  const parsed = trainerResult.safeParse(value);
  if (!parsed.success) {
    const { path: at, message } = parsed.error.issues[0]!;
    throw failed(`${at.join('.') || 'the file'}: ${message}, got ${shown(valueAt(value, at))}`);
  }
  const sets = { scores: parsed.data.scores, ...(isTested && { test_scores: parsed.data.test_scores }) };
  for (const [set, scores] of Object.entries(sets)) {
    if (!scores) throw failed(`${set}: expected the scores of the test set, which were asked for, found none`);
    for (const { name, low, high } of metrics) {
      const score = scores[name];
      if (score === undefined)
        throw failed(`${set}: expected ${name}, got ${Object.keys(scores).join(', ') || 'nothing'}`);
      if (score !== null && !(low <= score && score <= high)) {
        throw failed(`${set}: expected ${name} from ${low} to ${high}, as its metric says, got ${score}`);
      }
    }
  }
  return parsed.data;
}

/** Python writes a score that is no number as NaN or Infinity, which is no JSON: a training that diverged. */
function withoutNaN(text: string): string {
  return text.replace(/(?<=[:[,]\s*)(NaN|-?Infinity)(?=\s*[,\]}])/g, 'null');
}
