/** Several θ side by side: their streets, and what networks see that were trained on these. */
import { evaluationSeeds } from '../../env/evaluate.ts';
import type { trafficSegmentation } from '../../env/experiments/traffic-segmentation.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import { classColours, classKey } from '../../env/streets/colours.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { spread } from '../../env/targets/spread.ts';
import { streetClasses } from '../../env/tasks/segmentation/merged-classes.ts';
import { askedClasses, askedNames } from '../../env/tasks/segmentation/pictures.ts';
import type { Theta } from '../../protocol/parameters.ts';
import { writeSheet, type Cell, type Row } from './sheet.ts';

/** Pictures in a row. */
export const ACROSS = 5;
/** Pixels of a sheet that a picture is wide, about: captions can be read on a page that shows the whole sheet. */
const PICTURE_WIDTH = 200;

/** Pixels of a sheet for each pixel of these pictures. */
export const scaleFor = ([image]: readonly { readonly width: number }[]) =>
  Math.max(1, Math.round(PICTURE_WIDTH / image!.width));

export interface ShownTheta {
  readonly name: string;
  readonly theta: Theta;
}

type SegmentationExperiment = ReturnType<typeof trafficSegmentation>;

export const cell = ({ width, height }: LabelledImage, rgb: Uint8Array): Cell => ({ width, height, rgb });

/** The images themselves. */
export const imageRow = (caption: string, images: readonly LabelledImage[]): Row => ({
  caption,
  cells: images.map((image) => cell(image, image.rgb)),
});

/**
 * Draws the same scenes of each θ, as a PNG.
 *
 * @param real images beside which they are to be seen, and where the picture with some of these goes: photographs of
 *   others are no part of this repository
 */
export async function drawStreets(
  simulator: SegmentationExperiment['simulator'],
  thetas: readonly ShownTheta[],
  path: string,
  real?: { readonly images: readonly LabelledImage[]; readonly path: string },
): Promise<void> {
  const drawn: LabelledImage[] = [];
  const rows: Row[] = [];
  for (const { name, theta } of thetas) {
    const images = await drawSamples(simulator, theta, 1, ACROSS);
    drawn.push(...images);
    rows.push(imageRow(name, images));
  }
  const sheet = { title: 'The same scenes with each θ', scale: scaleFor(drawn) };
  await writeSheet({ ...sheet, rows }, path);
  if (real)
    await writeSheet({ ...sheet, rows: [...rows, imageRow('real images', spread(real.images, ACROSS))] }, real.path);
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
  const images = spread(test, ACROSS);
  const asked = streetClasses();
  const truth = images.map((image) => askedClasses(image.classes, asked));
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
      caption: `trained on\n${'images' in network ? '' : 'streets of '}${network.name}`,
      cells: images.map((image, i) => cell(image, classColours(predicted[i]!.classes))),
    });
  }
  const sheet = {
    title: 'What the networks see',
    keys: [classKey(labels, askedNames(asked))],
    scale: scaleFor(images),
  };
  if (photographs !== path) await writeSheet({ ...sheet, rows }, path);
  await writeSheet({ ...sheet, rows: [imageRow('test image', images), ...rows] }, photographs);
}
