/** Searches over integers, booleans and choices beside a number, by every agent. */
import assert from 'node:assert/strict';
import { bestFirst, clip, type Agent, type Problem, type Trial } from '../../agents/agent.ts';
import { cem } from '../../agents/cem.ts';
import { cmaEs } from '../../agents/cma-es.ts';
import { gaussianProcess } from '../../agents/gaussian-process.ts';
import { randomSearch } from '../../agents/random-search.ts';
import { reinforce } from '../../agents/reinforce.ts';
import {
  actionSize,
  actionToTheta,
  canonicalAction,
  defineParameters,
  thetaToAction,
  type ThetaOf,
} from '../../protocol/parameters.ts';
import { Random } from '../../protocol/random.ts';

const table = [
  { kind: 'continuous', name: 'height', low: 0, high: 1, scale: 'linear', default: 0, unit: 'm', meaning: '' },
  { kind: 'integer', name: 'lanes', low: 1, high: 12, scale: 'linear', default: 2, unit: '1', meaning: '' },
  {
    kind: 'categorical',
    name: 'sky',
    choices: ['clear', 'rain', 'snow', 'fog', 'hail'],
    default: 'clear',
    meaning: '',
  },
  { kind: 'boolean', name: 'night', default: false, meaning: '' },
] as const;
const parameters = defineParameters(table);
const size = actionSize(parameters);
const centre = Array<number>(size).fill(0);
const canonical = (action: readonly number[]) => canonicalAction(parameters, action);
const thetaOf = (action: readonly number[]) => actionToTheta(parameters, action) as unknown as ThetaOf<typeof table>;

/** 1 at the best θ: height .7, 9 lanes, snow (fog is half as bad as the other skies), at night. */
function gain(action: readonly number[]): number {
  const { height, lanes, sky, night } = thetaOf(action);
  const wrongSky = { clear: 0.6, rain: 0.6, snow: 0, fog: 0.3, hail: 0.6 }[sky];
  return 1 - 2 * (height - 0.7) ** 2 - 2 * ((lanes - 9) / 11) ** 2 - wrongSky - (night ? 0 : 0.3);
}

/** The winner among the best three trials and the recommendation, after a number of evaluations with this noise. */
function search(make: (problem: Problem) => Agent, start: number[], seed: number, evaluations: number, noise: number) {
  const random = new Random(seed + 100);
  const agent = make({ size, start, random: new Random(seed), canonical });
  const trials: Trial[] = [];
  while (trials.length < evaluations) {
    const told = agent.ask().map((action) => ({ action, reward: gain(action) + random.normal(0, noise) }));
    agent.tell(told);
    trials.push(...told);
  }
  const own = agent.recommend?.();
  const candidates = bestFirst(trials)
    .slice(0, 3)
    .map(({ action }) => action);
  return [...candidates, ...(own ? [own] : [])].reduce((a, b) => (gain(b) > gain(a) ? b : a));
}

const SEEDS = [1, 2, 3, 4, 5, 6];
const policy = {
  ...{ sigma: 0.3, sigmaDecay: 0.97, sigmaFloor: 0.05, learnSigma: false, learningRate: 0.1 },
  ...{ baselineDecay: 0.8, average: 0, antithetic: false },
};
const agents: Record<string, [evaluations: number, make: (problem: Problem) => Agent]> = {
  'random search': [400, (problem) => randomSearch(problem, { batch: 8 })],
  REINFORCE: [400, (problem) => reinforce(problem, { ...policy, batch: 8, ascent: 'adam', advantage: 'baseline' })],
  CEM: [400, (problem) => cem(problem, { population: 16, elite: 4, sigma: 0.4, sigmaFloor: 0.1, smoothing: 0.7 })],
  'CMA-ES': [400, (problem) => cmaEs(problem, { sigma: 0.4, sigmaFloor: 0.05 })],
  'the Gaussian process': [40, (problem) => gaussianProcess(problem, { initial: 16, batch: 4 })],
};

describe('a search over integers, booleans and choices', () => {
  for (const [name, [evaluations, make]] of Object.entries(agents)) {
    it(`finds the right ones from the middle: ${name} @slow`, () => {
      for (const seed of SEEDS) {
        const { lanes, sky, night } = thetaOf(search(make, centre, seed, evaluations, 0.05));
        assert.deepEqual([sky, night], ['snow', true], `seed ${seed}`);
        assert.ok(Math.abs(lanes - 9) <= 2, `seed ${seed}: ${lanes} lanes`);
      }
    });
  }

  it('draws the other values too where it starts from a θ', () => {
    const start = thetaToAction(parameters, { lanes: 6 });
    const random = new Random(1);
    const drawn = Array.from({ length: 200 }, () => thetaOf(clip(start.map((a) => random.normal(a, 0.3)))));
    const shareOf = (value: (theta: (typeof drawn)[number]) => boolean) => drawn.filter(value).length / drawn.length;
    for (const choice of ['clear', 'rain', 'snow', 'fog', 'hail'])
      assert.ok(shareOf(({ sky }) => sky === choice) > 0.02, choice);
    assert.ok(shareOf(({ night }) => night) > 0.1, 'some at night');
    assert.ok(shareOf(({ sky }) => sky === 'clear') > 0.5 && shareOf(({ night }) => !night) > 0.5, 'most at the start');
  });

  it('asks the Gaussian process for one action for all that give a θ', () => {
    const problem = { size, start: centre, random: new Random(1), canonical };
    const agent = gaussianProcess(problem, { initial: 8, batch: 4 });
    agent.tell(agent.ask().map((action) => ({ action, reward: gain(action) })));
    const asked = [...agent.ask(), agent.recommend!()];
    assert.deepEqual(asked, asked.map(canonical));
  });

  it('finds more where actions that give one θ are one point of the Gaussian process @slow', () => {
    const found = { canonical: 0, plain: 0 };
    for (const seed of SEEDS) {
      const make = (problem: Problem) => gaussianProcess(problem, { initial: 16, batch: 4 });
      const plain = ({ size, start, random }: Problem) => make({ size, start, random });
      const best = search(make, thetaToAction(parameters, {}), seed, 48, 0.3);
      found.canonical += gain(best) / SEEDS.length;
      found.plain += gain(search(plain, thetaToAction(parameters, {}), seed, 48, 0.3)) / SEEDS.length;
    }
    assert.ok(found.canonical > found.plain + 0.05, JSON.stringify(found));
  });
});
