import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readDescription } from '../../env/tables/description.ts';
import { readTable } from '../../env/tables/table.ts';
import { agreementOf } from '../../scripts/table/agreement.ts';

const BANDIT = join(import.meta.dirname, '../environments/bandit.ts');

describe('table @slow', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'table-script-'));
  after(() => rmSync(folder, { recursive: true }));
  const [out, log] = [join(folder, 'bandit'), join(folder, 'bandit.jsonl')];

  async function table(...flags: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/table.ts', ...flags], {
      cwd: join(import.meta.dirname, '../..'),
    });
    return stdout;
  }
  const make = () =>
    table(
      ...['--env', BANDIT, '--env-options', '{"noise":0.05,"delayMs":10}', '--thetas', '40', '--seeds', '2'],
      ...['--fresh', '12', '--out', out, '--log', log],
    );

  it('evaluates a design, goes on from its log, and fits a surrogate that ranks fresh θ', async () => {
    const first = await make();
    assert.match(first, /^0 of 104 evaluations are in/m);
    const [csv, parquet, json] = ['csv', 'parquet', 'json'].map((end) => `${out}.${end}`) as [string, string, string];
    const text = readFileSync(csv, 'utf8');
    const description = readDescription(csv);
    const [fromCsv, fromParquet] = await Promise.all([readTable(csv, description), readTable(parquet, description)]);
    assert.equal(fromCsv.configurations.length, 40);
    assert.ok(
      fromCsv.configurations.every(({ results }) => results.length === 2),
      'two evaluations of each θ',
    );
    const sets = fromCsv.outputs.map(({ column }) => column);
    assert.deepEqual(sets.slice(0, 4), ['scores.gain', 'scores.distance', 'test_scores.gain', 'test_scores.distance']);
    assert.deepEqual(fromParquet, fromCsv);
    const { made } = JSON.parse(readFileSync(json, 'utf8')) as {
      made: { agreement: { rank: number; thetas: number } };
    };
    assert.equal(made.agreement.thetas, 12);
    assert.ok(made.agreement.rank > 0.6, `rank agreement ${made.agreement.rank}`);

    // As if it had been stopped, in the middle of a line.
    const lines = readFileSync(log, 'utf8').split('\n');
    writeFileSync(log, `${lines.slice(0, 50).join('\n')}\n{"part":"des`);
    assert.match(await make(), /^49 of 104 evaluations are in/m);
    const columns = (table: string) => table.split('\n').map((row) => row.split(',').slice(0, -4).join());
    assert.deepEqual(columns(readFileSync(csv, 'utf8')), columns(text)); // all but the times
  });

  it('refuses the log of another design, and one without the test scores that it is to have', async () => {
    const differs = (...flags: string[]) =>
      assert.rejects(
        table('--env', BANDIT, '--env-options', '{"noise":0.05,"delayMs":10}', '--out', out, '--log', log, ...flags),
        /design\/0\/0: expected (another θ|no scores on the test set).*give --log another name/,
      );
    await differs('--thetas', '41', '--seeds', '2', '--fresh', '12');
    await differs('--thetas', '40', '--seeds', '2', '--fresh', '12', '--no-test');
  });

  it('fits the surrogate of a table of somebody’s', async () => {
    const own = join(folder, 'own.csv');
    writeFileSync(own, ['x,score', ...Array.from({ length: 12 }, (_, i) => `${i / 11},${Math.sin(i / 4)}`)].join('\n'));
    const description = {
      parameters: [{ name: 'x', low: 0, high: 1, default: 0 }],
      metrics: [{ name: 'score' }],
      made: { by: 'hand' },
    };
    writeFileSync(join(folder, 'own.json'), JSON.stringify(description));
    await table('--fit', own);
    const written = JSON.parse(readFileSync(join(folder, 'own.json'), 'utf8')) as typeof description;
    assert.deepEqual(written.made, { by: 'hand' });
    assert.equal(readDescription(own).surrogate!.lengths.length, 1);
  });
});

describe('the agreement of a surrogate', () => {
  it('is beside what the noise of the fresh evaluations would leave of a perfect one', () => {
    const compared = [
      { expected: 0, rewards: [-1, 1] },
      { expected: 10, rewards: [9, 11] },
      { expected: 20, rewards: [19, 21] },
    ];
    const { thetas, rank, rankAtBest, error, errorOfNoise } = agreementOf(compared);
    assert.deepEqual([thetas, rank, error], [3, 1, 0]);
    assert.equal(errorOfNoise, 1); // variance 2 of one evaluation, 1 of the mean of two
    assert.ok(Math.abs(rankAtBest! - Math.sqrt(99 / 100)) < 1e-9, `${rankAtBest}`); // variance of the means 100, 1 of it noise
    const single = agreementOf(compared.map(({ expected, rewards }) => ({ expected, rewards: rewards.slice(0, 1) })));
    assert.deepEqual(single, { thetas: 3, rank: 1, error: 1 }, 'single evaluations do not tell noise');
  });
});
