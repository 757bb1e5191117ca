import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = 'env/programs/blender/street.py';

describe('the simulator in Blender @slow', function () {
  this.timeout(240_000);
  before(function () {
    const { status } = spawnSync('blender', [
      '--background',
      '--python-exit-code',
      '1',
      '--python-expr',
      'import numpy',
    ]);
    if (status === 0) return;
    console.log(
      '      skipped: there is no blender whose Python has numpy; on Debian: apt install blender python3-numpy',
    );
    this.skip();
  });

  for (const [how, ...flags] of [
    ['started anew', '--simulator', `blender --background --python-exit-code 1 --python ${SCRIPT} -- {request}`],
    ['staying up', '--warm-simulator', '--simulator', `blender --background --python ${SCRIPT}`],
  ] as const) {
    it(`[G7] [G10] [G14] draws streets with labels, the same for equal seeds, ${how}`, async () => {
      const work = mkdtempSync(join(tmpdir(), 'blender-'));
      const size = ['--width', '64', '--height', '48', '--count', '2', '--work', work];
      const more = ['--parameters', 'env/programs/blender/street.json', '--theta', '{"cars":12}'];
      try {
        const words = ['--import', 'tsx', 'scripts/check-program.ts', ...flags, ...size, ...more];
        const { stdout } = await promisify(execFile)(process.execPath, words).catch((error: { stdout: string }) =>
          assert.fail(error.stdout),
        );
        for (const said of [/labels of .*car/, /equal θ and seeds give equal files/, /Nothing is wrong\.$/m])
          assert.match(stdout, said);
      } finally {
        rmSync(work, { recursive: true });
      }
    });
  }
});
