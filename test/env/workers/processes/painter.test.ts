import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_RUNTIME } from '../../../../env/runtime.ts';
import { Painter, PainterBusyError } from '../../../../env/workers/processes/painter.ts';

const MIXTURE = fileURLToPath(new URL('../../../../env/experiments/mixture.ts', import.meta.url));
const JOB = { source: 'Mixture-v0', options: {}, runtime: DEFAULT_RUNTIME, theta: {}, seed: 1 };

/** The processes of workers that this process has started. */
function workers(): number[] {
  try {
    const found = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'worker.ts'], { encoding: 'utf8' });
    return found.trim().split('\n').map(Number);
  } catch {
    return []; // pgrep finds none
  }
}

describe('the painter @slow', () => {
  const here = new AbortController().signal;

  it('starts its process with the first picture, replaces it when it dies, and ends it', async () => {
    const before = workers();
    const own = () => workers().filter((pid) => !before.includes(pid));
    const painter = new Painter(['Mixture-v0']);
    assert.deepEqual(own(), [], 'nothing is started for nothing');
    const [strip] = await painter.draw(JOB, here);
    assert.equal(strip!.pictures.length, 1);
    const [pid] = own();
    const killed = painter.draw({ ...JOB, seed: 2 }, here);
    process.kill(pid!, 'SIGKILL');
    await assert.rejects(killed, /^Error: pictures: the worker ended with signal SIGKILL/);
    assert.equal((await painter.draw(JOB, here)).length, 1, 'another process draws');
    const last = painter.draw(JOB, here);
    const waits = painter.draw(JOB, here);
    const both = Promise.all([assert.rejects(last, /has ended/), assert.rejects(waits, /the server stops/)]);
    await painter.close();
    await both;
    assert.deepEqual(own(), []);
    await assert.rejects(painter.draw(JOB, here), /the server stops/);
  });

  it('[R1] draws with the code that the server has, or says that it has changed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lts-')), 'mine.ts');
    const code = `export { default } from ${JSON.stringify(MIXTURE)};\n`;
    writeFileSync(path, code);
    const painter = new Painter([path]);
    writeFileSync(path, `${code}// a change\n`);
    await assert.rejects(painter.draw({ ...JOB, source: path }, here), /^Error: pictures: the code: .*changed files/);
    writeFileSync(path, code);
    assert.equal((await painter.draw({ ...JOB, source: path }, here)).length, 1);
    await painter.close();
  });

  it('does not draw for those who have left, and lets at most sixteen wait', async () => {
    const painter = new Painter(['Mixture-v0']);
    const gone = new AbortController();
    const first = painter.draw(JOB, here);
    const left = painter.draw(JOB, gone.signal);
    const others = Array.from({ length: 15 }, () => painter.draw(JOB, here));
    await assert.rejects(painter.draw(JOB, here), PainterBusyError);
    gone.abort();
    await assert.rejects(left, /nobody waits/);
    await Promise.all([first, ...others]);
    await painter.close();
  });
});
