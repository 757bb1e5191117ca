import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasWebgl, WEBGL_FOLDER } from '../../env/render/webgl/context.ts';
import { installCommand, notInstalled } from '../../scripts/setup-webgl.ts';
import { SetupError } from '../../scripts/setup/steps.ts';

const scripts = join(import.meta.dirname, '../../scripts');

function start(script: string, ...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((settle) =>
    execFile(process.execPath, ['--import', 'tsx', join(scripts, script), ...args], (error, stdout, stderr) =>
      settle({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
    ),
  );
}

describe('setup:webgl', () => {
  const machine = (isRoot: boolean, hasSudo: boolean) => ({
    yes: true,
    isRoot,
    find: async (programs: readonly string[]) => (hasSudo ? programs[0] : undefined),
  });

  it('finds the packages that are not installed, also those that dpkg only half knows', () => {
    const list = 'xvfb installed\nlibgif-dev not-installed\ndpkg-query: no packages found matching libxi-dev\n';
    assert.deepEqual(notInstalled(['xvfb', 'libgif-dev', 'libxi-dev'], list), ['libgif-dev', 'libxi-dev']);
  });

  it('names the packages and the command, and installs nothing unless it is told to', async () => {
    await assert.rejects(installCommand(['xvfb', 'libgif-dev'], { ...machine(false, true), yes: false }), (error) => {
      assert.ok(error instanceof SetupError, 'expected a sentence');
      assert.match(error.message, /^expected the Debian packages xvfb, libgif-dev, got none of them; .* -- --yes /);
      assert.match(error.message, /by: sudo apt-get install --yes --no-install-recommends xvfb libgif-dev$/);
      return true;
    });
  });

  it('installs as root or with sudo, and otherwise leaves it to the user', async () => {
    const install = ['install', '--yes', '--no-install-recommends', 'xvfb'];
    assert.deepEqual(await installCommand(['xvfb'], machine(true, false)), { before: [], install });
    assert.deepEqual(await installCommand(['xvfb'], machine(false, true)), { before: ['sudo', '-n'], install });
    await assert.rejects(
      installCommand(['xvfb'], machine(false, false)),
      /^SetupError: expected to be root, or sudo .* do it yourself: sudo apt-get install .* xvfb$/,
    );
  });

  it('says in a sentence that nothing is installed where nothing is @slow', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-webgl-'));
    const { code, text } = await start('try-webgl.ts', folder);
    rmSync(folder, { recursive: true });
    assert.equal(code, 1);
    assert.match(
      text,
      /^try-webgl: webgl renderer: expected node-canvas-webgl, got none; npm run setup:webgl builds it\n$/,
    );
  });

  it('says in a sentence that a display draws nothing @slow', async function () {
    if (!hasWebgl()) return this.skip();
    this.timeout(60_000);
    const { DISPLAY = '' } = process.env;
    process.env['DISPLAY'] = ':4242';
    const { code, text } = await start('try-webgl.ts', WEBGL_FOLDER).finally(() => (process.env['DISPLAY'] = DISPLAY));
    assert.equal(code, 1);
    assert.match(
      text,
      /^try-webgl: webgl renderer: expected a driver that draws WebGL 2, got none with DISPLAY=:4242$/m,
    );
  });

  it('explains itself with --help and refuses what it does not know @slow', async () => {
    const [help, unknown] = await Promise.all([start('setup-webgl.ts', '--help'), start('setup-webgl.ts', '--gpu')]);
    assert.equal(help.code, 0);
    assert.match(help.text, /--yes[\s\S]*--force/);
    assert.equal(unknown.code, 1);
    assert.match(unknown.text, /unknown option '--gpu'/);
  });
});
