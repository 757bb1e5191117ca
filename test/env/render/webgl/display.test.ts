import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasWebgl } from '../../../../env/render/webgl/context.ts';
import { openDisplay } from '../../../../env/render/webgl/display.ts';

const CONTEXT = new URL('../../../../env/render/webgl/context.ts', import.meta.url).href;

describe('the display that WebGL draws through', () => {
  const { DISPLAY, PATH } = process.env;
  const folder = mkdtempSync(join(tmpdir(), 'lts-display-'));
  afterEach(() => {
    process.env['PATH'] = PATH;
    if (DISPLAY === undefined) delete process.env['DISPLAY'];
    else process.env['DISPLAY'] = DISPLAY;
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is the one that the environment names', () => {
    process.env['DISPLAY'] = ':4242';
    openDisplay();
    assert.equal(process.env['DISPLAY'], ':4242');
  });

  it('is asked for in a sentence where there is none, and no Xvfb', function () {
    if (process.platform !== 'linux') return this.skip();
    for (const name of ['sh', 'head', 'setsid']) {
      const path = PATH!.split(':').map((part) => join(part, name));
      symlinkSync(
        path.find((one) => existsSync(one))!,
        join(folder, name),
      );
    }
    process.env['PATH'] = folder;
    delete process.env['DISPLAY'];
    assert.throws(
      openDisplay,
      /^Error: webgl renderer: expected an X display .* Xvfb, got neither; npm run setup:webgl/,
    );
    assert.equal(process.env['DISPLAY'], undefined);
  });

  it('is an Xvfb that ends when nothing could be drawn through it @slow', async function () {
    if (process.platform !== 'linux' || !hasWebgl()) return this.skip();
    delete process.env['DISPLAY'];
    const closeDisplay = openDisplay();
    const [, number] = /^:(\d+)$/.exec(process.env['DISPLAY'] ?? '') ?? [];
    assert.ok(existsSync(`/tmp/.X11-unix/X${number}`), `expected Xvfb :${number} to live, got none`);
    closeDisplay();
    assert.equal(process.env['DISPLAY'], undefined);
    await ended(number!);
  });

  it('is an Xvfb that ends after the last program that draws through it @slow', async function () {
    if (process.platform !== 'linux' || !hasWebgl()) return this.skip();
    this.timeout(60_000);
    const code = `const { openWebgl } = await import('${CONTEXT}'); openWebgl(); console.log(process.env.DISPLAY);`;
    const environment = { ...process.env, DISPLAY: '' };
    const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: environment });
    assert.equal(status, 0, stderr);
    const number = /^:(\d+)\n$/.exec(stdout)?.[1];
    assert.ok(number !== undefined, `expected the display alone on stdout, got ${stdout}`);
    await ended(number);
  });
});

async function ended(number: string): Promise<void> {
  for (let waited = 0; existsSync(`/tmp/.X11-unix/X${number}`); waited += 100) {
    assert.ok(waited < 20_000, `expected Xvfb :${number} to end, got it alive after 20 s`);
    await sleep(100);
  }
}
