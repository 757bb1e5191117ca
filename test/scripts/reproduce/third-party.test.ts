import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPython, exampleEnd, examplesOf } from '../../../scripts/reproduce/examples.ts';
import type { ReproductionSummary } from '../../../scripts/reproduce/summary.ts';
import {
  thirdPartyCounting,
  thirdPartyMixture,
  thirdPartyTable,
  withTable,
} from '../../../scripts/reproduce/third-party.ts';
import { PYTHON } from '../../../scripts/setup/python-folder.ts';
import { reproduction } from './reproduction.ts';

const examples = join(import.meta.dirname, '../../../agents/python/examples');

describe('the comparison with other libraries', () => {
  it('has every example of the Python package, with its flags and whole iterations in its budget', () => {
    for (const study of [thirdPartyMixture, thirdPartyCounting]) {
      const runs = examplesOf(study, study.presets['standard']!);
      assert.equal(runs.length, 3 * 7);
      for (const { example, options, evaluations } of runs) {
        const text = readFileSync(join(examples, `${example}.py`), 'utf8');
        for (const name of Object.keys(options)) assert.ok(text.includes(`"--${name}"`), `${example} ${name}`);
        const [, size] = /"--population", type=int, default=(\d+)/.exec(text) ?? [];
        if (size !== undefined) assert.equal(evaluations % Number(size), 0, example);
        if (example === 'stable_baselines3_ppo') assert.equal(evaluations % (4 * Number(options['batch'])), 0);
      }
    }
  });

  it('is one table, the best on the mixture first, which replaces the one in the page', () => {
    const arm = (mean: number, half: number, evaluations = 4) => {
      const test = { mean, ci95: [mean - half, mean + half] as const, n: 3 };
      return { evaluations, validation: test, test };
    };
    const made = { experiment: 'x', command: 'c', commit: 'd', backend: 'b' };
    const summary = (arms: ReproductionSummary['arms']) => ({ ...made, arms });
    const table = thirdPartyTable({
      mixture: summary({ start: arm(0.5, 0.01, 0), cem: arm(0.75, 0.125), ax: arm(0.875, 0.25) }),
      counting: summary({ start: arm(0.25, 0.5, 0), cem: arm(0.5, 0.0625, 2), ax: arm(0.4, 0.1, 2) }),
    });
    assert.deepEqual(table, [
      '| optimiser | accuracy on `Mixture-v0`, 4 evaluations | deviance explained on `TrafficCounting-v0` (quick), 2 evaluations |',
      '|---|--:|--:|',
      '| Bayesian optimisation of Ax | 0.875 ± 0.250 | 0.400 ± 0.100 |',
      '| CEM, ours | 0.750 ± 0.125 | 0.500 ± 0.063 |',
      '| the start | 0.500 ± 0.010 | 0.250 ± 0.500 |',
    ]);
    const page = readFileSync(join(examples, '../../README.md'), 'utf8');
    const once = withTable(page, table);
    assert.ok(once.includes(table[2]!) && once.length > page.length - 5000, 'not written');
    assert.equal(withTable(once, table), once);
    assert.throws(() => withTable('a page', table), /agents\/README\.md: expected <!-- written by/);
  });

  it('finds what a run recommends in the log of one that has ended alone', () => {
    assert.equal(exampleEnd([]), undefined);
    assert.deepEqual(exampleEnd([{ type: 'summary', recommended: { fog: 1 } }])!.recommended, { fog: 1 });
  });
});

describe('reproduce third-party-mixture @slow', function () {
  this.timeout(600_000);
  const { run: reproduce, out: results, logs, read, summary, remove } = reproduction('third-party-mixture');
  before(function () {
    if (existsSync(PYTHON)) {
      const missing = spawnSync(PYTHON, ['-c', 'import ax, cma, cmaes, nevergrad, optuna, skopt, stable_baselines3']);
      if (missing.status === 0) return;
    }
    console.log('      skipped: .python with all optimisers is not here; npm run setup:python makes it');
    this.skip();
  });
  after(remove);
  const tiny = ['--preset', 'quick', '--evaluations', '8'];

  it('runs every optimiser, ours and those of Python, and scores what each recommends', async () => {
    const { code, out, err } = await reproduce(...tiny);
    assert.equal(code, 0, err);
    assert.match(out, /^7 runs of Python, 0 of them done before/m);
    const { arms } = summary();
    assert.equal(Object.keys(arms).length, 6 + 7 + 1);
    for (const [name, { evaluations, test }] of Object.entries(arms)) {
      // PPO makes whole iterations.
      assert.equal(evaluations, name === 'start' ? 0 : name === 'ppo' ? 80 : 8);
      assert.ok(test.mean > 0.3 && test.mean <= 1, `${name}: ${test.mean}`);
    }
    assert.equal(read('table.csv').trim().split('\n').length, 1 + 14);
  });

  it('goes on from what is there, and refuses a log that was made with other flags', async () => {
    const before = summary().arms;
    for (const path of [join(logs, 'pycma-1.jsonl'), join(results, 'logs', 'pycma-1.jsonl.gz')]) rmSync(path);
    const { code, out, err } = await reproduce(...tiny);
    assert.equal(code, 0, err);
    assert.match(out, /^7 runs of Python, 6 of them done before/m);
    assert.deepEqual(summary().arms, before);
    const path = join(logs, 'ppo-1.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"batch":20', '"batch":21'));
    const refused = await reproduce(...tiny);
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /ppo-1\.jsonl: expected the log of .*"batch":20.*, got one of .*"batch":21.*; move it away/,
    );
  });

  it('says in a sentence where Python is missing', () => {
    if (existsSync(PYTHON)) return checkPython(thirdPartyMixture);
    assert.throws(
      () => checkPython(thirdPartyMixture),
      /third-party-mixture: expected .*\.python.*; npm run setup:python/,
    );
  });
});
