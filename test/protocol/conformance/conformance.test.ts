import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { connect } from '../../../agents/client/client.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { checkClient } from '../../../protocol/conformance/check-client.ts';
import { checkServer, checks } from '../../../protocol/conformance/check-server.ts';
import { ACTIONS, ENV_ID } from '../../../protocol/conformance/scripted-server.ts';
import type { Codec } from '../../../protocol/messages.ts';
import { BANDIT, startBanditServer } from '../../env/server/bandit-server.ts';

describe('the conformance kit', () => {
  let server: EnvironmentServer;
  before(async () => (server = await startBanditServer({ environments: [BANDIT, './env/examples/dice.ts'] })));
  after(() => server.stop());

  const target = (codec: Codec) => ({ url: server.url, codec, envId: 'Bandit-v0', options: { noise: 0.1 } });
  const everyKind = (codec: Codec) => ({ ...target(codec), envId: 'Dice-v0', options: {} });

  for (const codec of ['msgpack', 'json'] as Codec[]) {
    it(`finds nothing wrong with our server, nor with an environment that has every kind of parameter (${codec}) @slow`, async () => {
      for (const environment of [target(codec), everyKind(codec)]) {
        const verdicts = await checkServer(environment);
        assert.deepEqual(
          verdicts.filter(({ passed }) => !passed),
          [],
          environment.envId,
        );
        assert.equal(verdicts.length, checks.length);
      }
    });

    it(`finds nothing wrong with our client, step by step and in a batch (${codec}) @slow`, async () => {
      for (const batch of [false, true]) {
        const verdicts = await checkClient(async (url) => {
          const client = await connect(url, { protocol: codec });
          const environment = await client.open({ env_id: ENV_ID });
          const results = batch
            ? environment.evaluateBatch(ACTIONS.map((action) => ({ action })))
            : Promise.all(ACTIONS.map((action) => environment.evaluate({ action })));
          const rewards = (await results).map(({ reward }) => reward);
          await client.close();
          return rewards;
        }, codec);
        assert.deepEqual(
          verdicts.filter(({ passed }) => !passed),
          [],
          batch ? 'in a batch' : 'step by step',
        );
      }
    });
  }

  it('names the rule that a server or a client breaks @slow', async () => {
    const other = await startBanditServer({ limits: { max_in_flight: 1 } });
    const failed = (await checkServer({ ...target('json'), url: other.url, patienceMs: 300 })).filter(
      ({ passed }) => !passed,
    );
    await other.stop();
    assert.ok(
      failed.some(({ rules }) => rules.includes('P12')),
      'steps of a batch were refused',
    );
    const forgetful = await checkClient(async (url) => {
      const client = await connect(url, { reconnectForMs: 0 });
      const environment = await client.open({ env_id: ENV_ID });
      return Promise.all(ACTIONS.map((action) => environment.evaluate({ action })));
    }, 'msgpack');
    assert.ok(forgetful.some(({ rules, passed }) => !passed && rules.includes('S6')));
  });

  it('is a program that prints a table or JSON, and its exit code says whether all passed @slow', async () => {
    const run = (...flags: string[]) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', 'protocol/conformance/run.ts', ...flags]);
    const { stdout } = await run(server.url, '--codec', 'json', '--json');
    const report = JSON.parse(stdout) as { passed: number; failed: number; checks: unknown[] };
    assert.deepEqual([report.passed, report.failed, report.checks.length], [checks.length, 0, checks.length]);
    await assert.rejects(run('ws://127.0.0.1:1'), { code: 1 });
  });

  it('checks the rules that are visible from outside', () => {
    const README = readFileSync(new URL('../../../protocol/README.md', import.meta.url), 'utf8');
    const known = new Set([...README.matchAll(/^- \*\*\[([A-Z]\d+)\]\*\*/gm)].map(([, rule]) => rule));
    const checked = new Set(checks.flatMap(({ rules }) => rules));
    assert.ok([...checked].every((rule) => known.has(rule)));
    assert.ok(checked.size >= 30, `${checked.size} rules`);
  });
});
