/** A picture of what networks detect that were trained on the streets of several θ. */
import { evaluationSeeds } from '../../env/evaluate.ts';
import type { trafficDetection } from '../../env/experiments/traffic-detection.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import { boxColour, boxKey, trueBoxes } from '../../env/streets/box-pictures.ts';
import type { Rectangle } from '../../env/streets/boxed-image.ts';
import { spread } from '../../env/targets/spread.ts';
import { SURE } from '../../env/tasks/detection/pictures.ts';
import { writeSheet, type Cell, type Outline } from './sheet.ts';
import { ACROSS, scaleFor, type ShownTheta } from './side-by-side.ts';

type DetectionExperiment = ReturnType<typeof trafficDetection>;

/**
 * Draws test images with their true boxes, and with those that each network finds, as a PNG.
 *
 * @param classes that are detected
 */
export async function drawDetections(
  { simulator, task, target, trainingSamples }: DetectionExperiment,
  classes: readonly string[],
  thetas: readonly ShownTheta[],
  path: string,
): Promise<void> {
  const test = await target.test();
  const images = spread(test, ACROSS);
  const cells = (outlinesOf: (image: number) => Outline[]): Cell[] =>
    images.map(({ width, height, rgb }, i) => ({ width, height, rgb, outlines: outlinesOf(i) }));
  const outline = ({ x, y, width, height }: Rectangle, colour: Outline['colour'], opacity = 1): Outline => {
    return { x, y, width, height, colour, opacity };
  };
  const truth = cells((i) => trueBoxes(images[i]!, classes).map(({ colour, ...box }) => outline(box, colour)));
  const rows = [{ caption: 'truth', cells: truth }];
  const seeds = evaluationSeeds(1);
  for (const { name, theta } of thetas) {
    const samples = await drawSamples(simulator, theta, seeds.simulation, trainingSamples);
    const model = await task.train(samples, seeds, () => {});
    const found = await model.predict(images);
    model.dispose();
    const drawn = cells((i) =>
      found[i]!.flatMap((detections, c) =>
        detections.filter(({ score }) => score >= SURE).map((box) => outline(box, boxColour(c), box.score)),
      ),
    );
    rows.push({ caption: `trained on\nstreets of ${name}`, cells: drawn });
  }
  const keys = [{ title: 'boxes; the fainter, the less sure', entries: boxKey(classes) }];
  await writeSheet({ title: 'What the networks detect', rows, keys, scale: scaleFor(images) }, path);
}
