import assert from 'node:assert/strict';
import { completeTheta } from '../../../protocol/parameters.ts';
import { Random } from '../../../protocol/random.ts';
import { drawSamples } from '../../../env/simulators/draw-samples.ts';
import { MIXTURE_PARAMETERS, mixtureSimulator } from '../../../env/simulators/mixture/mixture.ts';
import { fitTwoGaussians, matchDistribution } from '../../../scripts/reproduce/distribution-matching.ts';

describe('distribution matching', () => {
  it('finds the two Gaussians that made the points', () => {
    const random = new Random(1);
    const points = Array.from({ length: 2000 }, (_, i): [number, number] =>
      i % 2 === 0 ? [random.normal(-4, 1), random.normal(3, 0.5)] : [random.normal(2, 2), random.normal(-1, 1.5)],
    );
    const [left, right] = [...fitTwoGaussians(points, random).components].sort((a, b) => a.mean[0] - b.mean[0]);
    const expected = [
      { mean: [-4, 3], sd: [1, 0.5] },
      { mean: [2, -1], sd: [2, 1.5] },
    ];
    [left!, right!].forEach(({ mean, sd }, i) => {
      for (const axis of [0, 1]) {
        assert.ok(Math.abs(mean[axis]! - expected[i]!.mean[axis]!) < 0.2, `mean ${mean.join()}`);
        assert.ok(Math.abs(sd[axis]! - expected[i]!.sd[axis]!) < 0.15, `sd ${sd.join()}`);
      }
    });
  });

  it('gives the simulator back the θ that drew the points, the order of a class’s components aside', async () => {
    const theta = completeTheta(MIXTURE_PARAMETERS, { 'a0.sd.x': 2, 'b1.mean.y': -8 });
    const points = await drawSamples(mixtureSimulator(), theta, 7, 4000);
    const matched = matchDistribution(points, new Random(2));
    const components = (of: typeof theta, letter: string) =>
      ['0', '1']
        .map((i) => ['mean.x', 'mean.y', 'sd.x', 'sd.y'].map((name) => of[`${letter}${i}.${name}`] as number))
        .sort((p, q) => p[0]! + p[1]! - q[0]! - q[1]!);
    for (const letter of ['a', 'b']) {
      const truth = components(theta, letter).flat();
      components(matched, letter)
        .flat()
        .forEach((value, i) => assert.ok(Math.abs(value - truth[i]!) < 0.2, `${letter}: ${value} for ${truth[i]}`));
    }
  });

  it('stays within what the simulator can express', () => {
    const random = new Random(3);
    const far = Array.from({ length: 400 }, (_, i) => ({
      label: (i % 2) as 0 | 1,
      point: [random.normal(40, 9), random.normal(0, 0.01)] as [number, number],
    }));
    const matched = matchDistribution(far, random);
    assert.deepEqual(completeTheta(MIXTURE_PARAMETERS, matched), matched);
    assert.equal(matched['a0.mean.x'], 10);
  });
});
