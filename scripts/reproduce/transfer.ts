/** How well networks find the cars of real streets that were trained on drawn ones, without a search. */
import real from '../../env/experiments/traffic-segmentation-real.ts';
import { TRAFFIC_PARAMETERS } from '../../env/simulators/traffic/parameters.ts';
import type { Theta } from '../../protocol/parameters.ts';
import { onEachSeed, randomThetas } from './arms.ts';
import { allImages, drawRealPredictions, fewImages, REAL_METRICS } from './real-images.ts';
import { middleOf, withScore } from './streets.ts';
import type { Study } from './study.ts';

const ABOUT =
  'Mean ± half of the 95 % interval (Student’s t) over n trainings, each on images, first weights and batches of its own (random: each on a θ of its own). test: the official test split, other streets; validation and heldOut: blocks of the training streets that no network is trained on.';

/** @param theta set by hand: beside it the middle of θ's ranges, random θ, and the same network trained on real images, all and few */
export function transferStudy(theta: Theta): Study {
  return {
    name: 'transfer',
    environment: real.id,
    backend: 'TensorFlow.js',
    needsData: true,
    presets: {}, // its program has a flag for each number
    arms: {
      handSet: {
        kind: 'trained',
        title: () => 'hand-set θ',
        drawn: onEachSeed(theta),
      },
      centre: {
        kind: 'trained',
        title: () => 'the middle of θ’s ranges',
        drawn: onEachSeed(middleOf([])),
      },
      random: {
        kind: 'trained',
        title: () => 'random θ',
        drawn: ({ preset }) => randomThetas(TRAFFIC_PARAMETERS, preset.randomThetas),
      },
      real: allImages,
      realFew: fewImages,
    },
    ...REAL_METRICS,
    about: ABOUT,
    figures: [],
    pictures: [
      {
        file: 'predictions.png',
        needs: 'networks, which have to be trained, and real images',
        draw: (evidence, path, runtime) => {
          const [random] = randomThetas(TRAFFIC_PARAMETERS, 1);
          const thetas = [
            { name: withScore(evidence, 'random', 'a random θ'), theta: random! },
            { name: withScore(evidence, 'handSet', 'the hand-set θ'), theta },
          ];
          return drawRealPredictions(evidence, thetas, path, runtime);
        },
      },
    ],
  };
}
