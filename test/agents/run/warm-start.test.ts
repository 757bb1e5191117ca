import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bestTenth, type Agent, type Problem, type Trial } from '../../../agents/agent.ts';
import { cem } from '../../../agents/cem.ts';
import { cmaEs } from '../../../agents/cma-es.ts';
import { gaussianProcess } from '../../../agents/gaussian-process.ts';
import { randomSearch } from '../../../agents/random-search.ts';
import { reinforce } from '../../../agents/reinforce.ts';
import type { WarmTrial } from '../../../agents/run/trial-log.ts';
import { readWarmStart, warmStart } from '../../../agents/run/warm-start.ts';
import type { Specification } from '../../../protocol/messages.ts';
import { actionToTheta, defineParameters } from '../../../protocol/parameters.ts';
import { Random } from '../../../protocol/random.ts';

const AGENTS: Readonly<Record<string, (problem: Problem) => Agent>> = {
  reinforce: (problem) =>
    reinforce(problem, {
      ...{ batch: 16, sigma: 0.2, sigmaDecay: 1, sigmaFloor: 0.05, learnSigma: false, learningRate: 0.1 },
      ...{ ascent: 'adam', advantage: 'normalised', baselineDecay: 0.8, average: 0, antithetic: false },
    }),
  cem: (problem) => cem(problem, { population: 16, elite: 4, sigma: 0.4, sigmaFloor: 0.1, smoothing: 0.7 }),
  'cma-es': (problem) => cmaEs(problem, { population: 16, sigma: 0.4, sigmaFloor: 0.05 }),
  'gaussian-process': (problem) => gaussianProcess(problem, { initial: 16, batch: 4 }),
};

const OPTIMUM = [0.6, -0.5, 0.2];
const reward = (action: readonly number[]) => -action.reduce((sum, a, i) => sum + (a - OPTIMUM[i]!) ** 2, 0);
const uniform = (random: Random) => OPTIMUM.map(() => random.uniform(-1, 1));
const problem = (seed: number): Problem => ({ size: 3, start: [-0.5, 0.5, -0.5], random: new Random(seed) });
const meanReward = (actions: readonly (readonly number[])[]) =>
  actions.reduce((sum, action) => sum + reward(action) / actions.length, 0);

/** A fit takes a while. */
const slow = (name: string) => (name === 'gaussian-process' ? ' @slow' : '');

/** Trials of a random search, one in five of which failed. */
const past = (seed: number, count = 100): Trial[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => uniform(random)).map((action, i) => ({
    action,
    reward: i % 5 === 0 ? null : reward(action),
  }));
};

describe('a warm start', () => {
  for (const [name, make] of Object.entries(AGENTS)) {
    it(`makes ${name} ask better at once, with the same draws${slow(name)}`, () => {
      for (const seed of name === 'gaussian-process' ? [1] : [1, 2, 3]) {
        const [cold, warm] = [make(problem(seed)), make(problem(seed))];
        warm.warmStart!(past(seed));
        const [asked, askedWarm] = [cold.ask(), warm.ask()];
        assert.ok(meanReward(askedWarm) > meanReward(asked) + 0.3, `${meanReward(askedWarm)} ${meanReward(asked)}`);
        assert.ok(
          askedWarm.flat().every((a) => a >= -1 && a <= 1),
          'outside',
        );
        // What is told is all that counts: the same trials again give the same actions.
        const again = make(problem(seed));
        again.warmStart!(past(seed));
        assert.deepEqual(again.ask(), askedWarm);
        const told = askedWarm.map((action) => ({ action, reward: reward(action) }));
        for (const agent of [warm, again]) agent.tell(told);
        assert.deepEqual(again.ask(), warm.ask());
      }
    });

    it(`lets ${name} recommend what it has learned before it asks`, () => {
      const agent = make(problem(1));
      agent.warmStart!(past(1));
      assert.ok(reward(agent.recommend!()) > reward(problem(1).start) + 0.5, String(agent.recommend!()));
    });

    it(`takes one trial alone, and trials that are all the same: ${name}`, () => {
      for (const trials of [
        [{ action: [0.5, 0.5, 0.5], reward: 2 }],
        Array(20).fill({ action: [1, -1, 0], reward: 0 }),
      ]) {
        const agent = make(problem(1));
        agent.warmStart!(trials as Trial[]);
        for (let i = 0; i < 3; i++) {
          const actions = agent.ask();
          assert.ok(
            actions.flat().every((a) => a >= -1 && a <= 1),
            'outside, or no number',
          );
          agent.tell(actions.map((action) => ({ action, reward: reward(action) })));
        }
      }
    });
  }

  it('leaves random search as it is: it learns nothing', () => {
    assert.ok(!('warmStart' in randomSearch(problem(1), { batch: 4 })), 'it has a warm start');
  });

  it('begins CMA-ES with the Gaussian of the best tenth, each with a deviation of .2 (Nomura et al. 2021)', () => {
    // Of 20 trials the best two count: they differ by 1.2 in the first component, .6 around their mean.
    const best = [0.6, -0.6].map((x) => ({ action: [x, 0.3], reward: 1 }));
    const worse = Array.from({ length: 18 }, () => ({ action: [0.9, 0.9], reward: 0 }));
    const agent = cmaEs(
      { size: 2, start: [0, 0], random: new Random(1) },
      { population: 8, sigma: 0.4, sigmaFloor: 0.01 },
    );
    agent.warmStart!([...worse, ...best]);
    const { mu, deviations } = agent.state!() as { mu: number[]; deviations: number[] };
    assert.deepEqual(mu, [0, 0.3]);
    assert.ok(Math.abs(deviations[0]! - Math.hypot(0.6, 0.2)) < 1e-12, String(deviations));
    assert.ok(Math.abs(deviations[1]! - 0.2) < 1e-12, String(deviations));
  });

  it('ranks the trials of this specification alone, where one of them has a reward', () => {
    const other = (reward: number): Trial => ({ action: [0.9], reward, isOther: true });
    const own: Trial = { action: [0.1], reward: 0.3 };
    assert.deepEqual(bestTenth([other(0.9), own, other(0.8)]), [[0.1]]);
    assert.deepEqual(bestTenth([other(0.9), { ...own, reward: null }, other(0.8)]), [[0.9]]);
  });

  it('takes the elite of CEM from all trials: a quarter of them, as of a population', () => {
    const trials = Array.from({ length: 40 }, (_, i) => ({ action: [i < 10 ? 0.5 : -0.5], reward: i < 10 ? 1 : 0 }));
    const agent = cem(
      { size: 1, start: [0], random: new Random(1) },
      { population: 16, elite: 4, sigma: 0.4, sigmaFloor: 0.01, smoothing: 1 },
    );
    agent.warmStart!(trials);
    assert.deepEqual(agent.state!(), { mu: [0.5], sigma: [0.01] });
  });

  it('fills up the first iteration of the Gaussian process, and learns from at most 200 of many trials @slow', () => {
    const few = AGENTS['gaussian-process']!(problem(1));
    few.warmStart!(past(1, 6));
    assert.equal(few.ask().length, 10);
    const many = AGENTS['gaussian-process']!(problem(1));
    many.warmStart!(past(1, 3000));
    assert.equal(many.ask().length, 4);
  });

  describe('of another specification, for the Gaussian process', () => {
    const make = (seed: number) => AGENTS['gaussian-process']!(problem(seed));
    /** Rewards of another scale, whose best action is elsewhere. */
    const others = (shift: number): Trial[] => {
      const random = new Random(7);
      const value = (action: readonly number[]) => 40 + 5 * reward(action.map((a) => a - shift));
      return Array.from({ length: 60 }, () => uniform(random)).map((action, i) => {
        return { action, reward: i % 5 === 0 ? null : value(action), isOther: true };
      });
    };

    it('begins around their best, and recommends it until it knows better', () => {
      const agent = make(1);
      agent.warmStart!(others(0));
      const best = agent.recommend!();
      assert.ok(reward(best) > -0.2, String(best));
      const asked = agent.ask();
      assert.deepEqual([asked.length, asked[0]], [16, best]);
      assert.ok(meanReward(asked) > meanReward(make(1).ask()) + 0.3);
    });

    it('finds in 20 evaluations what it does not without, and is not misled by wrong ones @slow', () => {
      const size = 10;
      const from = (shift: number) => (action: readonly number[]) =>
        -action.reduce((sum, a, i) => sum + (a - shift - OPTIMUM[i % 3]!) ** 2, 0);
      const random = new Random(7);
      const drawn = Array.from({ length: 100 }, () => Array.from({ length: size }, () => random.uniform(-1, 1)));
      const others = (shift: number) =>
        drawn.map((action): Trial => ({ action, reward: 40 + 5 * from(shift)(action), isOther: true }));
      const end = (warm: readonly Trial[]) => {
        const results = [1, 2, 3].map((seed) => {
          const noise = new Random(seed);
          const agent = AGENTS['gaussian-process']!({ ...problem(seed), size, start: Array<number>(size).fill(0) });
          if (warm.length > 0) agent.warmStart!(warm);
          for (let done = 0; done < 20;) {
            const actions = agent.ask();
            agent.tell(actions.map((action) => ({ action, reward: from(0)(action) + noise.normal(0, 0.1) })));
            done += actions.length;
          }
          assert.deepEqual(agent.recommend!(), agent.recommend!());
          return from(0)(agent.recommend!());
        });
        return results.reduce((sum, value) => sum + value, 0) / results.length;
      };
      const [cold, right, wrong] = [end([]), end(others(0)), end(others(0.3))];
      const said = `without ${cold}, with the right ones ${right}, with wrong ones ${wrong}`;
      assert.ok(right > cold / 3 && wrong > -0.5 * size * 0.3 ** 2, said);
    }).timeout(20_000);

    it('recommends nothing that is likely to fail, though they praise it @slow', () => {
      const random = new Random(3);
      const praised = Array.from({ length: 60 }, () => uniform(random)).map((action): Trial => {
        return { action, reward: action[0]!, isOther: true };
      });
      const agent = make(1);
      agent.warmStart!(praised);
      const fails = ([first]: readonly number[]) => first! > 0.3;
      const succeeded: string[] = [];
      for (let done = 0; done < 36;) {
        const actions = agent.ask();
        agent.tell(actions.map((action) => ({ action, reward: fails(action) ? null : action[0]! })));
        succeeded.push(...actions.filter((action) => !fails(action)).map((action) => action.join()));
        done += actions.length;
      }
      const found = agent.recommend!();
      assert.ok(found[0]! > 0, String(found[0]));
      assert.ok(succeeded.includes(found.join()), `${found.join()} is one that has succeeded`);
    }).timeout(20_000);

    it('begins at the only one, and learns from those that failed where that happens', () => {
      const [alone] = others(0).filter(({ reward }) => reward !== null);
      const agent = make(1);
      agent.warmStart!([alone!]);
      assert.deepEqual(agent.ask()[0], alone!.action);
      const warned = make(1);
      const failing = others(0).map((trial): Trial => (trial.action[0]! > 0 ? { ...trial, reward: null } : trial));
      warned.warmStart!(failing);
      warned.tell(warned.ask().map((action) => ({ action, reward: reward(action) })));
      const asked = warned.ask();
      const beyond = asked.filter(([first]) => first! > 0.5).length;
      assert.equal(beyond, 0, JSON.stringify(asked));
    });

    it('is told by the run which trials these are', () => {
      let told: readonly Trial[] = [];
      const agent: Agent = { ask: () => [], tell: () => {}, warmStart: (trials) => (told = trials) };
      const trial = (key: string, spec_hash: string, reward: number | null) =>
        ({ key, action: [0], theta: {}, reward, repro: { spec_hash } }) as unknown as WarmTrial;
      const trials = [
        trial('a', 'own', 7),
        ...[1, 3, 2, null].map((reward, i) => trial(`b${i}`, 'another', reward)),
        ...[-50, -30].map((reward, i) => trial(`c${i}`, 'third', reward)),
      ];
      warmStart(agent, { type: 'warm-start', file: 'f', trials }, { spec_hash: 'own' } as Specification);
      // Those of each other specification from 0 to 1.
      const others = [0, 1, 0.5, null, 0, 1].map((reward) => ({ action: [0], reward, isOther: true }));
      assert.deepEqual(told, [{ action: [0], reward: 7 }, ...others]);
    });
  });
});

describe('the trials of a warm start', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'warm-'))));
  after(() => rmSync(folder, { recursive: true }));

  const parameters = defineParameters([
    { kind: 'continuous', name: 'fog', meaning: 'm', low: 0, high: 1, scale: 'linear', default: 0.1, unit: '1/m' },
    { kind: 'simplex', name: 'sky', meaning: 'm', labels: ['clear', 'rain'], default: [0.5, 0.5] },
  ]);
  const spec = { env_id: 'Sky-v0', spec_hash: 'abc', parameters } as unknown as Specification;
  const action = [0.5, 0.25, -0.25];
  const theta = actionToTheta(parameters, action);
  const header = (environment: object = {}) => ({
    ...{ type: 'run', runId: 'r', agent: 'cem', options: {} },
    environment: { id: 'Sky-v0', specHash: 'abc', options: {}, ...environment },
  });
  const trial = (key: string, fields: object = {}) => ({
    ...{
      type: 'evaluation',
      key,
      action,
      theta,
      outcome: 'ok',
      reward: 0.5,
      scores: { score: 0.5 },
      seeds: {},
      timing: {},
    },
    ...fields,
  });
  const entry = (fields: object = {}) => ({
    ...{ env_id: 'Sky-v0', options: {}, step_id: 's', outcome: 'ok', reward: 0.5, scores: {}, theta },
    ...{ accepted_at: '2026-01-31T10:00:00.000Z', repro: { spec_hash: 'abc' } },
    ...fields,
  });
  const read = (...lines: readonly object[]) => {
    const path = join(folder, 'log.jsonl');
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return readWarmStart(path, spec).trials;
  };

  it('are those of the search, in its order, without finalists and reports', () => {
    const trials = read(
      header(),
      trial('search/10', { reward: 0.2 }),
      trial('search/2', { reward: null, outcome: 'discarded', estimate: 0.4 }),
      trial('after-2/finalist/0/0'),
      trial('start/0', { testScores: { score: 0.1 } }),
    );
    assert.deepEqual(
      trials.map(({ key, step_id, reward, estimate }) => [key, step_id, reward, estimate]),
      [
        ['warm-start/0', 'r/search/2', null, 0.4],
        ['warm-start/1', 'r/search/10', 0.2, undefined],
      ],
    );
    assert.deepEqual([trials[1]!.action, trials[1]!.theta], [action, theta]);
  });

  it('come with those that their own run started from', () => {
    const [first] = read(header(), trial('search/0'));
    const trials = read(header(), { type: 'warm-start', file: 'x', trials: [first] }, trial('search/0', { reward: 1 }));
    assert.deepEqual(
      trials.map(({ key, reward }) => [key, reward]),
      [
        ['warm-start/0', 0.5],
        ['warm-start/1', 1],
      ],
    );
  });

  it('are all evaluations of a history that were not cancelled, which has the latest first; their actions follow from θ', () => {
    const later = '2026-01-31T11:00:00.000Z';
    const cancelled = entry({ outcome: 'cancelled', reward: null });
    const trials = read(
      entry({ accepted_at: later, reward: 3 }),
      entry({ reward: 2 }),
      cancelled,
      entry({ reward: 1 }),
    );
    assert.deepEqual(
      trials.map(({ reward }) => reward),
      [1, 2, 3],
    );
    trials[0]!.action.forEach((a, i) => assert.ok(Math.abs(a - action[i]!) < 1e-12, String(trials[0]!.action)));
  });

  const other = (change: object) => [header({ parameters: [{ ...parameters[0], ...change }, parameters[1]] })];
  const refusals: [string, RegExp, readonly object[]][] = [
    [
      'a parameter more',
      /expected the parameters of Sky-v0: expected fog, sky, got fog$/,
      [header({ parameters: [parameters[0]] })],
    ],
    ['another bound', /parameters of Sky-v0: fog\.high: expected 1, got 2$/, other({ high: 2 })],
    ['another unit', /parameters of Sky-v0: fog\.unit: expected "1\/m", got "m"$/, other({ unit: 'm' })],
    [
      'an action of another length',
      /r\/search\/0: .*: action: expected 3 numbers, got 1$/,
      [header(), trial('search/0', { action: [0] })],
    ],
    [
      'an action that is not of its θ',
      /: fog: expected 0\.75, which its action stands for, got 0\.7$/,
      [header(), trial('search/0', { theta: { ...theta, fog: 0.7 } })],
    ],
    [
      'a θ out of range',
      /log\.jsonl, s: .*: fog: expected 0\.\.1 1\/m, got 2$/,
      [entry({ theta: { ...theta, fog: 2 } })],
    ],
    ['a θ of less', /θ: expected sky, got fog$/, [entry({ theta: { fog: 0.5 } })]],
    [
      'a θ of more',
      /haze: expected one of fog, sky; no parameter has this name$/,
      [entry({ theta: { ...theta, haze: 0.5 } })],
    ],
    [
      'neither action nor θ',
      /expected an action or θ, got neither/,
      [header(), trial('search/0', { action: [], theta: {} })],
    ],
    [
      'no reward',
      /expected a trial with a reward, got none among 1 trials$/,
      [header(), trial('search/0', { reward: null })],
    ],
    ['no trial', /expected a trial with a reward, got none among 0 trials$/, [header()]],
    [
      'something else',
      /line 1: expected the log of a run or an exported evaluation, got env_id: /,
      [{ hello: 'world' }],
    ],
    ['nothing', /expected the log of a run or exported evaluations, got no line$/, []],
  ];
  for (const [what, message, lines] of refusals) {
    it(`are refused in a sentence: ${what}`, () => assert.throws(() => read(...lines), { message }));
  }

  it('are taken where only words differ, and the default', () => {
    assert.equal(read(...other({ meaning: 'other words', default: 0.9 }), trial('search/0')).length, 1);
  });
});
