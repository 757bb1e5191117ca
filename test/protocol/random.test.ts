import assert from 'node:assert/strict';
import { deriveSeed, Random } from '../../protocol/random.ts';

const draws = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('deriveSeed', () => {
  it('is MurmurHash3 of the path, as other implementations compute it', () => {
    // python: mmh3.hash(path.encode(), seed, signed=False)
    assert.equal(deriveSeed(1, 'simulation'), 3503844443);
    assert.equal(deriveSeed(1, 'evaluation', 12), 3061469209);
    assert.equal(deriveSeed(0), 0);
    assert.equal(deriveSeed(0xffffffff, 'a'), 711476519);
    assert.equal(deriveSeed(7, 'abc'), 940791465);
    assert.equal(deriveSeed(5, 'größe'), 4097043208);
  });

  it('spreads neighbouring indices over all 32 bits', () => {
    const ones = Array.from({ length: 32 }, () => 0);
    for (let i = 0; i < 2000; i++) {
      const seed = deriveSeed(7, i);
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (seed >>> bit) & 1;
    }
    for (const count of ones) assert.ok(Math.abs(count - 1000) < 120, `a bit is set ${count} times of 2000`);
  });
});

describe('Random', () => {
  it('gives the same stream for the same seed, and another for another seed', () => {
    const stream = (seed: number) => {
      const random = new Random(seed);
      return draws(5, () => random.uint32());
    };
    assert.deepEqual(stream(3), stream(3));
    assert.notDeepEqual(stream(3), stream(4));
  });

  it('draws uniform, normal and Poisson numbers with their mean and variance', () => {
    const random = new Random(1);
    const n = 20_000;
    const check = (values: number[], expectedMean: number, variance: number) => {
      const m = mean(values);
      assert.ok(Math.abs(m - expectedMean) < 5 * Math.sqrt(variance / n), `mean ${m}, expected ${expectedMean}`);
      const v = mean(values.map((x) => (x - m) ** 2));
      assert.ok(Math.abs(v / variance - 1) < 0.08, `variance ${v}, expected ${variance}`);
    };
    check(
      draws(n, () => random.uniform(2, 4)),
      3,
      4 / 12,
    );
    check(
      draws(n, () => random.normal(-1, 3)),
      -1,
      9,
    );
    check(
      draws(n, () => random.poisson(2.5)),
      2.5,
      2.5,
    );
  });

  it('draws categories as often as their probabilities say', () => {
    const random = new Random(2);
    const probabilities = [0.1, 0.6, 0, 0.3];
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[random.categorical(probabilities)]!++;
    counts.forEach((count, i) => assert.ok(Math.abs(count / 10_000 - probabilities[i]!) < 0.02));
    assert.equal(counts[2], 0);
  });

  it('shuffles into every order and loses nothing', () => {
    const random = new Random(5);
    const orders = new Set(draws(200, () => random.shuffle([1, 2, 3]).join('')));
    assert.deepEqual([...orders].sort(), ['123', '132', '213', '231', '312', '321']);
  });

  it('refuses to pick from nothing', () => {
    assert.throws(() => new Random(1).pick([]), RangeError);
  });
});
