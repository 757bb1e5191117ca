/** Pictures of a run on traffic scenes, from its log: rewards, scenes, and predictions of the trained networks. */
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { readTrialLog, type EvaluationRecord, type LogRecord } from '../../agents/run/trial-log.ts';
import { evaluationSeeds } from '../../env/evaluate.ts';
import { trafficSegmentation } from '../../env/experiments/traffic-segmentation.ts';
import type { Runtime } from '../../env/runtime.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { askedClasses, askedNames } from '../../env/tasks/segmentation/pictures.ts';
import { streetClasses } from '../../env/tasks/segmentation/merged-classes.ts';
import { classColours, classKey } from '../../env/streets/colours.ts';
import type { Theta } from '../../protocol/parameters.ts';
import { writeChart } from './chart.ts';
import { writeSheet, type Cell } from './sheet.ts';

const SCENES = 6;

export interface ShownTheta {
  readonly name: string;
  readonly theta: Theta;
}

/**
 * Draws `reward`, `scenes` and `predictions` of a finished run into a folder.
 *
 * @param runtime the runtime for training the networks whose predictions are drawn
 * @throws {Error} when the log has no summary: the run did not end
 */
export async function drawRun(
  log: string,
  folder: string,
  runtime: Runtime,
): Promise<{ path: string; what: string }[]> {
  const { header, records } = readTrialLog(log);
  const summary = records.find((record) => record.type === 'summary');
  if (summary === undefined) throw new Error(`${log}: expected a run that has ended, got one without a summary`);
  const reported = (summary as unknown as { reported: readonly ShownTheta[] }).reported;

  const options = header.environment.options as Parameters<typeof trafficSegmentation>[0];
  const experiment = trafficSegmentation(options, runtime);
  const reward = await writeChart(
    rewardChart(records, `${header.agent} on ${header.environment.id}`),
    join(folder, 'reward'),
  );
  const scenes = join(folder, 'scenes.png');
  await drawScenes(experiment, reported, scenes);
  const predictions = join(folder, 'predictions.png');
  const networks = reported.map(({ name, theta }) => ({ name: `${name} θ`, theta }));
  await drawPredictions(experiment, networks, predictions);
  return [
    { path: reward, what: 'reward of each evaluation' },
    { path: scenes, what: 'scenes and labels of the start, of the learned θ, and of the hidden θ*' },
    { path: predictions, what: 'test scenes: image, truth, and what each network predicts' },
  ];
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];

/** Reward over evaluations: points for the evaluations, steps for the best so far, a line for the mean of the last 8. */
function rewardChart(records: readonly LogRecord[], title: string): TopLevelSpec {
  const searched = records
    .filter((record): record is EvaluationRecord => record.type === 'evaluation' && record.key.startsWith('search/'))
    .map(({ key, reward }) => ({ evaluation: Number(key.slice('search/'.length)) + 1, reward }))
    .sort((a, b) => a.evaluation - b.evaluation);
  const x = { field: 'evaluation', type: 'quantitative', title: 'evaluation' } as const;
  const line = (calculate: 'max' | 'mean', frame: [number | null, number], series: string): Layer => ({
    transform: [
      { filter: 'datum.reward !== null' },
      { window: [{ op: calculate, field: 'reward', as: 'value' }], frame, sort: [{ field: 'evaluation' }] },
      { calculate: `'${series}'`, as: 'series' },
    ],
    mark: { type: 'line', interpolate: calculate === 'max' ? 'step-after' : 'linear' },
    encoding: {
      x,
      y: { field: 'value', type: 'quantitative' },
      color: { field: 'series', type: 'nominal', title: null },
    },
  });
  return {
    title,
    data: { values: searched },
    width: 520,
    height: 280,
    layer: [
      {
        mark: { type: 'point', filled: true, size: 36, opacity: 0.55, color: '#777' },
        encoding: { x, y: { field: 'reward', type: 'quantitative', title: 'reward (validation score)' } },
      },
      line('max', [null, 0], 'best so far'),
      line('mean', [-7, 0], 'mean of the last 8'),
    ],
  };
}

type SegmentationExperiment = ReturnType<typeof trafficSegmentation>;

const cell = ({ width, height }: LabelledImage, rgb: Uint8Array, caption?: string): Cell => ({
  width,
  height,
  rgb,
  ...(caption !== undefined && { caption }),
});

async function drawScenes(
  { simulator, target }: SegmentationExperiment,
  reported: readonly ShownTheta[],
  path: string,
): Promise<void> {
  const sets: { name: string; images: readonly LabelledImage[] }[] = [];
  for (const { name, theta } of reported)
    sets.push({ name: `${name} θ`, images: await drawSamples(simulator, theta, 1, SCENES) });
  sets.push({ name: 'hidden θ*\n(test)', images: (await target.test()).slice(0, SCENES) });
  const rows = sets.flatMap(({ name, images }) => [
    { caption: name, cells: images.map((image) => cell(image, image.rgb)) },
    { cells: images.map((image) => cell(image, classColours(image.classes))) },
  ]);
  const keys = [classKey(sets.flatMap(({ images }) => images.map(({ classes }) => classes)))];
  await writeSheet({ title: 'Scenes and their labels', rows, keys, scale: 3 }, path);
}

/** What a network is trained on: streets of θ, or images that are there already. */
type TaughtBy = ShownTheta | { readonly name: string; readonly images: readonly LabelledImage[] };

/**
 * Draws test images, their labels, and the predictions of a network trained on each of these, as a PNG: labels and
 * predictions in the classes that the network is asked for.
 *
 * @param photographs where the picture with the test images goes, if `path` must not show them: photographs of others
 *   are no part of this repository
 */
export async function drawPredictions(
  experiment: Pick<SegmentationExperiment, 'simulator' | 'task' | 'trainingSamples'> & {
    readonly target: Pick<SegmentationExperiment['target'], 'test'>;
  },
  networks: readonly TaughtBy[],
  path: string,
  photographs = path,
): Promise<void> {
  const { simulator, task, target, trainingSamples } = experiment;
  const test = await target.test();
  const images = Array.from({ length: SCENES }, (_, i) => test[Math.floor((i * test.length) / SCENES)]!);
  const asked = streetClasses();
  const truth = images.map((image) => askedClasses(image.classes, asked));
  const shown = { caption: 'test image', cells: images.map((image) => cell(image, image.rgb)) };
  const rows = [{ caption: 'truth', cells: images.map((image, i) => cell(image, classColours(truth[i]!))) }];
  const labels = [...truth];
  const seeds = evaluationSeeds(1);
  for (const network of networks) {
    const samples =
      'images' in network
        ? network.images
        : await drawSamples(simulator, network.theta, seeds.simulation, trainingSamples);
    const model = await task.train(samples, seeds, () => {});
    const predicted = await model.predict(images);
    model.dispose();
    labels.push(...predicted.map(({ classes }) => classes));
    rows.push({
      caption: `trained on\n${network.name}`,
      cells: images.map((image, i) => cell(image, classColours(predicted[i]!.classes))),
    });
  }
  const sheet = { title: 'What the networks see', keys: [classKey(labels, askedNames(asked))], scale: 3 };
  if (photographs !== path) await writeSheet({ ...sheet, rows }, path);
  await writeSheet({ ...sheet, rows: [shown, ...rows] }, photographs);
}
