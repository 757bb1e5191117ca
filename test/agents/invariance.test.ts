/**
 * What no search may depend on, for every agent: the zero and the unit of the reward. Trials fail at random, in a part
 * of the space, and whole iterations at a time.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Agent, Problem, Trial } from '../../agents/agent.ts';
import { cem } from '../../agents/cem.ts';
import { cmaEs } from '../../agents/cma-es.ts';
import { gaussianProcess } from '../../agents/gaussian-process.ts';
import { randomSearch } from '../../agents/random-search.ts';
import { reinforce } from '../../agents/reinforce.ts';
import { Random } from '../../protocol/random.ts';

const policy = {
  ...{ batch: 4, sigma: 0.3, sigmaDecay: 0.97, sigmaFloor: 0.05, learnSigma: false, learningRate: 0.1 },
  ...{ baselineDecay: 0.8, average: 0.3, antithetic: false },
};
const agents: Record<string, (problem: Problem) => Agent> = {
  randomSearch: (problem) => randomSearch(problem, { batch: 4 }),
  cem: (problem) => cem(problem, { population: 6, elite: 3, sigma: 0.4, sigmaFloor: 0.1, smoothing: 0.7 }),
  cmaEs: (problem) => cmaEs(problem, { sigma: 0.4, sigmaFloor: 0.05 }),
  gaussianProcess: (problem) => gaussianProcess(problem, { initial: 5, batch: 2 }),
};
for (const ascent of ['adam', 'natural'] as const) {
  for (const advantage of ['baseline', 'normalised', 'ranked'] as const) {
    const options = { ...policy, ascent, advantage, learnSigma: ascent === 'natural' };
    agents[`reinforce, ${ascent}, ${advantage}`] = (problem) => reinforce(problem, options);
  }
}

/** A problem, and how its evaluations fail. */
interface RandomProblem {
  readonly size: number;
  readonly seed: number;
  /** The probability that an evaluation fails; above 0, all beyond a bound fail as well. */
  readonly failing: number;
  readonly reward: (action: readonly number[], random: Random) => number | null;
}

/** Rewards are multiples of 2⁻²⁰ within ±8, so that sums with the constants below are exact. */
const problems: fc.Arbitrary<RandomProblem> = fc
  .record({ size: fc.integer({ min: 1, max: 4 }), seed: fc.nat(), failing: fc.constantFrom(0, 0.2, 0.7) })
  .map(({ size, seed, failing }) => {
    const place = new Random(seed);
    const optimum = Array.from({ length: size }, () => place.uniform(-1, 1));
    const bound = place.uniform(-1, 1);
    const reward = (action: readonly number[], random: Random): number | null => {
      const away = action.reduce((sum, v, i) => sum + (v - optimum[i]!) ** 2, 0);
      const noisy = Math.round((random.normal(-0.5, 0.1) - away / size) * 2 ** 20) / 2 ** 20;
      return random.chance(failing) || (failing > 0 && action[0]! > bound) ? null : noisy;
    };
    return { size, seed, failing, reward };
  });

/** What an agent asks for and recommends in ten iterations, all components in one list. */
function search(make: (problem: Problem) => Agent, problem: RandomProblem, as: (reward: number) => number): number[] {
  const { size, seed, failing, reward } = problem;
  const random = new Random(seed + 1);
  const agent = make({ size, start: Array.from({ length: size }, () => 0.2), random: new Random(seed) });
  const seen: number[] = [];
  for (let iteration = 0; iteration < 10; iteration++) {
    const actions = agent.ask();
    const wholly = random.chance(failing / 2);
    const trials = actions.map((action): Trial => {
      const value = reward(action, random);
      return { action, reward: wholly || value === null ? null : as(value) };
    });
    agent.tell(trials);
    seen.push(...actions.flat(), ...(agent.recommend?.() ?? []));
  }
  return seen;
}

const same = (r: number) => r;

/** @throws when a number anywhere within is not finite */
function assertFinite(value: unknown): void {
  if (typeof value === 'number') assert.ok(Number.isFinite(value), String(value));
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(assertFinite);
}

for (const [name, make] of Object.entries(agents)) {
  const numRuns = name === 'gaussianProcess' ? 8 : 30;
  describe(`a search by ${name}`, () => {
    it('is the same, to the bit, when all rewards are multiplied by a power of two @slow', () => {
      fc.assert(
        fc.property(problems, fc.constantFrom(2 ** -900, 2 ** -30, 0.5, 4, 2 ** 30, 2 ** 900), (problem, scale) => {
          const scaled = search(make, problem, (r) => scale * r);
          assert.deepEqual(scaled, search(make, problem, same));
        }),
        { numRuns },
      );
    });

    it('is the same when a constant is added to all rewards, and when their unit is another @slow', () => {
      const changes = fc.constantFrom<(r: number) => number>(
        (r) => r + 1,
        (r) => r - 1000,
        (r) => 1e-9 * r,
        (r) => 1e9 * r,
        (r) => 1e9 * (r + 64),
        (r) => 1e-9 * (r - 64),
      );
      fc.assert(
        fc.property(problems, changes, (problem, change) => {
          const changed = search(make, problem, change);
          search(make, problem, same).forEach((value, i) => {
            assert.ok(Math.abs(changed[i]! - value) < 1e-6, `[${i}]: expected ${value}, got ${changed[i]}`);
          });
        }),
        { numRuns },
      );
    });

    it('goes on, with finite numbers, whatever the rewards', () => {
      const numbers = [Number.MAX_VALUE, 1.7e308, 1e200, 1, 1e-200, Number.MIN_VALUE, 0];
      const rewards = fc.array(fc.constantFrom(null, ...numbers, ...numbers.map((r) => -r)), { minLength: 1 });
      fc.assert(
        fc.property(rewards, fc.nat(), (rewards, seed) => {
          const agent = make({ size: 2, start: [0.2, -1], random: new Random(seed) });
          let told = 0;
          for (let iteration = 0; iteration < 8; iteration++) {
            const asked = agent.ask();
            const actions = [...asked, ...(agent.recommend ? [agent.recommend()] : [])];
            assert.ok(actions.flat().every((v) => v >= -1 && v <= 1));
            agent.tell(asked.map((action) => ({ action, reward: rewards[told++ % rewards.length]! })));
            assertFinite(agent.state?.());
          }
        }),
        { numRuns },
      );
    });

    // The Gaussian process learns where they failed.
    if (name === 'gaussianProcess') return;
    it('is left as it was by an iteration in which all failed, before and after others succeeded', () => {
      const agent = make({ size: 2, start: [0.2, 0], random: new Random(1) });
      for (let iteration = 0; iteration < 3; iteration++) {
        const before = JSON.stringify([agent.state?.(), agent.recommend?.()]);
        agent.tell(agent.ask().map((action) => ({ action, reward: null })));
        assert.equal(JSON.stringify([agent.state?.(), agent.recommend?.()]), before);
        agent.tell(agent.ask().map((action) => ({ action, reward: -3 - action[0]! })));
      }
    });
  });
}
