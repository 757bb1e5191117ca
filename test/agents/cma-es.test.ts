import assert from 'node:assert/strict';
import type { Agent } from '../../agents/agent.ts';
import { cmaEs, strategy } from '../../agents/cma-es.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';

const options = { sigma: 0.3, sigmaFloor: 0 };
const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `expected ${expected}, got ${actual}`);
const deviation = (agent: Agent) => Math.max(...(agent.state!() as { deviations: number[] }).deviations);

/** Runs the agent on a function of the action, and gives what it recommends. */
function maximise(agent: Agent, reward: (x: number[]) => number, evaluations: number): number[] {
  for (let done = 0; done < evaluations;) {
    const actions = agent.ask();
    done += actions.length;
    agent.tell(actions.map((action) => ({ action, reward: reward(action) })));
  }
  return agent.recommend!();
}

describe('CMA-ES', () => {
  it('weights the better half by the logarithm of the rank, as computed by hand for λ = 4', () => {
    const { weights, muEff } = strategy(3, 4);
    // ln 2.5 - ln 1 = .916291 and ln 2.5 - ln 2 = .223144, over their sum of 1.139434
    near(weights[0]!, 0.804163, 1e-6);
    near(weights[1]!, 0.195837, 1e-6);
    near(muEff, 1 / (0.804163 ** 2 + 0.195837 ** 2), 1e-5);
  });

  it('moves its mean to the weighted mean of the better half; a failed evaluation is the worst', () => {
    const agent = cmaEs({ size: 2, start: [0.1, 0], random: new Random(1) }, { ...options, population: 4 });
    agent.ask();
    agent.tell([
      { action: [0.5, 0.5], reward: null },
      { action: [0.2, -0.4], reward: 3 },
      { action: [-0.6, 0.1], reward: 1 },
      { action: [0.4, 0.4], reward: 2 },
    ]);
    const [first, second] = strategy(2, 4).weights as [number, number];
    const [x, y] = agent.recommend!() as [number, number];
    near(x, first * 0.2 + second * 0.4);
    near(y, first * -0.4 + second * 0.4);
  });

  it('moves by the weights of those that succeeded, where fewer do than the better half', () => {
    const agent = cmaEs({ size: 2, start: [0.1, 0], random: new Random(1) }, { ...options, population: 4 });
    agent.ask();
    const failed = { action: [1, 1], reward: null };
    agent.tell([failed, { action: [0.2, -0.4], reward: -3 }, failed, failed]);
    const [first] = strategy(2, 4).weights as [number];
    const [x, y] = agent.recommend!() as [number, number];
    near(x, 0.1 + first * 0.1);
    near(y, first * -0.4);
  });

  it('keeps σ where failures, and which succeed, are chance', () => {
    const change = Array.from({ length: 40 }, (_, seed) => {
      const random = new Random(deriveSeed(seed, 'failures'));
      const agent = cmaEs({ size: 4, start: [0, 0, 0, 0], random: new Random(seed) }, { ...options, sigma: 0.02 });
      for (let iteration = 0; iteration < 20; iteration++) {
        agent.tell(agent.ask().map((action) => ({ action, reward: random.chance(0.8) ? null : random.uniform() })));
      }
      return Math.log((agent.state!() as { sigma: number }).sigma / 0.02);
    });
    const drift = change.reduce((sum, each) => sum + each) / change.length;
    assert.ok(Math.abs(drift) < 0.25, `σ changed by a factor of ${Math.exp(drift)}`);
  });

  it('decomposes C in each iteration, and in very many dimensions in every second', () => {
    for (const [size, lambda] of [
      [2, 6],
      [23, 13],
      [100, 17],
    ] as const) {
      assert.equal(strategy(size, lambda).patience, 1);
    }
    assert.equal(strategy(200, 19).patience, 2); // 1/(10 · 200 · (c_1 + c_μ)) = 2.01
    assert.equal(strategy(60, 4).patience, 2); // 2.26
  });

  it('learns from a C that is two iterations old @slow', () => {
    const sphere = (x: number[]) => -x.reduce((sum, v) => sum + v * v, 0);
    const agent = cmaEs(
      { size: 60, start: Array<number>(60).fill(0.3), random: new Random(15) },
      { ...options, population: 4 },
    );
    assert.ok(sphere(maximise(agent, sphere, 800)) > (60 * -(0.3 ** 2)) / 3);
  });

  it('finds the optimum of a quadratic in ten dimensions to six digits', () => {
    const optimum = Array.from({ length: 10 }, (_, i) => 0.08 * i - 0.4);
    const sphere = (x: number[]) => -x.reduce((sum, v, i) => sum + (v - optimum[i]!) ** 2, 0);
    const agent = cmaEs({ size: 10, start: Array<number>(10).fill(0.7), random: new Random(3) }, options);
    maximise(agent, sphere, 2500).forEach((v, i) => near(v, optimum[i]!, 1e-6));
  });

  it('follows the bent valley of Rosenbrock’s function to its end', () => {
    // x = 2 a: the optimum, all ones, lies at a = ½
    const rosenbrock = (a: number[]) => {
      const x = a.map((v) => 2 * v);
      return -x.slice(1).reduce((sum, v, i) => sum + 100 * (v - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2, 0);
    };
    const agent = cmaEs({ size: 4, start: [0, 0, 0, 0], random: new Random(5) }, options);
    for (const v of maximise(agent, rosenbrock, 4000)) near(v, 0.5, 1e-4);
  });

  it('learns the shape of an ill-conditioned valley that a Gaussian without covariances cannot follow', () => {
    // condition number 10⁴, turned by 45° in each pair of dimensions
    const valley = (x: number[]) => {
      let sum = 0;
      for (let i = 0; i < x.length; i += 2) sum += (x[i]! + x[i + 1]!) ** 2 + 1e4 * (x[i]! - x[i + 1]!) ** 2;
      return -sum;
    };
    const agent = cmaEs({ size: 6, start: Array<number>(6).fill(0.6), random: new Random(7) }, options);
    assert.ok(valley(maximise(agent, valley, 4000)) > -1e-8);
  });

  it('uses only ranks: any increasing function of the reward gives the same search', () => {
    const sphere = (x: number[]) => -x.reduce((sum, v) => sum + (v - 0.2) ** 2, 0);
    const result = (shape: (reward: number) => number) =>
      maximise(cmaEs({ size: 3, start: [0, 0, 0], random: new Random(9) }, options), (x) => shape(sphere(x)), 300);
    assert.deepEqual(
      result((r) => r),
      result((r) => Math.exp(5 * r) + 100),
    );
  });

  it('keeps its draws within the bounds, and finds an optimum on them', () => {
    const agent = cmaEs({ size: 3, start: [0, 0, 0], random: new Random(11) }, options);
    const reward = (x: number[]) => {
      assert.ok(x.every((v) => v >= -1 && v <= 1));
      return x[0]! - x[1]! - (x[2]! - 0.5) ** 2;
    };
    const [a, b, c] = maximise(agent, reward, 800) as [number, number, number];
    near(a, 1, 1e-3);
    near(b, -1, 1e-3);
    near(c, 0.5, 1e-2);
  });

  it('does not collapse on noise: the floor keeps the population wide', () => {
    const noise = new Random(deriveSeed(1, 'noise'));
    const search = (sigmaFloor: number) => {
      const agent = cmaEs({ size: 5, start: [0, 0, 0, 0, 0], random: new Random(13) }, { ...options, sigmaFloor });
      maximise(agent, (x) => -x.reduce((sum, v) => sum + v * v, 0) + noise.normal(0, 1e-4), 3000);
      return deviation(agent);
    };
    assert.ok(search(0) < 0.03, 'without a floor it contracts');
    assert.ok(search(0.1) > 0.09);
  });
});
