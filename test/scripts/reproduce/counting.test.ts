import assert from 'node:assert/strict';
import { movedTo } from '../../../scripts/reproduce/label-costs.ts';
import { l1, rooted } from '../../../scripts/reproduce/proportions.ts';
import { reproduction, TINY_STREETS } from './reproduction.ts';

const { run, wrote, read, summary, remove } = reproduction('counting');
const tiny = ['--preset', 'quick', '--backend', 'wasm', '--evaluations', '8', '--search-seeds', '1'];

describe('reproduce counting', function () {
  this.timeout(180_000);
  after(remove);

  it('searches from three starts and writes how far each ends from the hidden proportions', async () => {
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
    wrote('table.md', 'table.csv', 'error.svg', 'error.png', 'proportions.md', 'label-costs.md', ...paths);
    const costs = read('label-costs.csv').trim().split('\n');
    assert.equal(costs[0], 'parameter,change,cost,low,high');
    assert.equal(costs.length, 1 + 2 * (5 + 4) + 2, 'two shares of each label, and the roots of both simplexes');
    assert.match(costs[1]!, /^carTypes,hatchback\/0.3,-?[\d.e-]+,-?[\d.e-]+,-?[\d.e-]+$/);

    const [head, ...rows] = read('proportions.csv').trim().split('\n');
    assert.match(
      head!,
      /^arm,seed,carTypes start,carTypes learned,carTypes policyMean,carTypes learned to root,weather/,
    );
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

  it('takes the roots of proportions', () => {
    assert.deepEqual(rooted([0.64, 0.36, 0]), [0.8 / 1.4, 0.6 / 1.4, 0]);
  });

  it('measures L1 from 0 for the same proportions to 2 for those that share nothing', () => {
    assert.equal(l1([0.5, 0.5, 0], [0.5, 0.5, 0]), 0);
    assert.equal(l1([1, 0, 0], [0, 0.5, 0.5]), 2);
  });
});
