/** A server whose θ has parameters of every kind: what was drawn for them stands in results, journal and history. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../../agents/client/index.ts';
import { replay } from '../../../agents/history.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import type { HistoryEntry } from '../../../protocol/history.ts';
import { actionToTheta } from '../../../protocol/parameters.ts';
import { startBanditServer } from './bandit-server.ts';

const DICE = './env/examples/dice.ts';
const THETA = { dice: 5, die: 'icosahedron', bestOfTwo: true, bonus: -2.5, luck: [0.25, 0.5, 0.25] };
/** dice, four kinds of die, bestOfTwo, bonus, luck. */
const ACTION = [1, -0.5, 0.1, 0.3, 0.2, 0, 0.5, -1, 1, -1];

describe('a server whose θ has integers, booleans and choices', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kinds-'));
  const journal = join(folder, 'journal.sqlite');
  let server: EnvironmentServer;
  const restarted = () => startBanditServer({ environments: [DICE], journal, workers: 0 });
  before(async () => (server = await restarted()));
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('[S1] describes them, with a name for each number of the action', async () => {
    const client = await connect(server.url);
    const { spec } = await client.open({ env_id: 'Dice-v0' });
    assert.deepEqual(spec.spaces.action.names.slice(0, 7), [
      ...['dice', 'die.tetrahedron', 'die.cube', 'die.octahedron', 'die.icosahedron', 'bestOfTwo', 'bonus'],
    ]);
    assert.deepEqual(spec.default, { dice: 2, die: 'cube', bestOfTwo: false, bonus: 0, luck: [0, 1, 0] });
    await client.close();
  });

  for (const protocol of ['msgpack', 'json'] as const) {
    it(`[R4] tells the integer, the boolean and the choice that an action gives, and takes them by name (${protocol})`, async () => {
      const client = await connect(server.url, { protocol });
      const environment = await client.open({ env_id: 'Dice-v0' });
      const { theta } = await environment.evaluate({ action: ACTION });
      assert.deepEqual(theta, actionToTheta(environment.spec.parameters, ACTION));
      assert.deepEqual([theta['dice'], theta['die'], theta['bestOfTwo']], [6, 'octahedron', true]);
      const [named, partial] = await environment.evaluateBatch([{ params: THETA }, { params: { die: 'tetrahedron' } }]);
      assert.deepEqual(named!.theta, THETA);
      assert.deepEqual(partial!.theta, { ...environment.spec.default, die: 'tetrahedron' });
      await client.close();
    });
  }

  it('[P2] refuses a value of another type, by its place, its rule and the value', async () => {
    const client = await connect(server.url);
    const environment = await client.open({ env_id: 'Dice-v0' });
    for (const [params, rule, message] of [
      [{ dice: 2.5 }, 'type', 'dice: expected a whole number 1..6 dice, got 2.5'],
      [{ dice: 7 }, 'range', 'dice: expected a whole number 1..6 dice, got 7'],
      [{ bestOfTwo: 1 }, 'type', 'bestOfTwo: expected true or false, got 1'],
      [{ die: 'coin' }, 'unknown', 'die: expected one of tetrahedron, cube, octahedron, icosahedron, got "coin"'],
    ] as const) {
      const name = Object.keys(params)[0]!;
      const refusal = { code: 'BAD_ACTION', message, at: `/params/${name}` };
      await assert.rejects(environment.evaluate({ params }), (error: Error & { place: { rule: string } }) => {
        assert.equal(error.place.rule, rule);
        for (const [key, value] of Object.entries(refusal)) assert.equal(error[key as 'message'], value);
        return true;
      });
    }
    const unlike = environment.evaluate({ params: { die: null as unknown as string } });
    await assert.rejects(
      unlike,
      /\/params\/die: expected a number, a list of numbers, true or false, or a string, got null/,
    );
    await client.close();
  });

  it('[S11] [R3] has them in its journal and its history, and evaluates them again to the same reward', async () => {
    const client = await connect(server.url);
    const environment = await client.open({ env_id: 'Dice-v0' });
    const { reward } = await environment.evaluate({ params: THETA, step_id: 'kept' });
    const ticket = { ...environment.ticket, last_seq: 0 };
    await client.close({ keepSessions: true });
    await server.stop();
    server = await restarted();
    const next = await connect(server.url);
    const resumed = await next.resume(ticket);
    const again = await resumed.evaluate({ params: THETA, step_id: 'kept' });
    assert.deepEqual([again.replayed, again.theta, again.reward], [true, THETA, reward]);
    await next.close();
    const page = await fetch(`${server.url.replace('ws', 'http')}/v1/history.jsonl?step=kept`);
    const entry = JSON.parse(await page.text()) as HistoryEntry;
    assert.deepEqual(entry.theta, THETA);
    assert.equal((await replay({ url: server.url }, entry)).reward, reward);
  });

  it('[W2] publishes their schema', async () => {
    const page = await fetch(`${server.url.replace('ws', 'http')}/v1/schema`);
    const schema = JSON.stringify(await page.json());
    for (const kind of ['continuous', 'integer', 'boolean', 'categorical', 'simplex']) {
      assert.ok(schema.includes(`"const":"${kind}"`), kind);
    }
  });
});
