import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { makeFolder } from '../../protocol/make-folder.ts';

describe('a folder that is made', () => {
  let place: string;
  beforeEach(() => (place = mkdtempSync(join(tmpdir(), 'folder-'))));
  afterEach(() => rmSync(place, { recursive: true }));

  it('comes with those above it, and may be there already, or be a link to one', () => {
    const path = join(place, 'a', 'b', 'c');
    makeFolder(path);
    makeFolder(path);
    makeFolder(relative('.', join(place, 'd', 'e')));
    symlinkSync(path, join(place, 'link'));
    makeFolder(join(place, 'link', 'f'));
    assert.ok(statSync(join(path, 'f')).isDirectory() && statSync(join(place, 'd', 'e')).isDirectory());
  });

  it('is an error at once where none can be made, and names it', function () {
    this.timeout(2000); // Node's own never returns in /proc
    writeFileSync(join(place, 'file'), '');
    const rule = 'expected a folder';
    assert.throws(() => makeFolder(join(place, 'file')), new RegExp(`${place}/file: ${rule}`));
    assert.throws(() => makeFolder(join(place, 'file', 'x')), /file/);
    if (existsSync('/proc'))
      assert.throws(() => makeFolder('/proc/x/y'), new RegExp(`/proc/x: ${rule} that can be made`));
  });
});
