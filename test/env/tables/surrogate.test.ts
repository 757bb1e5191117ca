import assert from 'node:assert/strict';
import { latinHypercube } from '../../../agents/gaussian-process.ts';
import { rankCorrelation } from '../../../scripts/noise/analysis.ts';
import { fitSurrogate, Surrogate } from '../../../env/tables/surrogate.ts';
import { Random } from '../../../protocol/random.ts';

/** Two components matter, one of them three times as much; two do not. */
const score = ([a, b]: readonly number[]) => Math.sin(3 * a!) + 0.3 * b! ** 2;

describe('a surrogate', () => {
  const random = new Random(3);
  const points = latinHypercube(80, 4, random);
  const counts = points.map((_, i) => 1 + (i % 3));
  const noisy = points.map((point, i) => score(point) + random.normal(0, 0.1) / Math.sqrt(counts[i]!));

  it('finds which components matter, and how much noise there is', () => {
    const { lengths, noise } = fitSurrogate(points, noisy, counts);
    const [first, second, ...others] = lengths as [number, number, ...number[]];
    assert.ok(first < second, `${first} < ${second}`);
    for (const other of others) assert.ok(other > 2 * second, `${other} > 2 · ${second}`);
    assert.ok(noise < 0.2, `${noise}`);
  });

  it('ranks points that it has not seen, and each score by itself', () => {
    const fit = fitSurrogate(points, noisy, counts);
    const surrogate = new Surrogate(points, [noisy, noisy.map((value) => 5 - 2 * value)], counts, fit);
    const fresh = latinHypercube(60, 4, random);
    const found = fresh.map((point) => surrogate.at(point));
    const agreement = rankCorrelation(
      found.map(([mean]) => mean!),
      fresh.map(score),
    );
    assert.ok(agreement > 0.95, `${agreement}`);
    for (const [mean, other] of found) assert.ok(Math.abs(other! - (5 - 2 * mean!)) < 1e-9, `${other} for ${mean}`);
  });

  it('is the mean where all scores are equal', () => {
    const equal = points.map(() => 0.5);
    const surrogate = new Surrogate(
      points,
      [equal],
      counts,
      fitSurrogate(points.slice(0, 20), equal.slice(0, 20), counts),
    );
    assert.ok(Math.abs(surrogate.at([0, 0, 0, 0])[0]! - 0.5) < 1e-12, 'the mean');
  });
});
