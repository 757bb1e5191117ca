/** Pictures of a run on traffic scenes, from its log: rewards, scenes, and predictions of the trained networks. */
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { readTrialLog, type EvaluationRecord, type LogRecord } from '../../agents/run/trial-log.ts';
import { trafficSegmentation } from '../../env/experiments/traffic-segmentation.ts';
import type { Runtime } from '../../env/runtime.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { classColours, classKey } from '../../env/streets/colours.ts';
import { writeChart } from './chart.ts';
import { writeSheet } from './sheet.ts';
import { ACROSS, cell, drawPredictions, imageRow, scaleFor, type ShownTheta } from './side-by-side.ts';

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
  const networks = reported.map(({ name, theta }) => ({ name: `the ${name} θ`, theta }));
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

async function drawScenes(
  { simulator, target }: SegmentationExperiment,
  reported: readonly ShownTheta[],
  path: string,
): Promise<void> {
  const sets: { name: string; images: readonly LabelledImage[] }[] = [];
  for (const { name, theta } of reported)
    sets.push({ name: `${name} θ`, images: await drawSamples(simulator, theta, 1, ACROSS) });
  sets.push({ name: 'hidden θ*\n(test)', images: (await target.test()).slice(0, ACROSS) });
  const rows = sets.flatMap(({ name, images }) => [
    imageRow(name, images),
    { cells: images.map((image) => cell(image, classColours(image.classes))) },
  ]);
  const images = sets.flatMap((set) => set.images);
  const keys = [classKey(images.map(({ classes }) => classes))];
  await writeSheet({ title: 'Scenes and their labels', rows, keys, scale: scaleFor(images) }, path);
}
