import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '../../agents/client/client.ts';
import type { PastEvaluation, RunHeader } from '../../agents/run/trial-log.ts';
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
        .map((line) => line.split('  ').at(-1)!.trim()),
      ['step', 's2', 's1'],
    );
    const rewards = exported
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { reward: number }).reward);
    assert.ok(results.every(({ reward }) => rewards.includes(reward!)));
    assert.match(replayed, new RegExp(`is  ok ${results[1]!.reward} .*\nthe same\n`));
    await assert.rejects(run('replay', environment.sessionId, 'never'), /expected an evaluation never/);
    await assert.rejects(run('list', '--outcome', 'fine'), /Allowed choices are ok, infeasible/);
  });

  describe('exports a run', () => {
    let folder: string;
    let log: string;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'history-'));
      log = join(folder, 'run.jsonl');
      const flags = ['--evaluations', '4', '--batch', '4', '--report-seeds', '1', '--url', server.url, '--log', log];
      await promisify(execFile)(process.execPath, [
        ...['--import', 'tsx', 'agents/random-search.ts', ...flags, '--token', 'secret'],
      ]);
    });
    after(() => rmSync(folder, { recursive: true }));
    const lines = (text: string) => text.trimEnd().split('\n');

    it('as JSON lines in the fields of the history, and as a table, with all that it has evaluated', async () => {
      const file = join(folder, 'run-exported.jsonl');
      const count = lines(readFileSync(log, 'utf8')).filter((line) => line.startsWith('{"type":"evaluation"')).length;
      assert.equal(await run('export', '--log', log, file), `${file}: ${count} evaluations\n`);
      const all = lines(readFileSync(file, 'utf8')).map((line) => JSON.parse(line) as PastEvaluation);
      assert.equal(all.length, count);
      assert.deepEqual(
        all.slice(0, 4).map(({ key }) => key),
        ['search/0', 'search/1', 'search/2', 'search/3'],
      );
      const [head, first, ...rest] = lines(await run('export', '--log', log, '--format', 'csv'));
      assert.match(
        head!,
        /^step_id,key,env_id,spec_hash,accepted_at,outcome,reward,theta\.x,theta\.y,theta\.weather\.clear,/,
      );
      assert.ok(first!.startsWith(`${all[0]!.step_id},search/0,Bandit-v0,`), first);
      assert.equal(rest.length, count - 1);
    });

    it('for Optuna, also where the log is older than its parameters: then the server says what they are', async () => {
      const [now, old] = ['now', 'old'].map((name) => join(folder, name));
      await run('export', '--log', log, '--format', 'optuna-journal', now!);
      const [first, ...rest] = lines(readFileSync(log, 'utf8'));
      const header = JSON.parse(first!) as RunHeader;
      const { id, options, specHash } = header.environment;
      writeFileSync(
        log,
        [JSON.stringify({ ...header, environment: { id, options, specHash } }), ...rest, ''].join('\n'),
      );
      const told = `${old}: study "Bandit-v0 ${specHash}" of 4 trials, 0 failed, 0 pruned\n`;
      assert.equal(await run('export', '--log', log, '--format', 'optuna-journal', old!), told);
      assert.equal(readFileSync(old!, 'utf8'), readFileSync(now!, 'utf8'));
      writeFileSync(log, readFileSync(log, 'utf8').replace(specHash, 'another'));
      await assert.rejects(
        run('export', '--log', log, '--format', 'optuna-journal'),
        /run\.jsonl: expected a server that has the environment of the evaluations, got: Bandit-v0: expected spec another/,
      );
    });

    it('refuses what it would have to ignore, or to overwrite', async () => {
      const flags = ['--format', 'optuna-journal'];
      await assert.rejects(
        run('export', '--log', log, '--session', 'x'),
        /'--log <file>' cannot be used with option '--session/,
      );
      await assert.rejects(
        run('export', ...flags, '--log', log, log),
        /expected no file yet, got one; Optuna may have gone on/,
      );
      await assert.rejects(run('export', ...flags, '--session', 'never'), /export: expected an evaluation, got none/);
      await assert.rejects(run('export', '--format', 'xml'), /Allowed choices are jsonl, csv, optuna-journal/);
    });
  });
});
