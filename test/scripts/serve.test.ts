import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '../../agents/client/client.ts';
import { BANDIT } from '../env/server/bandit-server.ts';

const SERVE = ['--import', 'tsx', 'scripts/serve.ts'];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Serving {
  readonly process: ChildProcess;
  readonly url: string;
  readonly workers: number[];
}

/** Ended after each test, or a test that fails would leave them behind and mocha waiting. */
const children: ChildProcess[] = [];

const serve = (...flags: string[]) => serveAs(['ignore', 'pipe', 'inherit'], ...flags);

async function serveAs(stdio: ('ignore' | 'pipe' | 'inherit')[], ...flags: string[]): Promise<Serving> {
  const args = [...SERVE, '--env', BANDIT, '--port', '0', '--workers', '2', '--log', 'silent', '--json', ...flags];
  const child = spawn(process.execPath, args, { stdio });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  const ready = JSON.parse(line) as { ready: boolean; url: string; pid: number };
  assert.equal(ready.ready, true);
  const workers = execFileSync('pgrep', ['-P', String(ready.pid), '-f', 'worker.ts'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  return { process: child, url: ready.url, workers };
}

function alive(pids: number[]): number[] {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

async function gone(pids: number[], withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (alive(pids).length > 0 && performance.now() < until) await pause(20);
  assert.deepEqual(alive(pids), []);
}

/** Begins an evaluation that blocks its worker for ever. */
async function block({ url }: Serving): Promise<void> {
  const client = await connect(url, { reconnectForMs: 0 });
  const environment = await client.open({ env_id: 'Bandit-v0', options: { fault: 'block' } });
  environment.evaluate({ action: [0, 0, 0, 0, 0, 0] }).catch(() => {});
  await environment.reset();
  await pause(100);
}

describe('serve @slow', () => {
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops on ${signal} with exit code 0 and leaves no process`, async () => {
      const serving = await serve();
      assert.equal(serving.workers.length, 2);
      serving.process.kill(signal);
      assert.deepEqual(await once(serving.process, 'exit'), [0, null]);
      await gone(serving.workers, 0);
    });
  }

  it('stops when its standard input ends, if it is told to', async () => {
    const serving = await serveAs(['pipe', 'pipe', 'inherit'], '--stop-with-stdin');
    serving.process.stdin!.destroy();
    assert.deepEqual(await once(serving.process, 'exit'), [0, null]);
    await gone(serving.workers, 0);
  });

  it('stops at the end of --drain-seconds even if an evaluation blocks', async () => {
    const serving = await serve('--drain-seconds', '0');
    await block(serving);
    serving.process.kill('SIGTERM');
    assert.deepEqual(await once(serving.process, 'exit'), [0, null]);
    await gone(serving.workers, 0);
  });

  it('stops once, and prints nothing, when a second signal comes while it stops', async () => {
    const serving = await serveAs(['ignore', 'pipe', 'pipe']);
    let said = '';
    serving.process.stderr!.on('data', (data: Buffer) => (said += data.toString()));
    serving.process.kill('SIGTERM');
    await pause(5);
    serving.process.kill('SIGTERM');
    assert.deepEqual(await once(serving.process, 'exit'), [0, null]);
    await pause(50);
    assert.equal(said, '');
    await gone(serving.workers, 0);
  });

  it('leaves no process when it is killed, not even a worker that blocks', async () => {
    const serving = await serve();
    await block(serving);
    serving.process.kill('SIGKILL');
    await once(serving.process, 'exit');
    await gone(serving.workers, 3000);
  });

  it('stops with a sentence if an environment cannot be prepared, and prints no stack', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lts-')), 'unprepared.ts');
    const prepare = "prepare: async () => { throw new Error('photo.png: expected a readable image'); }";
    const create = `create: (options) => ({ ...bandit.create(options), ${prepare} })`;
    writeFileSync(path, `import bandit from '${BANDIT}';\nexport default { ...bandit, ${create} };`);
    const flags = ['--env', path, '--port', '0', '--json', '--log', 'error'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...SERVE, ...flags], { encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [1, '', 'photo.png: expected a readable image\n']);
  });

  it('refuses with a sentence what it cannot do', () => {
    const refusal = (...flags: string[]) => {
      const { status, stderr } = spawnSync(process.execPath, [...SERVE, ...flags], { encoding: 'utf8' });
      assert.equal(status, 1);
      return stderr;
    };
    assert.match(refusal(), /--env: expected at least one environment/);
    assert.match(refusal('--env', 'Nowhere-v0'), /environment: expected an id .* got Nowhere-v0/);
    assert.match(refusal('--env', BANDIT, '--port', 'x'), /--port.*Expected a number from 0 to 65535, got "x"/);
    assert.match(refusal('--env', BANDIT, '--host', '0.0.0.0'), /--token: expected one where --host 0\.0\.0\.0/);
    const data = (folder: string) => refusal('--env', 'TrafficSegmentationReal-v0', '--port', '0', '--data', folder);
    assert.match(data('no such folder'), /no such folder: expected a folder of street images, found nothing\n$/);
    assert.match(refusal('--env', BANDIT, '--speed', '9'), /unknown option '--speed'/);
  });

  /** What a server that cannot start says. */
  async function refusalWith(env: Record<string, string>, ...flags: string[]): Promise<string> {
    const child = spawn(process.execPath, [...SERVE, ...flags], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let said = '';
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    assert.deepEqual(await once(child, 'close'), [1, null], `${flags.join(' ')}: ${said}`);
    assert.equal(said.trim().split('\n').length, 1, said);
    return said;
  }

  it('refuses empty words, from unset variables, wherever a word names something', async () => {
    const open = ['--env', BANDIT, '--port', '0', '--host', '0.0.0.0'];
    for (const flag of ['--token', '--observer-token', '--admin-token', '--journal', '--host', '--origin', '--env']) {
      const said = await refusalWith({}, ...open, '--token', 't', flag, '');
      assert.match(said, new RegExp(`'${flag} <.*Expected a (word|path), got nothing`));
    }
    for (const name of ['LTS_TOKEN', 'LTS_OBSERVER_TOKEN', 'LTS_ADMIN_TOKEN']) {
      assert.match(await refusalWith({ [name]: '' }, ...open.slice(0, 4)), new RegExp(`env '${name}'.*got nothing`));
    }
    assert.match(await refusalWith({}, ...open, '--token', 'two words '), /^agent token: expected 1 to 1024 printable/);
  });

  it('says that the port is taken before it makes a journal or a worker, and a journal that cannot be', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-'));
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const journal = join(folder, 'never', 'j.sqlite');
    const said = await refusalWith({}, '--env', BANDIT, '--port', String(port), '--journal', journal, '--json');
    assert.match(
      said,
      new RegExp(`^address: expected a free port of this machine, got port ${port} of 127\\.0\\.0\\.1: .*USE`),
    );
    assert.equal(existsSync(join(folder, 'never')), false);
    taken.close();
    const foreign = await refusalWith({}, '--env', BANDIT, '--host', '192.0.2.1', '--token', 't', '--json'); // reserved: RFC 5737
    assert.match(foreign, /^address: expected an address of this machine, got port 7077 of 192\.0\.2\.1: /);
    const file = join(folder, 'file');
    writeFileSync(file, 'no folder');
    const under = join(file, 'j.sqlite');
    const refused = await refusalWith({}, '--env', BANDIT, '--port', '0', '--journal', under, '--json');
    assert.ok(refused.startsWith(`journal: expected ${under} to be a journal`), refused);
  });

  it('logs for people, or in JSON where --json asks, and says what it waits for when it is told to stop', async () => {
    for (const [flags, line] of [
      [[], /\{"level":40,"time":"\d{4}-.*"running":1,"queued":0,.*"msg":"stopping: waits/],
      [
        ['--log-format', 'text'],
        /^\d{4}-\S+Z warn +stopping: waits .*a second signal ends them running=1 queued=0 sec/m,
      ],
    ] as const) {
      const serving = await serveAs(['ignore', 'pipe', 'pipe'], '--log', 'info', ...flags);
      let said = '';
      serving.process.stderr!.on('data', (data: Buffer) => (said += data.toString()));
      await block(serving);
      serving.process.kill('SIGTERM');
      await pause(1500);
      assert.match(said, line);
      serving.process.kill('SIGTERM');
      assert.deepEqual(await once(serving.process, 'exit'), [0, null]);
      await gone(serving.workers, 0);
    }
  });
});
