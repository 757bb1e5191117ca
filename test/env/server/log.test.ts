import assert from 'node:assert/strict';
import { connect } from '../../../agents/client/client.ts';
import { createLog, type LogFormat } from '../../../env/server/log.ts';
import { startBanditServer } from './bandit-server.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A log, and the lines that it has written. */
function logged(format?: LogFormat) {
  const lines: string[] = [];
  return { log: createLog('info', format, (line) => lines.push(line)), lines };
}

describe('the log', () => {
  it('is lines for people, with times in ISO 8601', () => {
    const { log, lines } = logged();
    log.info({ env: 'Mixture-v0', workers: 2, reward: null, why: 'no "room"' }, 'session opened');
    log.debug('nobody asked for this');
    assert.equal(lines.length, 1);
    const [time, ...words] = lines[0]!.split(/ +/);
    assert.match(time!, ISO);
    const expected = 'info session opened env=Mixture-v0 workers=2 reward=null why="no \\"room\\""\n';
    assert.equal(words.join(' '), expected);
  });

  it('is JSON, one object per line, where that is asked for', () => {
    const { log, lines } = logged('json');
    log.warn({ why: 'two\nlines' }, 'session closed');
    assert.equal(lines[0]!.indexOf('\n'), lines[0]!.length - 1);
    const { level, time, msg, why } = JSON.parse(lines[0]!) as Record<string, unknown>;
    assert.deepEqual([level, msg, why], [40, 'session closed', 'two\nlines']);
    assert.match(time as string, ISO);
  });

  it('lets no text from elsewhere begin a line or steer the terminal', () => {
    const { log, lines } = logged();
    log.warn({ reason: 'a\n2026-01-01T00:00:00.000Z error forged' }, 'over\x1b[2J');
    log.error({ error: 'Error: x\x9b2J\n    at f (a.ts:1:1)\n    at g (b.ts:2:2)' }, 'defect');
    assert.equal(lines[0]!.split('\n').length, 2);
    assert.equal(/[^\P{Cc}\n]/u.test(lines.join('')), false);
    assert.match(lines[1]!, /defect error=Error: x\\u009b2J\n {8}at f \(a\.ts:1:1\)\n {8}at g \(b\.ts:2:2\)\n$/);
  });

  it('has a line at the end of each evaluation: outcome, reward, seconds, session, step @slow', async () => {
    const { log, lines } = logged('json');
    const server = await startBanditServer({ log });
    const client = await connect(server.url);
    const [good, bad] = [
      await client.open({ env_id: 'Bandit-v0', options: { delayMs: 300 } }),
      await client.open({ env_id: 'Bandit-v0', options: { fault: 'infeasible' } }),
    ];
    const action = [0, 0, 0, 0, 0, 0];
    const [one] = await Promise.all([
      good.evaluate({ step_id: 'one', action }),
      good.evaluate({ step_id: 'two', action }),
    ]);
    await bad.evaluate({ step_id: 'three', action });
    await client.close();
    await server.stop();
    const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ends = all.filter(({ msg }) => msg === 'evaluation ended');
    assert.deepEqual(
      ends.map(({ session, step, outcome, reward, reason }) => [session, step, outcome, reward, reason]),
      [
        [good.sessionId, 'one', 'ok', one.reward, undefined],
        [good.sessionId, 'two', 'ok', one.reward, undefined],
        [bad.sessionId, 'three', 'infeasible', null, 'no such bandit'],
      ],
    );
    const seconds = ends.map((end) => end['seconds'] as number);
    assert.ok(seconds[0]! >= 0.3 && seconds[1]! >= 0.3 && seconds[1]! < 0.6, `without the queue: ${seconds.join()}`);
  });

  it('says what a stopping server waits for @slow', async () => {
    const { log, lines } = logged();
    const server = await startBanditServer({ log });
    const client = await connect(server.url, { reconnectForMs: 0 });
    const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 60_000 } });
    const ends = [1, 2, 3].map((seed) => environment.evaluate({ action: [0, 0, 0, 0, 0, 0], seed }).catch(() => {}));
    await environment.reset();
    const drained = server.drain(700);
    await new Promise((resolve) => setImmediate(resolve));
    assert.match(lines.join(''), /warn +stopping: waits for evaluations .* running=1 queued=2 seconds=1\n/);
    await drained;
    await Promise.all(ends);
  });
});
