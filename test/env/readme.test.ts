import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withThetaTable } from '../../scripts/theta-table.ts';

const path = 'env/README.md';
const readme = readFileSync(path, 'utf8');

describe('env/README.md', () => {
  it('has the table of θ as it is (else run: npx tsx scripts/theta-table.ts)', () => {
    assert.equal(readme, withThetaTable(readme));
  });

  it('links to files that exist, and its pictures are small', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^https?:/.test(link));
    assert.ok(links.length > 10);
    let bytes = 0;
    for (const link of new Set(links)) {
      const file = join(dirname(path), link);
      assert.ok(existsSync(file), `${link} is there`);
      if (file.endsWith('.jpg')) bytes += statSync(file).size;
    }
    assert.ok(bytes < 1.5e6, `${bytes} bytes of pictures`);
  });
});
