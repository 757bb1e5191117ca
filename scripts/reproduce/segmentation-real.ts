/**
 * The paper's headline (Ruiz et al. 2019, sec. 4.4): do learned streets teach a network more about real ones than
 * random streets do?
 *
 * Searched in a few chosen parameters, and in all. Beside the searches: the hand-set default θ, the same network trained
 * on real images (all, and few), and on learned streets together with the few.
 */
import { join } from 'node:path';
import { createExperiment } from '../../env/experiments/load.ts';
import real from '../../env/experiments/traffic-segmentation-real.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import { spread } from '../../env/targets/spread.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { completeTheta, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed } from '../../protocol/random.ts';
import { drawPredictions } from '../figures/run-pictures.ts';
import {
  ALL_FREE,
  bestOf,
  fixedArm,
  learnedArms,
  randomThetas,
  repeatedArm,
  runSearchArms,
  titlesOf,
  type SearchArm,
} from './arms.ts';
import { reportEvaluationsToReach } from './evaluations-to-reach.ts';
import type { Arm, Experiment, Laboratory } from './experiment.ts';
import {
  CAR_IOU,
  drawCarIou,
  middleOf,
  REPORT_SEEDS,
  segmentationSearches,
  SOFT_CAR_IOU,
  streetParameters,
} from './streets.ts';
import { FEW, trainedArm, type RealExperiment } from './trained-arm.ts';

/** What mattered most for real streets: brightness of ground against sky, the camera, what stands along the road. */
const CHOSEN = [
  ...['asphaltBrightness', 'wallBrightness', 'skyBrightness', 'fog', 'exposure', 'contrast'],
  ...['cameraHeight', 'cameraPitch', 'fieldOfView'],
  ...['buildingHeight', 'buildingShare', 'parkedShare', 'leadingRate', 'paintDarkness'],
];
/** Searches in all parameters have fewer runs: each is as long as one in few. */
const inAll = (arm: SearchArm): SearchArm => ({
  ...arm,
  title: `${arm.title}, all parameters`,
  envOptions: ALL_FREE,
  mostSeeds: 3,
});
const inFew = segmentationSearches();
const SEARCHES = {
  ...inFew,
  cem: { ...inFew['cem']!, mostSeeds: 3 },
  reinforceAll: inAll(inFew['reinforce']!),
  randomSearchAll: inAll(inFew['randomSearch']!),
};
const everySearch = (evaluations: number) => Object.fromEntries(Object.keys(SEARCHES).map((arm) => [arm, evaluations]));

/** Trained on real images, and on the streets of each learned θ together with a few real images. */
async function realArms(
  { programs }: Laboratory,
  experiment: RealExperiment,
  learned: readonly Theta[],
): Promise<Record<string, Arm>> {
  const all = await experiment.training();
  const few = spread(all, FEW);
  const repeated = (images: readonly LabelledImage[]) => learned.map(() => images);
  const mixed: (readonly LabelledImage[])[] = [];
  for (const [i, theta] of learned.entries()) {
    const seed = deriveSeed(i + 1, 'synthetic training');
    const synthetic = await drawSamples(experiment.simulator, theta, seed, experiment.trainingSamples);
    mixed.push([...synthetic, ...few]);
  }
  const trained = (title: string, sets: readonly (readonly LabelledImage[])[]) =>
    trainedArm(experiment, title, sets, () => programs.interrupted);
  return {
    real: await trained(`real images (${all.length})`, repeated(all)),
    realFew: await trained(`real images (${few.length})`, repeated(few)),
    reinforceAndFew: await trained(`REINFORCE’s streets and ${few.length} real images`, mixed),
  };
}

export const segmentationRealReproduction: Experiment = {
  environment: real.id,
  backend: 'TensorFlow.js',
  needsData: true,
  metric: CAR_IOU,
  alsoReported: ['heldOut.carIou', 'softCarIou', 'heldOut.softCarIou'],
  presets: {
    quick: {
      searchSeeds: 2,
      evaluations: everySearch(48),
      randomThetas: 20,
      envOptions: { preset: 'quick', free: CHOSEN },
    },
    standard: {
      searchSeeds: 5,
      evaluations: everySearch(120),
      randomThetas: 20,
      envOptions: { free: CHOSEN },
    },
  },
  async run(laboratory) {
    const { out, preset, runtime } = laboratory;
    const fixed = (name: string, title: string, thetas: readonly Theta[], free: readonly string[]) =>
      fixedArm(laboratory, real.id, { name, title, thetas, seeds: 1 }, { free });
    const drawn = (free: readonly string[]) => randomThetas(streetParameters(free), preset.randomThetas);
    const random = await fixed('random', 'random θ', drawn(CHOSEN), CHOSEN);
    const randomAll = await fixed('randomAll', 'random θ, all parameters', drawn([]), []);
    const byDefault = completeTheta(streetParameters([]), {});
    const repeated = (name: string, title: string, theta: Theta, free: readonly string[]) =>
      repeatedArm(laboratory, real.id, { name, title, theta }, { free });
    const handSet = await repeated('default', 'hand-set default θ', byDefault, []);
    const middle = middleOf(CHOSEN);
    const start = await repeated('start', 'the start, the middle of θ’s ranges', middle, CHOSEN);
    const byArm = await runSearchArms(laboratory, SEARCHES);
    const question = { environment: real.id, metric: SOFT_CAR_IOU, seeds: 2, titles: titlesOf(SEARCHES) };
    await reportEvaluationsToReach(laboratory, question, byArm);

    const experiment = createExperiment(real, preset.envOptions, runtime).experiment as RealExperiment;
    const thetas = byArm['reinforce']!.map(({ learned }) => learned.theta);
    const arms: Record<string, Arm> = {
      ...(await learnedArms(laboratory, real.id, SEARCHES, byArm, REPORT_SEEDS)),
      start,
      default: handSet,
      random,
      randomBest: bestOf('random θ, best on validation', random, CAR_IOU),
      randomAll,
      randomAllBest: bestOf('random θ, all parameters, best on validation', randomAll, CAR_IOU),
      ...(await realArms(laboratory, experiment, thetas)),
    };
    await drawCarIou(out, byArm, arms, ['real', 'default', 'random']);
    const shown = [
      { name: 'start', theta: completeTheta(streetParameters([]), middle) },
      { name: 'REINFORCE', theta: thetas[0]! },
      { name: 'default', theta: byDefault },
    ];
    await drawPredictions(experiment, shown, join(out, 'predictions.png'), false); // photographs stay with their owner
    return arms;
  },
};
