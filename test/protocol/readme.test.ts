import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { encode } from '../../protocol/codec.ts';
import { CLOSE_CODES, ERROR_CODES } from '../../protocol/errors.ts';
import { clientMessages, serverMessages } from '../../protocol/messages.ts';
import { actionToTheta, defineParameters, thetaToAction } from '../../protocol/parameters.ts';
import { deriveSeed } from '../../protocol/random.ts';
import type { EnvironmentServer } from '../../env/server/server.ts';
import { startBanditServer } from '../env/server/bandit-server.ts';
import { Peer, type Message } from '../env/server/peer.ts';

const README = readFileSync(new URL('../../protocol/README.md', import.meta.url), 'utf8');

/** Are all fields that `shown` has in `actual` too? Ids and tokens are other ones each time. */
function assertShown(shown: unknown, actual: unknown, path: string): void {
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) {
    return assert.deepEqual(actual, shown, path);
  }
  for (const [key, value] of Object.entries(shown)) {
    if (key === 'session_id' || key === 'resume_token') continue;
    assertShown(value, (actual as Record<string, unknown>)[key], `${path}/${key}`);
  }
}

describe('the specification', () => {
  let server: EnvironmentServer;
  before(async () => (server = await startBanditServer()));
  after(() => server.stop());

  it('has a session that happens as it is written', async () => {
    const lines = README.split('\n').filter((line) => /^[→←] /.test(line));
    assert.ok(lines.length >= 16);
    const peer = await Peer.connect(server.url);
    let session: unknown;
    for (const line of lines) {
      const shown = JSON.parse(line.slice(2)) as Message;
      if (line.startsWith('→')) {
        peer.send('session_id' in shown ? { ...shown, session_id: session } : shown);
        continue;
      }
      const actual = await peer.next();
      session = actual['session_id'] ?? session;
      assertShown(shown, actual, line);
    }
    peer.close();
  });

  it('has the bytes of a hello', () => {
    const hex = Buffer.from(encode('msgpack', { t: 'hello', id: 1, protocol: [1] }) as Uint8Array).toString('hex');
    assert.ok(README.includes(hex.match(/../g)!.join(' ')));
  });

  it('[R2] has seeds for a check of deriveSeed', () => {
    assert.ok(README.includes(`\`deriveSeed(7, "episode", 0)\` = ${deriveSeed(7, 'episode', 0)}`));
    assert.ok(README.includes(`\`deriveSeed(2550420695, "simulation")\` = ${deriveSeed(2550420695, 'simulation')}`));
  });

  it('names every message, every field, every error code and every close code', () => {
    for (const [type, schema] of Object.entries({ ...clientMessages, ...serverMessages })) {
      const row = README.split('\n').find((line) => line.startsWith(`| \`${type}\` |`));
      assert.ok(row !== undefined, type);
      for (const field of Object.keys(schema.shape)) {
        if (field === 't' || ((type === 'ack' || type === 'note') && field === 'id')) continue;
        assert.match(row, new RegExp(`\\b${field}\\b`), `${type}.${field}`);
      }
    }
    for (const [code, [retryable, meaning]] of Object.entries(ERROR_CODES)) {
      assert.ok(README.includes(`| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${meaning} |`), code);
    }
    for (const [code, meaning] of Object.values(CLOSE_CODES))
      assert.ok(README.includes(`| ${code} | ${meaning} |`), String(code));
  });

  it('[R4] has the same map from actions to θ as the code', () => {
    const parameters = defineParameters([
      { kind: 'continuous', name: 'a', meaning: '', low: 2, high: 6, scale: 'linear', default: 3, unit: 'm' },
      { kind: 'continuous', name: 'b', meaning: '', low: 0.1, high: 10, scale: 'log', default: 1, unit: 'm' },
      { kind: 'simplex', name: 'c', meaning: '', labels: ['p', 'q'], default: [0.5, 0.5] },
      { kind: 'integer', name: 'd', meaning: '', low: 2, high: 6, scale: 'linear', default: 3, unit: 'm' },
      { kind: 'integer', name: 'e', meaning: '', low: 2, high: 60, scale: 'log', default: 3, unit: 'm' },
      { kind: 'boolean', name: 'f', meaning: '', default: false },
      { kind: 'categorical', name: 'g', meaning: '', choices: ['p', 'q', 'r'], default: 'p' },
    ]);
    const { a, b, c, ...others } = actionToTheta(parameters, [0.5, -0.5, 1, -0.25, 0.7, 0.7, 0, -1, 0.1, 0.1]);
    assert.equal(a, 2 + (6 - 2) * 0.75);
    assert.ok(Math.abs((b as number) - 0.1 * 100 ** 0.25) < 1e-12);
    const odds = Math.exp(3.2 * (1 - -0.25));
    assert.ok(Math.abs((c as number[])[0]! - odds / (1 + odds)) < 1e-12);
    const [linear, logarithmic] = [1.5 + 5 * 0.85, 1.5 * (60.5 / 1.5) ** 0.85]; // 5.75, 34.7
    assert.deepEqual(others, { d: Math.round(linear), e: Math.round(logarithmic), f: true, g: 'q' });
    const back = thetaToAction(parameters, others).slice(4);
    const expected = [2 * ((6 - 1.5) / 5) - 1, (2 * Math.log(35 / 1.5)) / Math.log(60.5 / 1.5) - 1];
    expected.forEach((component, i) => assert.ok(Math.abs(back[i]! - component) < 1e-12));
    assert.deepEqual(back.slice(2), [0.25, -0.25, 0.25, -0.25]);
  });

  it('has each of its rules in the title of a test', () => {
    const rules = [...README.matchAll(/^- \*\*(\[[A-Z]\d+\])\*\*/gm)].map(([, rule]) => rule!);
    assert.equal(new Set(rules).size, rules.length);
    assert.ok(rules.length > 50);
    const root = new URL('../', import.meta.url);
    const tests = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
    const titles = tests.flatMap((name) => readFileSync(new URL(name, root), 'utf8').match(/\bit\(\s*[`'"].*/g) ?? []);
    const untested = rules.filter((rule) => !titles.some((title) => title.includes(rule)));
    assert.deepEqual(untested, []);
  });
});
