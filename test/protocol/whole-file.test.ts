import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWhole } from '../../protocol/whole-file.ts';

describe('a file that is written whole', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'whole-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has its new content, in a folder that is made', () => {
    const path = join(folder, 'a', 'b.txt');
    writeWhole(path, 'one');
    writeWhole(path, new Uint8Array([50]));
    assert.equal(readFileSync(path, 'utf8'), '2');
    assert.deepEqual(readdirSync(join(folder, 'a')), ['b.txt']);
  });

  it('has its own rights, also where a killed process has left the beginning of one', () => {
    const path = join(folder, 'secret');
    writeFileSync(`${path}.${process.pid}.part`, 'the beginning of', { mode: 0o644 });
    writeWhole(path, 'a secret', { mode: 0o600, flush: true });
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['a secret', 0o600]);
    assert.deepEqual(readdirSync(folder), ['secret']);
  });

  it('is as it was, and is named, where it cannot be written', () => {
    const long = 'x'.repeat(250); // its temporary name is longer than a name may be
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, long), 'before');
    assert.throws(() => writeWhole(join(folder, long), 'after'), {
      message: new RegExp(`${long}: expected to write it, got ENAMETOOLONG`),
    });
    assert.throws(() => writeWhole(join(folder, 'folder'), ''), {
      message: /\/folder: expected a file, got a folder$/,
    });
    assert.equal(readFileSync(join(folder, long), 'utf8'), 'before');
    assert.deepEqual(readdirSync(folder).sort(), ['folder', long]);
  });
});
