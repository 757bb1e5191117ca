import assert from 'node:assert/strict';
import { cem } from '../../agents/cem.ts';
import { Random } from '../../protocol/random.ts';

const options = { population: 4, elite: 2, sigma: 0.3, sigmaFloor: 0.1, smoothing: 0.5 };
const problem = () => ({ size: 2, start: [0.2, 0], random: new Random(1) });

describe('CEM', () => {
  it('fits mean and deviation to the elite, smoothed with the current ones', () => {
    const agent = cem(problem(), options);
    agent.ask();
    agent.tell([
      { action: [0, 0], reward: 1 },
      { action: [0.6, 0.8], reward: 3 },
      { action: [1, 1], reward: null },
      { action: [0.2, 0.8], reward: 2 },
    ]);
    // elite (.6, .8) and (.2, .8): mean (.4, .8), deviation (.2, 0); half of it and half of (.2, 0) and (.3, .3)
    const { mu, sigma } = agent.state!() as { mu: number[]; sigma: number[] };
    assert.deepEqual(
      mu.map((x) => x.toFixed(6)),
      ['0.300000', '0.400000'],
    );
    assert.deepEqual(
      sigma.map((x) => x.toFixed(6)),
      ['0.250000', '0.150000'],
    );
  });

  it('keeps the deviation at its floor when the elite is all alike', () => {
    const agent = cem(problem(), { ...options, smoothing: 1 });
    agent.ask();
    agent.tell(Array.from({ length: 4 }, () => ({ action: [0.5, 0.5], reward: 1 })));
    assert.deepEqual(agent.state!()['sigma'], [0.1, 0.1]);
  });

  it('fits to what succeeded alone, and moves by as much less as the elite is smaller', () => {
    const agent = cem(problem(), options);
    agent.ask();
    agent.tell([
      { action: [-1, -1], reward: null },
      { action: [0.6, 0.8], reward: -3 },
      { action: [1, 1], reward: null },
      { action: [0, 1], reward: null },
    ]);
    // one of an elite of two: a quarter in place of half of (.6, .8) and of a deviation of 0
    const { mu, sigma } = agent.state!() as { mu: number[]; sigma: number[] };
    assert.deepEqual(
      [...mu, ...sigma].map((x) => x.toFixed(6)),
      ['0.300000', '0.200000', '0.225000', '0.225000'],
    );
  });

  it('refuses an elite larger than the population', () => {
    assert.throws(() => cem(problem(), { ...options, elite: 5 }), /elite: expected at most the population of 4, got 5/);
  });
});
