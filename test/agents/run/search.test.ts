import assert from 'node:assert/strict';
import type { Agent } from '../../../agents/agent.ts';
import { cem } from '../../../agents/cem.ts';
import { cmaEs } from '../../../agents/cma-es.ts';
import { gaussianProcess } from '../../../agents/gaussian-process.ts';
import { randomSearch } from '../../../agents/random-search.ts';
import { reinforce } from '../../../agents/reinforce.ts';
import { search } from '../../../agents/run/search.ts';
import type { EvaluationRecord } from '../../../agents/run/trial-log.ts';
import { Random } from '../../../protocol/random.ts';

describe('a search', () => {
  const problem = () => ({ size: 2, start: [0, 0], random: new Random(1) });

  /** What a search of so many evaluations says, and how many of them had begun when it said it. */
  async function said(agent: Agent, evaluations: number): Promise<[begun: number, line: string][]> {
    const lines: [number, string][] = [];
    let begun = 0;
    const { log } = console;
    console.log = (line: string) => void lines.push([begun, line]);
    try {
      const options = { evaluations, seed: 1, seeds: 'fresh', discard: 'none' } as const;
      const record = { outcome: 'ok', reward: 1 } as EvaluationRecord;
      const evaluate = (requests: readonly { action: readonly number[] }[]) => {
        begun += requests.length;
        return Promise.resolve(requests.map(({ action }) => ({ ...record, action })));
      };
      await search(agent, options, evaluate, () => {});
    } finally {
      console.log = log;
    }
    return lines;
  }

  const reinforceOptions = {
    batch: 5,
    sigma: 0.3,
    sigmaDecay: 1,
    sigmaFloor: 0.1,
    learnSigma: false,
    ascent: 'adam',
    learningRate: 0.1,
    advantage: 'baseline',
    baselineDecay: 0.8,
    average: 0,
    antithetic: false,
  } as const;
  const agents: [name: string, first: number, make: () => Agent][] = [
    ['CEM', 4, () => cem(problem(), { population: 4, elite: 2, sigma: 0.3, sigmaFloor: 0.1, smoothing: 0.5 })],
    ['CMA-ES', 6, () => cmaEs(problem(), { population: 6, sigma: 0.3, sigmaFloor: 0.1 })],
    ['REINFORCE', 5, () => reinforce(problem(), reinforceOptions)],
    ['the Gaussian process', 7, () => gaussianProcess(problem(), { initial: 7, batch: 2 })],
  ];
  for (const [name, first, make] of agents) {
    it(`says at its start that its budget is too small for ${name} to learn anything`, async () => {
      const few = first - 1;
      const sentence =
        `--evaluations: ${few} are fewer than the ${first} actions of the agent's first iteration, so it learns nothing ` +
        'from them; give it more, or smaller iterations';
      assert.deepEqual(await said(make(), few), [[0, sentence]]);
      assert.deepEqual(await said(make(), first), []);
      assert.deepEqual(await said(make(), first + 1), []);
    });
  }

  it('says nothing of it for random search, which never learns', async () => {
    assert.deepEqual(await said(randomSearch(problem(), { batch: 8 }), 3), []);
  });
});
