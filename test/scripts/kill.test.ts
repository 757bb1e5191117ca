import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, type Client } from '../../agents/client/client.ts';
import { localEnvironment } from '../../env/environment.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import { deriveSeed } from '../../protocol/random.ts';
import bandit from '../environments/bandit.ts';
import { BANDIT } from '../env/server/bandit-server.ts';

const OPTIONS = { noise: 0.3, delayMs: 40 };
const STEPS = 40;

/** Ended after each test, or a test that fails would leave them behind and mocha waiting. */
const children: ChildProcess[] = [];

async function serve(port: number, journal: string): Promise<{ process: ChildProcess; port: number; url: string }> {
  const flags = [
    '--env',
    BANDIT,
    '--port',
    String(port),
    '--journal',
    journal,
    '--workers',
    '2',
    '--log',
    'silent',
    '--json',
  ];
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/serve.ts', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url, port: actual } = JSON.parse(line) as { url: string; port: number };
  return { process: child, port: actual, url };
}

async function kill({ process }: { process: ChildProcess }): Promise<void> {
  process.kill('SIGKILL');
  await once(process, 'exit');
}

describe('a server that is killed @slow', () => {
  let client: Client | undefined;
  afterEach(async () => {
    children.splice(0).forEach((child) => child.kill('SIGKILL'));
    await client?.close();
  });

  it('[S11] loses no evaluation, counts none twice and gives none the reward of another', async () => {
    const journal = join(mkdtempSync(join(tmpdir(), 'lts-')), 'journal.sqlite');
    let server = await serve(0, journal);
    client = await connect(server.url);
    const environment = await client.open({ env_id: 'Bandit-v0', options: OPTIONS, seed: 5 });
    const local = localEnvironment(createExperiment(bandit, { ...OPTIONS, delayMs: 0 }, DEFAULT_RUNTIME).experiment, 5);
    const actions = Array.from({ length: STEPS }, (_, i) => [i / STEPS, 0, 0, 0, 0, -i / STEPS]);
    const pending = actions.map((action) => environment.evaluate({ action }));
    for (const afterMs of [150, 250]) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await kill(server);
      server = await serve(server.port, journal);
    }
    const results = await Promise.all(pending);
    for (const [i, result] of results.entries()) {
      const expected = await local.step({ action: actions[i]!, reset: true });
      assert.equal(result.seed, deriveSeed(5, 'episode', i));
      assert.equal(result.reward, expected.reward);
    }
    const seqs = results.map(({ seq }) => seq).sort((a, b) => a - b);
    assert.deepEqual(
      seqs,
      Array.from({ length: STEPS }, (_, i) => i + 1),
    );
    const next = await environment.evaluate({ action: actions[0]! });
    assert.equal(next.seed, deriveSeed(5, 'episode', STEPS), 'the stream of episodes goes on where it was');
    await client.close();
    server.process.kill('SIGTERM');
    await once(server.process, 'exit');
    assert.equal(existsSync(`${journal}.pid`), false, 'a clean end leaves no mark of an owner');
  });

  it('[S11] keeps a session over an orderly restart too, and lets no second server use its journal', async () => {
    const journal = join(mkdtempSync(join(tmpdir(), 'lts-')), 'journal.sqlite');
    const first = await serve(0, journal);
    client = await connect(first.url);
    const environment = await client.open({ env_id: 'Bandit-v0', seed: 5 });
    const { reward, step_id } = await environment.evaluate({ action: [0, 0, 0, 0, 0, 0], step_id: 'paid' });
    const second = spawn(
      process.execPath,
      ['--import', 'tsx', 'scripts/serve.ts', '--env', BANDIT, '--port', '0', '--journal', journal, '--json'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const words = (await once(createInterface(second.stderr), 'line')) as [string];
    assert.match(words[0], /journal: expected .* to be free, but the server with process id \d+ has it/);
    first.process.kill('SIGTERM');
    await once(first.process, 'exit');
    const next = await serve(first.port, journal);
    const again = await environment.evaluate({ action: [0, 0, 0, 0, 0, 0], step_id });
    assert.deepEqual([again.reward, again.replayed], [reward, true]);
    await client.close();
    next.process.kill('SIGTERM');
    await once(next.process, 'exit');
  });
});
