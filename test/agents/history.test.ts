import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connect } from '../../agents/client/client.ts';
import type { EnvironmentServer } from '../../env/server/server.ts';
import { startBanditServer } from '../env/server/bandit-server.ts';

describe('the history program @slow', () => {
  let server: EnvironmentServer;
  before(async () => (server = await startBanditServer({ tokens: { agent: 'secret' } })));
  after(() => server.stop());

  const run = async (...flags: string[]) => {
    const all = ['--import', 'tsx', 'agents/history.ts', ...flags, '--url', server.url, '--token', 'secret'];
    return (await promisify(execFile)(process.execPath, all)).stdout;
  };

  it('[R3] lists, exports and repeats an evaluation, with the same reward', async () => {
    const client = await connect(server.url, { token: 'secret' });
    const environment = await client.open({ env_id: 'Bandit-v0', options: { noise: 1 } });
    const actions = [0, 0.5, 1].map((x) => [x, 0, 0, 0, 0, 0]);
    const results = await environment.evaluateBatch(actions.map((action, i) => ({ action, step_id: `s${i}` })));
    await client.close();
    const [listed, exported] = await Promise.all([run('list', '--limit', '2'), run('export', '--env', 'Bandit-v0')]);
    // What is made again is an evaluation of its own in the history: it comes after the others are read.
    const replayed = await run('replay', environment.sessionId, 's1');
    assert.deepEqual(
      listed
        .trim()
        .split('\n')
        .map((line) => line.split('  ').at(-1)),
      ['s2', 's1'],
    );
    const rewards = exported
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { reward: number }).reward);
    assert.ok(results.every(({ reward }) => rewards.includes(reward!)));
    assert.match(replayed, new RegExp(`is  ok ${results[1]!.reward} .*\nthe same\n`));
    await assert.rejects(run('replay', environment.sessionId, 'never'), /expected an evaluation never/);
    await assert.rejects(run('list', '--outcome', 'fine'), /400/);
  });
});
