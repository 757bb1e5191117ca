/**
 * Every optimiser on one table of evaluations, over many seeds: `npm run reproduce -- leaderboard --table FILE`.
 *
 * An evaluation is looked up in milliseconds (`Table-v0`), so 20 seeds of 13 optimisers are affordable, where a few would
 * not tell them apart. What they find is scored by five lookups each of the test scores. Two searches see rewards without
 * noise: the most that less noise could gain them.
 */
import table from '../../env/experiments/table.ts';
import { readDescription } from '../../env/tables/description.ts';
import { everySearch, randomArm, repeatedArm } from './arms.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { curvesFigure } from './reward-curves.ts';
import type { Arm, SearchArm, Study } from './study.ts';
import { ALIKE, optimisers } from './third-party.ts';

const noiseless = (arm: SearchArm): SearchArm => {
  return { ...arm, title: `${arm.title}, if there were no noise`, searchOptions: { noise: false } };
};

/** @param file the table, with its description beside it @throws {Error} in a sentence, when there is none, or it is wrong */
export function leaderboardStudy(file: string): Study {
  const { parameters, start, reward } = readDescription(file);
  const all = optimisers({ ppoBatch: 12, axParallel: 4, ...ALIKE });
  const arms = {
    ...all,
    reinforceFewNoiseless: noiseless(all.reinforceFew),
    gaussianProcessNoiseless: noiseless(all.gaussianProcess),
    start: repeatedArm('the start', start),
    random: randomArm('random θ', parameters),
  } satisfies Record<string, Arm>;
  return {
    name: 'leaderboard',
    environment: table.id,
    backend: 'a table',
    table: file,
    presets: {
      quick: { searchSeeds: 1, evaluations: everySearch(arms, 16), randomThetas: 5, envOptions: {} },
      standard: { searchSeeds: 20, evaluations: everySearch(arms, 96), randomThetas: 100, envOptions: {} },
    },
    arms,
    learned: { seeds: 5 },
    metric: reward,
    alsoReported: [],
    about:
      'Mean ± half of the 95 % interval (Student’s t) over n seeds of the search (over seeds for the start, over θ for random ones). Each found θ is scored on five further seeds. The searches saw validation alone.',
    figures: [
      evaluationsToReachFigure({ metric: reward, seeds: 5 }),
      curvesFigure({
        file: 'rewards',
        title: 'Rewards during the search',
        axis: `${reward}, validation`,
        score: (scores) => scores[reward],
        levels: [{ arm: 'start' }, { arm: 'random' }],
      }),
    ],
    isLean: true,
  };
}
