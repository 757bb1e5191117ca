import assert from 'node:assert/strict';
import { adam, logDensityGradient, movingBaseline, normalised, ranked, reinforce } from '../../agents/reinforce.ts';
import { Random } from '../../protocol/random.ts';

const close = (actual: readonly number[], expected: readonly number[], tolerance = 1e-9) => {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) < tolerance, `[${i}]: expected ${expected[i]}, got ${value}`),
  );
};

describe('REINFORCE', () => {
  it('has the gradient of the log-density that finite differences give', () => {
    const random = new Random(1);
    const logDensity = (x: number[], mu: number[], sigma: number[]) =>
      x.reduce(
        (sum, xi, i) => sum - (xi - mu[i]!) ** 2 / (2 * sigma[i]! ** 2) - Math.log(sigma[i]! * Math.sqrt(2 * Math.PI)),
        0,
      );
    for (let repeat = 0; repeat < 20; repeat++) {
      const mu = [random.normal(), random.normal(), random.normal()];
      const sigma = mu.map(() => random.uniform(0.1, 1));
      const x = mu.map((m, i) => random.normal(m, sigma[i]));
      const h = 1e-5;
      const numeric = (density: (i: number, by: number) => number) =>
        mu.map((_, i) => (density(i, h) - density(i, -h)) / (2 * h));
      const moved = (values: number[], i: number, by: (value: number) => number) =>
        values.map((value, j) => (j === i ? by(value) : value));
      const gradient = logDensityGradient(x, mu, sigma);
      const byMu = (i: number, by: number) =>
        logDensity(
          x,
          moved(mu, i, (m) => m + by),
          sigma,
        );
      const byLogSigma = (i: number, by: number) =>
        logDensity(
          x,
          mu,
          moved(sigma, i, (s) => s * Math.exp(by)),
        );
      close(gradient.mu, numeric(byMu), 1e-4);
      close(gradient.logSigma, numeric(byLogSigma), 1e-4);
    }
  });

  it('normalises the rewards of a batch to mean 0 and deviation 1', () => {
    // mean 2, variance ((-1)² + 0 + 1²)/3 = 2/3
    close(normalised([1, 2, 3]), [-Math.sqrt(1.5), 0, Math.sqrt(1.5)]);
    assert.deepEqual(normalised([5, 5, 5]), [0, 0, 0]);
    assert.deepEqual(normalised([0.1, 0.1, 0.1]), [0, 0, 0], 'their mean is 0.10000000000000002');
    close(normalised([1e-200, 2e-200, 3e-200]), [-Math.sqrt(1.5), 0, Math.sqrt(1.5)]);
    close(normalised([-1.7e308, 0, 1.7e308]), [-Math.sqrt(1.5), 0, Math.sqrt(1.5)]);
  });

  it('ranks the rewards of a batch from -1 to 1, and shares ranks between equals', () => {
    close(ranked([10, -3, 7]), [1, -1, 0]);
    close(ranked([1, 1, 2]), [-0.5, -0.5, 1]);
  });

  it('takes the steps of Adam', () => {
    // t = 1: m̂ = g and v̂ = g², so the step is the learning rate times the gradient's sign.
    const step = adam(2, 0.1);
    close(step([3, -0.5]), [0.1, -0.1], 1e-6);
    // t = 2 with g = 0: m̂ = .9·.1·g/(1 − .81), v̂ = .999·.001·g²/(1 − .998001)
    const expected = (0.1 * ((0.09 * 3) / 0.19)) / Math.sqrt((0.000999 * 9) / 0.001999);
    close(step([0, 0]), [expected, -expected], 1e-6);
  });

  it('takes the same steps of Adam when the unit of the gradient changes', () => {
    const [step, other] = [adam(2, 0.1), adam(2, 0.1)];
    close(other([3, -0.5]), step([3, -0.5]), 1e-6);
    close(other([0.2, 0.1], 0.1), step([2, 1]), 1e-6); // in tens
    close(other([0.05, 0.3]), step([0.5, 3]), 1e-6);
  });

  it('weighs rewards by what they have more than a moving average, in units of the largest so far', () => {
    const baseline = movingBaseline(0.8);
    assert.equal(baseline.value(), undefined);
    // mean 2: −1, 0, 1
    assert.deepEqual(baseline.next([1, 2, 3]), { weights: [-1, 0, 1], lastUnit: 0 });
    assert.equal(baseline.value(), 2);
    // less 2: 0, 0, 4
    assert.deepEqual(baseline.next([2, 2, 6]), { weights: [0, 0, 1], lastUnit: 0.25 });
    close([baseline.value()!], [0.8 * 2 + (0.2 * 10) / 3]);
    const same = movingBaseline(0.8);
    for (let i = 0; i < 3; i++) assert.deepEqual(same.next([0.1, 0.1, 0.1]).weights, [0, 0, 0]);
  });

  const options = {
    batch: 4,
    sigma: 0.5,
    sigmaDecay: 0.5,
    sigmaFloor: 0.2,
    learnSigma: false,
    learningRate: 0.1,
    ascent: 'adam',
    advantage: 'baseline',
    baselineDecay: 0.8,
    average: 0,
    antithetic: true,
  } as const;
  const problem = () => ({ size: 2, start: [0, 0.9], random: new Random(3) });

  it('draws antithetic pairs about its mean, and stays within the action space', () => {
    const agent = reinforce(problem(), { ...options, sigma: 0.01 });
    const [a, b] = agent.ask() as [number[], number[]];
    close(
      a.map((value, i) => value + b[i]!),
      [0, 1.8],
    );
    const wide = reinforce(problem(), { ...options, sigma: 5 }).ask();
    assert.ok(wide.flat().every((value) => Math.abs(value) <= 1));
    assert.ok(wide.flat().some((value) => Math.abs(value) === 1));
  });

  it('moves along the natural gradient as far as the batch says', () => {
    const agent = reinforce(problem(), {
      ...options,
      sigma: 0.2,
      ascent: 'natural',
      advantage: 'ranked',
      learningRate: 0.5,
    });
    const actions = agent.ask();
    agent.tell(actions.map((action, k) => ({ action, reward: k })));
    // Ranks −1, −1/3, 1/3, 1; σ² (a − μ)/σ² = a − μ, before clipping: only the first component is inside for sure.
    const expected = (0.5 / 4) * (-actions[0]![0]! - actions[1]![0]! / 3 + actions[2]![0]! / 3 + actions[3]![0]!);
    close([(agent.state!()['mu'] as number[])[0]!], [expected]);
  });

  it('changes the deviation of each component as far as the batch says', () => {
    const agent = reinforce(problem(), {
      ...options,
      sigma: 0.2,
      sigmaDecay: 1,
      sigmaFloor: 0.01,
      learnSigma: true,
      ascent: 'natural',
      advantage: 'ranked',
      learningRate: 0.5,
    });
    const actions = agent.ask();
    agent.tell(actions.map((action, k) => ({ action, reward: k })));
    // F⁻¹ is 1/2, and ranks −1, −1/3, 1/3, 1 sum to 0, so of (a − μ)²/σ² − 1 the square alone counts.
    const squares = actions.map(([a]) => (a! / 0.2) ** 2);
    const move = (0.5 / 2 / 4) * (-squares[0]! - squares[1]! / 3 + squares[2]! / 3 + squares[3]!);
    close([(agent.state!()['sigma'] as number[])[0]!], [0.2 * Math.exp(move)]);
  });

  it('learns a small deviation where the reward depends strongly on a component, and keeps it large elsewhere', () => {
    const agent = reinforce(
      { size: 2, start: [0, 0], random: new Random(5) },
      {
        ...options,
        batch: 12,
        sigmaDecay: 1,
        sigmaFloor: 0.01,
        learnSigma: true,
        ascent: 'natural',
        advantage: 'ranked',
      },
    );
    for (let iteration = 0; iteration < 40; iteration++) {
      agent.tell(agent.ask().map((action) => ({ action, reward: -(action[0]! ** 2) - 0.01 * action[1]! ** 2 })));
    }
    const [much, little] = agent.state!()['sigma'] as [number, number];
    assert.ok(much < little / 2, `${much} against ${little}`);
  });

  it('moves towards the actions that did better than a moving-average baseline', () => {
    const agent = reinforce(problem(), options);
    const actions = agent.ask();
    agent.tell(actions.map((action) => ({ action, reward: action[0]! })));
    assert.ok(agent.recommend!()[0]! > 0, 'the reward rises with the first component');
    const mean = actions.reduce((sum, [x]) => sum + x!, 0) / 4;
    assert.ok(Math.abs((agent.state!()['baseline'] as number) - mean) < 1e-12, 'the first baseline is the first mean');
    assert.deepEqual(agent.state!()['sigma'], [0.25, 0.25]);
    agent.tell(agent.ask().map((action) => ({ action, reward: 1 })));
    assert.ok(Math.abs((agent.state!()['baseline'] as number) - (0.8 * mean + 0.2)) < 1e-12);
    assert.deepEqual(agent.state!()['sigma'], [0.2, 0.2], 'σ has a floor');
  });

  it('recommends the mean of its latest μ', () => {
    const agent = reinforce(problem(), { ...options, average: 0.5 });
    close(agent.recommend!(), [0, 0.9]);
    const path = Array.from({ length: 4 }, () => {
      agent.tell(agent.ask().map((action) => ({ action, reward: action[0]! })));
      return agent.state!()['mu'] as number[];
    });
    close(agent.recommend!(), [(path[2]![0]! + path[3]![0]!) / 2, (path[2]![1]! + path[3]![1]!) / 2]);
  });

  it('counts a failed evaluation as the worst of all rewards so far', () => {
    const agent = reinforce(problem(), options);
    const tell = (rewards: (number | null)[]) =>
      agent.tell(agent.ask().map((action, i) => ({ action, reward: rewards[i]! })));
    tell([-9, -5, -5, -5]); // b = -6
    tell([-2, null, -2, null]); // -2, -9, -2, -9
    close([agent.state!()['baseline'] as number], [0.8 * -6 + 0.2 * -5.5]);
  });

  it('ranks a failed evaluation below all others, though they are the worst so far', () => {
    const agent = reinforce(problem(), { ...options, ascent: 'natural', advantage: 'ranked', sigma: 0.1 });
    const actions = agent.ask();
    agent.tell(actions.map((action, i) => ({ action, reward: i === 0 ? null : -3 })));
    // Ranks −1 and three times 1/3.
    const [a, b, c, d] = actions.map(([x]) => x!) as [number, number, number, number];
    close([(agent.state!()['mu'] as number[])[0]!], [(0.1 / 4) * (-a + (b + c + d) / 3)]);
  });

  it('survives an iteration in which every evaluation failed', () => {
    const agent = reinforce(problem(), options);
    agent.tell(agent.ask().map((action) => ({ action, reward: null })));
    assert.deepEqual(agent.recommend!(), [0, 0.9]);
  });
});
