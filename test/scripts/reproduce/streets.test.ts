import assert from 'node:assert/strict';
import { TRAFFIC_PARAMETERS } from '../../../env/simulators/traffic/parameters.ts';
import { scored, shownThetas, withScore } from '../../../scripts/reproduce/streets.ts';
import type { Evidence } from '../../../scripts/reproduce/study.ts';

const arm = (...scores: number[]) => ({ test: scores.map((carIou) => ({ carIou })) });
const evidence = {
  study: { metric: 'carIou' },
  arms: () => ({ random: arm(0.1, 0.3), start: arm(0.25), reinforce: arm(0.5, 0.5, 0.5) }),
  learned: () => [{ fog: 0.02 }, { fog: 0.03 }],
} as unknown as Evidence;

describe('θ in pictures of streets', () => {
  it('are complete, in the parameters that are free, and have the mean scores of their arms', () => {
    const [random, start, learned] = shownThetas(evidence, ['fog']);
    const others = Object.keys(start!.theta).filter((name) => name !== 'fog');
    assert.equal(others.length, TRAFFIC_PARAMETERS.length - 1);
    for (const name of others) {
      assert.deepEqual(random!.theta[name], start!.theta[name], name);
      assert.deepEqual(learned!.theta[name], start!.theta[name], name);
    }
    // The middle of 0.0005..0.08 on a logarithmic scale.
    assert.ok(Math.abs((start!.theta['fog'] as number) - Math.sqrt(0.0005 * 0.08)) < 1e-12);
    assert.equal(learned!.theta['fog'], 0.02);
    assert.notEqual(random!.theta['fog'], start!.theta['fog']);
    assert.deepEqual(
      scored(evidence, [random!, start!, learned!]).map(({ name }) => name),
      [
        // t(.975, 1) = 12.706, times sd .1414 over the root of 2
        'a random θ\ncar IoU, mean of 2:\n0.200 ± 1.271',
        'the start\ncar IoU, mean of 1:\n0.250',
        'REINFORCE\ncar IoU, mean of 3:\n0.500 ± 0.000',
      ],
    );
  });

  it('name another metric as it is', () => {
    const { test } = arm(0.5);
    const other = { study: { metric: 'ap50' }, arms: () => ({ a: { test: test.map(() => ({ ap50: 0.5 })) } }) };
    assert.equal(withScore(other as unknown as Evidence, 'a', 'b'), 'b\nap50, mean of 1:\n0.500');
  });
});
