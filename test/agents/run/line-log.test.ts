import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LineLog, readLines } from '../../../agents/run/line-log.ts';

const LINE_LOG = new URL('../../../agents/run/line-log.ts', import.meta.url).href;

describe('a log of lines', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'line-log-'));
    path = join(folder, 'new', 'log.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const append = (...lines: object[]) => {
    const log = new LineLog(path);
    lines.forEach((line) => log.append(line));
    log.close();
  };

  it('gives the lines that were appended, in their order', () => {
    append({ n: 1 }, { n: 2 });
    append({ n: 3 });
    assert.deepEqual(readLines(path), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('ignores a last line that was cut off when it reads, and removes it before it appends', () => {
    append({ n: 1 });
    writeFileSync(path, '{"n":2', { flag: 'a' });
    assert.deepEqual(readLines(path), [{ n: 1 }]);
    assert.equal(readFileSync(path, 'utf8'), '{"n":1}\n{"n":2');
    append({ n: 3 });
    assert.equal(readFileSync(path, 'utf8'), '{"n":1}\n{"n":3}\n');
  });

  it('removes a cut line even if it is the only one', () => {
    append();
    writeFileSync(path, '{"n"');
    append({ n: 1 });
    assert.equal(readFileSync(path, 'utf8'), '{"n":1}\n');
  });

  it('names the file and the line that is no JSON object', () => {
    for (const damaged of ['{"n":2{"n":3}', '5', 'null', '[]', '']) {
      append();
      writeFileSync(path, `{"n":1}\n${damaged}\n{"n":4}\n`);
      const message = `${path}, line 2: expected one JSON object, got ${damaged}`;
      assert.throws(() => readLines(path), { message });
    }
  });

  it('refuses an existing log when a fresh one is asked for, and does not change it', () => {
    append({ n: 1 });
    assert.throws(() => new LineLog(path, { fresh: true }), {
      message: `${path}: expected no log yet, got one of 8 bytes`,
    });
    assert.deepEqual(readLines(path), [{ n: 1 }]);
    writeFileSync(path, '{"cut');
    new LineLog(path, { fresh: true }).close();
    assert.equal(readFileSync(path, 'utf8'), '');
  });

  it('writes to nothing but a log, and leaves as it is what is something else', () => {
    append({ n: 1 });
    const plain = readFileSync(path);
    for (const [name, bytes, message] of [
      ['log.jsonl.gz', gzipSync(plain), /expected a log to write to, got a compressed one; gunzip it first/],
      ['gzipped', gzipSync(plain), /expected a log with a JSON object in each line, got something else/],
      ['notes', Buffer.from('a line without its end'), /expected a log with a JSON object in each line/],
      ['half', Buffer.from('{"n":1}\nhalf a line of something else'), /expected a log with a JSON object in each line/],
    ] as const) {
      const other = join(folder, name);
      writeFileSync(other, bytes);
      assert.throws(() => new LineLog(other), message, name);
      assert.deepEqual(readFileSync(other), bytes, name);
    }
    assert.deepEqual(readLines(join(folder, 'log.jsonl.gz')), [{ n: 1 }]);
    for (const device of ['/dev/null', '/dev/zero', folder]) {
      const message = device === folder ? /expected a file, got a folder/ : /: expected a file, got no regular file/;
      assert.throws(() => new LineLog(device), message);
      assert.throws(() => readLines(device), message);
    }
  });

  it('names a compressed file that is damaged', () => {
    const damaged = join(folder, 'bad.jsonl.gz');
    writeFileSync(damaged, 'no gzip');
    const message = `${damaged}: expected a file that gzip has compressed, got incorrect header check`;
    assert.throws(() => readLines(damaged), { message });
  });

  it('is open for one writer at a time, whatever the name, and free again when that one is killed', async () => {
    append({ n: 1 });
    const link = join(folder, 'link.jsonl');
    symlinkSync(path, link);
    const code = `const { LineLog } = await import(${JSON.stringify(LINE_LOG)});
      globalThis.log = new LineLog(${JSON.stringify(path)});
      console.log('open');
      setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    writeFileSync(path, '{"by the other"', { flag: 'a' });
    for (const name of [path, link])
      assert.throws(() => new LineLog(name), /expected a log that nobody writes at the moment/);
    assert.equal(readFileSync(path, 'utf8'), '{"n":1}\n{"by the other"', 'a line that is being written is left alone');
    other.kill('SIGKILL');
    await once(other, 'close');
    append({ n: 2 });
    assert.deepEqual(readLines(path), [{ n: 1 }, { n: 2 }]);
  });
});
