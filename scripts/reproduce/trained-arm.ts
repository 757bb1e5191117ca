/** Networks that are trained on given images, real ones or drawn ones, and scored on real streets. */
import type { trafficSegmentationReal } from '../../env/experiments/traffic-segmentation-real.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { deriveSeed } from '../../protocol/random.ts';
import type { Arm, Scores } from './experiment.ts';

export type RealExperiment = ReturnType<typeof trafficSegmentationReal>;

/** How many real images are few. */
export const FEW = 50;

/**
 * The scores of networks that are trained on these sets of images, one for each; the further test sets by name.
 *
 * @throws {Error} when interrupted between two trainings
 */
export async function trainedArm(
  { task, target }: RealExperiment,
  title: string,
  sets: Iterable<readonly LabelledImage[]> | AsyncIterable<readonly LabelledImage[]>,
  interrupted = () => false,
): Promise<Arm> {
  const validation: Scores[] = [];
  const test: Scores[] = [];
  for await (const samples of sets) {
    if (interrupted()) throw new Error('interrupted; the same command goes on');
    const number = test.length + 1;
    console.log(`${title}: training ${number}`);
    const seed = deriveSeed(number, 'real training');
    const seeds = { initialisation: deriveSeed(seed, 'initialisation'), order: deriveSeed(seed, 'order') };
    const model = await task.train(samples, seeds, () => {});
    validation.push(await model.score(await target.validation()));
    const scores: Record<string, number> = { ...(await model.score(await target.test())) };
    for (const [set, images] of Object.entries(target.alsoTest ?? {})) {
      for (const [metric, score] of Object.entries(await model.score(await images())))
        scores[`${set}.${metric}`] = score;
    }
    test.push(scores);
    model.dispose();
  }
  return { title, evaluations: 0, validation, test };
}
