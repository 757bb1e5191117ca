import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaderboardStudy } from '../../../scripts/reproduce/leaderboard.ts';
import { searchesOf } from '../../../scripts/reproduce/search-log.ts';
import { examplesOf } from '../../../scripts/reproduce/examples.ts';
import { reproduction } from './reproduction.ts';

describe('the leaderboard of a table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'leaderboard-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'fog.csv');
  const description = {
    parameters: [{ name: 'fog', low: 0, high: 2, default: 1 }],
    metrics: [{ name: 'iou' }, { name: 'loss' }],
    reward: 'iou',
  };

  it('is about the reward of the table, with 20 seeds of every optimiser', () => {
    writeFileSync(join(folder, 'fog.json'), JSON.stringify(description));
    const study = leaderboardStudy(file);
    assert.deepEqual([study.metric, study.table], ['iou', file]);
    const preset = study.presets['standard']!;
    const [ours, theirs] = [searchesOf(study, preset), examplesOf(study, preset)];
    assert.deepEqual([ours.length, theirs.length], [8 * 20, 7 * 20]);
    assert.ok(
      [...ours, ...theirs].every(({ evaluations }) => evaluations === 96),
      'one budget',
    );
    for (const { arm, envOptions, comparedWith } of ours) {
      assert.deepEqual(envOptions, arm.endsWith('Noiseless') ? { noise: false } : {}, arm);
      assert.deepEqual(comparedWith, {}, `${arm}: what it finds is compared with what the others find`);
    }
  });

  it('is refused without a description, and without a table @slow', async () => {
    assert.throws(
      () => leaderboardStudy(join(folder, 'other.csv')),
      /other\.json: expected JSON that describes the table/,
    );
    const { run, remove } = reproduction('leaderboard');
    const { code, err } = await run('--preset', 'quick');
    remove();
    assert.equal(code, 1);
    assert.match(err, /leaderboard: expected --table FILE, evaluations that npm run table has made, got none/);
  }).timeout(20_000);
});
