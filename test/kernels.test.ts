import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { KERNELS, compileKernel } from '../scripts/kernels/compile.ts';

const root = join(import.meta.dirname, '..');

describe('the compiled kernels @slow', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  after(() => rmSync(folder, { recursive: true }));

  for (const { source, output } of KERNELS) {
    it(`are what the compiler makes of their source: ${output} (else: npm run kernels)`, async () => {
      const compiled = join(folder, 'compiled.wasm');
      await compileKernel(source, relative(root, compiled));
      assert.ok(readFileSync(join(root, output)).equals(readFileSync(compiled)));
    }).timeout(120_000);
  }
});
