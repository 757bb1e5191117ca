import assert from 'node:assert/strict';
import { mean } from 'mathjs';
import { unitRewards, type Agent } from '../../agents/agent.ts';
import { gaussianProcess, latinHypercube, logExpectedImprovement, posterior } from '../../agents/gaussian-process.ts';
import { matern52 } from '../../protocol/gaussian-process.ts';
import { Random } from '../../protocol/random.ts';

const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `expected ${expected}, got ${actual}`);

const optimum = [0.4, -0.3, 0.1, -0.6];
/** A smooth hill in four dimensions, 1 at the optimum. */
const hill = (x: readonly number[]) => Math.exp(-2 * x.reduce((sum, v, i) => sum + (v - optimum[i]!) ** 2, 0));

function spend(agent: Agent, evaluations: number, reward: (x: number[]) => number): number[] {
  for (let done = 0; done < evaluations;) {
    const actions = agent.ask().slice(0, evaluations - done);
    done += actions.length;
    agent.tell(actions.map((action) => ({ action, reward: reward(action) })));
  }
  return agent.recommend!();
}

describe('the Gaussian process', () => {
  it('has the posterior of two points that was computed by hand', () => {
    // K = [[1.25, k], [k, 1.25]], y = ±1: m = 0, α = ±1/(1.25 − k), variance of f = yᵀα/2 = 1/(1.25 − k)
    const model = posterior([[0], [1]], [1, -1], { lengths: [1], noise: 0.25, trust: 1 });
    const k = matern52([0], [1], [1]);
    const { mean, sd } = model.at([0]);
    near(mean, (1 - k) / (1.25 - k));
    // rest = 1 − [1, k] K⁻¹ [1, k]ᵀ, with K⁻¹ = [[1.25, −k], [−k, 1.25]] / (1.25² − k²)
    const rest = 1 - (1.25 - 2 * k * k + 1.25 * k * k) / (1.25 ** 2 - k * k);
    near(sd, Math.sqrt(rest / (1.25 - k)));
    near(model.at([0.5]).mean, 0);
  });

  it('has the posterior of one point with a guide that was computed by hand', () => {
    // k(a, b) = matern + 2 g(a) g(b), g(a) = a; one point at 1: the mean is its reward, and nothing is left to explain
    const model = posterior([[1], [0]], [3, 1], { lengths: [1], noise: 0, trust: 2 }, ([a]) => a!);
    const k = matern52([0], [1], [1]);
    // K = [[3, k], [k, 1]], y = (3, 1): m = 1ᵀK⁻¹y / 1ᵀK⁻¹1
    const m = (3 * (1 - k) + (3 - k)) / (1 - k + 3 - k);
    const det = 3 - k * k;
    const alpha = [(3 - m - k * (1 - m)) / det, (3 * (1 - m) - k * (3 - m)) / det];
    const at = [k + 2 * 2 * 1, matern52([0], [2], [1])];
    near(model.at([2]).mean, m + at[0]! * alpha[0]! + at[1]! * alpha[1]!);
    const variance = ((3 - m) * alpha[0]! + (1 - m) * alpha[1]!) / 2;
    const explained = (at[0]! ** 2 - 2 * k * at[0]! * at[1]! + 3 * at[1]! ** 2) / det;
    near(model.at([2]).sd, Math.sqrt(variance * (1 + 2 * 4 - explained)));
    model.believe([2]);
    near(model.at([2]).sd, 0, 1e-6);
  });

  it('passes through points without noise, and is uncertain far from them', () => {
    const model = posterior([[-0.5], [0.1], [0.6]], [1, 3, 2], { lengths: [0.3], noise: 1e-8, trust: 1 });
    near(model.at([0.1]).mean, 3, 1e-5);
    assert.ok(model.at([0.1]).sd < 1e-3 && model.at([-3]).sd > 0.5);
  });

  it('keeps its mean for a believed action, and loses the uncertainty there', () => {
    const model = posterior([[0], [1]], [1, -1], { lengths: [0.5], noise: 1e-6, trust: 1 });
    const before = [0.3, 0.5, 2].map((x) => model.at([x]));
    model.believe([0.5]);
    const after = [0.3, 0.5, 2].map((x) => model.at([x]));
    before.forEach(({ mean }, i) => near(after[i]!.mean, mean));
    assert.ok(after[1]!.sd < 1e-2 * before[1]!.sd && after[0]!.sd < before[0]!.sd);
  });

  it('expects the improvement that an integral gives, and orders values that would underflow', () => {
    const integral = (mean: number, sd: number, best: number) => {
      let sum = 0;
      const step = 1e-4;
      for (let z = -10; z < 10; z += step) sum += Math.max(0, mean + sd * z - best) * Math.exp(-0.5 * z * z) * step;
      return sum / Math.sqrt(2 * Math.PI);
    };
    for (const [mean, sd, best] of [
      [0, 1, 0],
      [1, 0.5, 1.5],
      [0.2, 0.1, 0.65],
      [0.2, 0.1, 0.75],
    ] as const) {
      near(logExpectedImprovement(mean, sd, best), Math.log(integral(mean, sd, best)), 0.1);
    }
    near(logExpectedImprovement(0, 1, 0), Math.log(1 / Math.sqrt(2 * Math.PI)));
    const [nearer, farther] = [4.9999, 5.0001].map((best) => logExpectedImprovement(0, 1, best));
    near(nearer!, farther!, 0.01); // where the formula changes
    assert.ok(logExpectedImprovement(0, 1, 60) > logExpectedImprovement(0, 1, 61));
  });

  it('draws a Latin hypercube: one point in each part of each dimension', () => {
    const points = latinHypercube(8, 3, new Random(1));
    for (let d = 0; d < 3; d++) {
      const parts = points.map((point) => Math.floor(((point[d]! + 1) / 2) * 8)).sort();
      assert.deepEqual(parts, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  for (const [noise, least] of [
    [0, 0.97],
    [0.1, 0.75],
  ] as const) {
    it(`finds a hill in four dimensions in 60 evaluations, which random search does not (noise ${noise}) @slow`, () => {
      const seeds = [1, 2, 3, 4];
      const [found, lucky] = [0, 0].map(() => [] as number[]) as [number[], number[]];
      for (const seed of seeds) {
        const random = new Random(seed);
        const noisy = (x: readonly number[]) => hill(x) + noise * random.normal();
        const agent = gaussianProcess(
          { size: 4, start: [-0.5, 0.5, -0.5, 0.5], random: new Random(seed) },
          { initial: 12, batch: 4 },
        );
        found.push(hill(spend(agent, 60, noisy)));
        const draws = Array.from({ length: 60 }, () => Array.from({ length: 4 }, () => random.uniform(-1, 1)));
        const tried = draws.map((action) => ({ action, reward: noisy(action) }));
        lucky.push(hill(tried.reduce((a, b) => (b.reward > a.reward ? b : a)).action));
      }
      assert.ok(Number(mean(found)) > least, `it found ${found.join(', ')}`);
      assert.ok(Number(mean(found)) > Number(mean(lucky)) + 0.2, `random search found ${lucky.join(', ')}`);
    });
  }

  it('keeps the actions of a batch apart, and within the bounds', () => {
    const agent = gaussianProcess({ size: 2, start: [0, 0], random: new Random(2) }, { initial: 6, batch: 4 });
    agent.tell(agent.ask().map((action) => ({ action, reward: action[0]! + action[1]! })));
    const batch = agent.ask();
    batch.forEach((a, i) => {
      assert.ok(a.every((v) => v >= -1 && v <= 1));
      for (const b of batch.slice(0, i)) assert.ok(Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!) > 1e-3);
    });
  });

  it('recommends the start before it has been told anything: the budget may end within the first iteration', () => {
    const agent = gaussianProcess({ size: 2, start: [0.1, 0.2], random: new Random(2) }, { initial: 4, batch: 2 });
    agent.ask();
    assert.deepEqual(agent.recommend!(), [0.1, 0.2]);
  });

  it('takes rewards from 0 to 1', () => {
    assert.deepEqual(unitRewards([-7, -3, -4]), [0, 1, 0.75]);
    assert.deepEqual(unitRewards([1.7e308, -1.7e308]), [1, 0]);
    assert.deepEqual(unitRewards([-2, -2]), [0, 0], 'where all are alike there is no range');
  });

  it('turns away from where evaluations fail, though rewards are negative, and recommends what succeeds @slow', () => {
    // The optimum lies where all fail; of what succeeds, (0.1, -0.2) is the best, with -3.3.
    const fails = ([x]: readonly number[]) => x! > 0.1;
    const reward = ([x, y]: readonly number[]) => -3 - Math.hypot(x! - 0.4, y! + 0.2);
    let failed = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const agent = gaussianProcess({ size: 2, start: [0.5, 0.5], random: new Random(seed) }, { initial: 8, batch: 4 });
      for (let iteration = 0; iteration < 10; iteration++) {
        const actions = agent.ask();
        agent.tell(actions.map((action) => ({ action, reward: fails(action) ? null : reward(action) })));
        if (iteration >= 6) failed += actions.filter(fails).length;
      }
      const found = agent.recommend!();
      assert.ok(!fails(found) && reward(found) > -3.4, `seed ${seed}: ${found.join()}`);
    }
    assert.ok(failed < (12 * 16) / 2, `${failed} of the last 16 evaluations of 12 searches failed`);
  });

  it('sees the rewards behind failures that are mere chance @slow', () => {
    const found = [1, 2, 3, 4].map((seed) => {
      const random = new Random(seed);
      const agent = gaussianProcess(
        { size: 2, start: [-0.5, -0.5], random: new Random(seed) },
        { initial: 8, batch: 4 },
      );
      for (let iteration = 0; iteration < 8; iteration++) {
        agent.tell(agent.ask().map((action) => ({ action, reward: random.chance(0.3) ? null : hill(action) - 1000 })));
      }
      return hill(agent.recommend!());
    });
    assert.ok(Number(mean(found)) > 0.97, found.join());
  });

  it('looks far from where all has failed so far, and then recommends the start', () => {
    const agent = gaussianProcess({ size: 2, start: [0, 0], random: new Random(2) }, { initial: 4, batch: 2 });
    const failed = agent.ask();
    agent.tell(failed.map((action) => ({ action, reward: null })));
    assert.deepEqual(agent.recommend!(), [0, 0]);
    const next = agent.ask();
    for (const a of next) {
      for (const b of failed)
        assert.ok(Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!) > 0.4, `${a.join()} after ${b.join()}`);
    }
    agent.tell(next.map((action) => ({ action, reward: -1 })));
    assert.ok(next.some((action) => action.join() === agent.recommend!().join()));
  });

  it('finds the few parameters that matter among many: it looks less at the others @slow', () => {
    const few = ([a, b]: readonly number[]) => Math.exp(-2 * ((a! - 0.5) ** 2 + (b! + 0.4) ** 2));
    const size = 16;
    const agents = [1, 2, 3].map((seed) => {
      const random = new Random(seed);
      const agent = gaussianProcess(
        { size, start: new Array<number>(size).fill(0), random: new Random(seed) },
        { initial: 16, batch: 4 },
      );
      const found = spend(agent, 60, (x) => few(x) + random.normal(0, 0.05));
      return { found: few(found), lengths: agent.state!()['lengths'] as number[] };
    });
    for (const { found, lengths } of agents) {
      assert.ok(found > 0.85, `${found}`);
      const longest = Math.max(lengths[0]!, lengths[1]!);
      const others = lengths.slice(2).sort((a, b) => a - b);
      assert.ok(longest < others[7]!, `${lengths.join(', ')}: those of the two are shorter than most`);
    }
  });

  it('recommends what nobody has evaluated: better than the best that was, and not far from it', () => {
    const agent = gaussianProcess({ size: 4, start: [0, 0, 0, 0], random: new Random(1) }, { initial: 24, batch: 4 });
    const actions = agent.ask();
    agent.tell(actions.map((action) => ({ action, reward: hill(action) })));
    const best = actions.reduce((a, b) => (hill(b) > hill(a) ? b : a));
    const found = agent.recommend!();
    assert.ok(hill(found) > hill(best) + 0.05, `${hill(found)}, after ${hill(best)}`);
    assert.ok(
      actions.some((action) => action.every((v, d) => Math.abs(v - found[d]!) <= 0.6)),
      found.join(),
    );
  });

  it('goes on alike, whether somebody asks for its recommendation or not', () => {
    const searches = [false, true].map((asksOften) => {
      const agent = gaussianProcess({ size: 3, start: [0, 0, 0], random: new Random(4) }, { initial: 100, batch: 2 });
      const past = latinHypercube(80, 3, new Random(5));
      agent.warmStart!(past.map((action) => ({ action, reward: hill([...action, 0]) })));
      for (let iteration = 0; iteration < 3; iteration++) {
        if (asksOften) agent.recommend!();
        agent.tell(agent.ask().map((action) => ({ action, reward: action[0]! - action[1]! })));
        if (asksOften) agent.state!();
      }
      return [agent.ask(), agent.recommend!()];
    });
    assert.deepEqual(searches[0], searches[1]);
  });

  it('lives with rewards that are all the same, and learns nothing from them', () => {
    const agent = gaussianProcess({ size: 2, start: [0, 0], random: new Random(2) }, { initial: 4, batch: 2 });
    const { lengths } = agent.state!();
    for (let iteration = 0; iteration < 4; iteration++) {
      agent.tell(agent.ask().map((action) => ({ action, reward: 0.1 })));
    }
    assert.equal(agent.ask().length, 2);
    assert.deepEqual(agent.state!()['lengths'], lengths);
  });
});
