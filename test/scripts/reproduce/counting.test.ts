import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineParameters } from '../../../protocol/parameters.ts';
import { movedTo } from '../../../scripts/reproduce/label-costs.ts';
import { drawProportions, l1, writeProportions, type Recovery } from '../../../scripts/reproduce/proportions.ts';
import { reproduction, TINY_STREETS } from './reproduction.ts';

const { run, wrote, read, summary, remove } = reproduction('counting');
const tiny = ['--preset', 'quick', '--backend', 'wasm', '--evaluations', '8', '--search-seeds', '1'];

describe('reproduce counting', function () {
  this.timeout(180_000);
  after(remove);

  it('searches from three starts and writes how far each ends from the hidden proportions @slow', async () => {
    const options = JSON.stringify({ ...(JSON.parse(TINY_STREETS) as object), pretrained: '' });
    const { code, err } = await run(...tiny, '--random-thetas', '2', '--env-options', options);
    assert.equal(code, 0, err);
    const { arms } = summary();
    const searched = ['reinforce', 'reinforceDefault', 'reinforceAdversarial', 'reinforceL1', 'randomSearch'];
    const fixed = ['random', 'truth', 'startUniform', 'startDefault', 'startAdversarial'];
    assert.deepEqual(Object.keys(arms).sort(), [...searched, ...fixed].sort());
    for (const [name, { evaluations, test, also }] of Object.entries(arms)) {
      assert.equal(evaluations, searched.includes(name) ? 8 : 0);
      assert.ok(test.mean < 0, `${name}: ${test.mean}`); // minus an L1 distance
      assert.deepEqual(Object.keys(also!), ['devianceExplained', 'negativeL1']);
    }
    const paths = searched.slice(0, 4).flatMap((arm) => [`proportions-${arm}.svg`, `proportions-${arm}.png`]);
    wrote(
      'table.md',
      'table.csv',
      'error.svg',
      'error.png',
      'proportions.md',
      'label-costs.md',
      'best-weather.md',
      'best-weather.png',
      ...paths,
    );
    const costs = read('label-costs.csv').trim().split('\n');
    assert.equal(costs[0], 'parameter,change,cost,low,high');
    assert.equal(costs.length, 1 + 2 * (5 + 4) + 2, 'two shares of each label, and all labels alike');
    assert.match(costs[1]!, /^carTypes,hatchback\/0.3,-?[\d.e-]+,-?[\d.e-]+,-?[\d.e-]+$/);

    const [head, ...rows] = read('proportions.csv').trim().split('\n');
    assert.match(head!, /^arm,seed,carTypes start,carTypes learned,carTypes policyMean,weather start/);
    assert.equal(rows.length, 4);
    // θ* has car types (.1 .45 .25 .15 .05): .1 + .25 + .05 + .05 + .15 from a fifth each
    assert.ok(Math.abs(Number(rows[0]!.split(',')[2]) - 0.6) < 1e-6, rows[0]);
    assert.match(rows[1]!, /^reinforceAdversarial,1,/);
    // nine tenths of buses, of which it has .05, and .025 of each other
    assert.ok(Math.abs(Number(rows[1]!.split(',')[2]) - 1.7) < 1e-6, rows[1]);
  });

  it('moves a share of a simplex to one label and leaves the others', () => {
    assert.deepEqual(movedTo([0.2, 0.8], 0, 0.5), [0.6, 0.4]);
  });

  it('tells the noise of the searches from what they have in common', async () => {
    const parameters = defineParameters([
      { kind: 'simplex', name: 'weather', labels: ['dry', 'wet'], default: [0.5, 0.5], meaning: 'the weather' },
    ]);
    const search = (seed: number, wet: number) => {
      const learned = { theta: { weather: [1 - wet, wet] } };
      return { seed, start: { theta: { weather: [0.5, 0.5] } }, learned, states: [{ mu: [0, 0] }], told: [16] };
    };
    const searches = [search(1, 0.2), search(2, 0.6)] as unknown as Recovery['searches'];
    const folder = mkdtempSync(join(tmpdir(), 'proportions-'));
    writeProportions(folder, parameters, [{ arm: 'a', title: 'A', searches }], { weather: [0.6, 0.4] });
    const rows = readFileSync(join(folder, 'proportions.md'), 'utf8').split('\n');
    await drawProportions('A', parameters, searches, { weather: [0.6, 0.4] }, join(folder, 'a'));
    assert.match(readFileSync(join(folder, 'a.svg'), 'utf8'), /thin: each of them; dashed: the hidden proportions/);
    rmSync(folder, { recursive: true });
    // |.8 − .6| + |.2 − .4| = .4, and as much on the other side; their mean is the hidden one.
    assert.ok(rows.includes('| A | 1 | 0.20 | 0.40 | 0.20 |'), rows.join('\n'));
    assert.ok(rows.includes('| A | 2 | 0.20 | 0.40 | 0.20 |'));
    assert.ok(rows.includes('| A | mean | 0.20 ± 0.00 | 0.40 ± 0.00 | 0.20 ± 0.00 |'));
    assert.ok(rows.includes('| A | of the mean θ | 0.20 | 0.00 | 0.20 |'));
    assert.ok(rows.includes('| A | 2 | 0.40 | 0.60 |'), 'what was learned');
  });

  it('measures L1 from 0 for the same proportions to 2 for those that share nothing', () => {
    assert.equal(l1([0.5, 0.5, 0], [0.5, 0.5, 0]), 0);
    assert.equal(l1([1, 0, 0], [0, 0.5, 0.5]), 2);
  });
});
