import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { disown, own } from '../../../env/server/owner.ts';
import { SqliteStore } from '../../../env/server/sqlite-store.ts';

const OWNER = new URL('../../../env/server/owner.ts', import.meta.url).href;

describe('the owner of a journal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-owner-'));
  const children: ChildProcess[] = [];
  let count = 0;
  const newPath = () => join(folder, `${count++}.sqlite`);
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
  after(() => rmSync(folder, { recursive: true }));

  const isFree = (path: string) => {
    own(path);
    disown(path);
  };

  /** The id of another process that owns the journal; started by `sh`, as the words say. */
  async function ownedBy(path: string, shell: string): Promise<number> {
    const code = `const { own } = await import(${JSON.stringify(OWNER)});
      own(${JSON.stringify(path)});
      console.log(process.pid);
      setInterval(() => {}, 1000);`;
    const words = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', code];
    const child = spawn('sh', ['-c', shell, 'sh', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return Number(line);
  }

  it('is the only one who may read it, and all files beside it', () => {
    const path = newPath();
    const modes = () =>
      [path, `${path}-wal`, `${path}.pid`].map((file) => (statSync(file).mode & 0o777).toString(8)).join(' ');
    new SqliteStore(path).close();
    chmodSync(path, 0o644);
    const umask = process.umask(0);
    const store = new SqliteStore(path);
    process.umask(umask);
    assert.equal(modes(), '600 600 600');
    store.close();
  });

  it('[S11] is one process, while it lives: others are told its id and the note', async () => {
    const path = newPath();
    const pid = await ownedBy(path, 'exec "$@"');
    const sentence = new RegExp(`expected ${path} to be free, but .* process id ${pid} has it .*${path}\\.pid`);
    assert.throws(() => own(path), sentence);
    process.kill(pid, 'SIGKILL');
    await once(children[0]!, 'exit');
    isFree(path);
  });

  it('[S11] is one process, even if the others cannot see it, or have other names for the file', async () => {
    const path = newPath();
    const pid = await ownedBy(path, 'exec "$@"');
    const [, about] = readFileSync(`${path}.pid`, 'utf8').split('\n');
    writeFileSync(`${path}.pid`, `999999999 1\n${about}`); // as one reads it in another process namespace
    const link = newPath();
    linkSync(path, link);
    assert.throws(() => own(path), /to be free, but the server with process id 999999999 has it .*: on \S+ since 2/);
    assert.throws(() => own(link), /to be free, but a process that has left no note has it/);
    process.kill(pid, 'SIGKILL');
    await once(children[0]!, 'exit');
    isFree(link);
  });

  it('[S11] has no copy of the file, whose note came along', async () => {
    const [path, copy] = [newPath(), newPath()];
    await ownedBy(path, 'exec "$@"');
    for (const end of ['', '.pid']) copyFileSync(`${path}${end}`, `${copy}${end}`);
    isFree(copy);
    assert.throws(() => own(path), /to be free, but the server with process id/);
  });

  it('[S11] is named with the folder that lies in the place of its note', () => {
    const path = newPath();
    mkdirSync(`${path}.pid`);
    assert.throws(() => own(path), { message: `journal: ${path}.pid: expected a file, got a folder` });
  });

  it('[S11] is gone when it was killed, even if nobody has reaped it', async () => {
    const path = newPath();
    const pid = await ownedBy(path, '"$@" & exec sleep 60'); // `sleep` asks for the end of no child
    process.kill(pid, 'SIGKILL');
    const state = () => (existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z');
    const threads = () => (existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`).length : 1); // each has its files
    while (!state().includes(') Z') || threads() > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(process.kill(pid, 0), true, 'its id is still taken');
    isFree(path);
  });

  it('[S11] is no other process that has the id of the note, and nobody where the note says nothing', async () => {
    const alive = spawn('sleep', ['60']);
    children.push(alive);
    await once(alive, 'spawn');
    const now = newPath();
    own(now);
    const ours = readFileSync(`${now}.pid`, 'utf8');
    const later = ours.replace(' ', ' 1'); // the same id, but another start
    assert.notEqual(later, ours);
    for (const note of ['', '\n', '-1', '0', 'x', '1', String(alive.pid), `${process.pid}`, '1e9', later]) {
      const path = newPath();
      writeFileSync(`${path}.pid`, note);
      isFree(path);
      assert.equal(existsSync(`${path}.pid`), false);
    }
    disown(now);
  });

  it('[S11] is the only one under whatever name, in its own process too', () => {
    const path = newPath();
    const store = new SqliteStore(path);
    const link = newPath();
    symlinkSync(path, link);
    for (const name of [path, link, join(folder, '.', '..', folder.split('/').at(-1)!, path.split('/').at(-1)!)]) {
      assert.throws(() => new SqliteStore(name), /journal: expected .* to be free/, name);
    }
    store.close();
    new SqliteStore(link).close();
    assert.equal(existsSync(`${link}.pid`), false);
  });
});
