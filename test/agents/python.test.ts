import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUILT_IN } from '../../env/experiments/index.ts';
import { PYTHON } from '../../scripts/setup/python-folder.ts';

const root = join(import.meta.dirname, '../..');

/** Runs a module of Python on the package; what it printed is the error when it fails. */
async function run(...args: string[]): Promise<string> {
  const options = { cwd: join(root, 'agents/python'), env: { ...process.env, LTS_TOKEN: undefined } };
  return promisify(execFile)(PYTHON, ['-B', '-m', ...args], options).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => assert.fail(`${stdout}\n${stderr}`),
  );
}

it('the Python package registers every environment that comes with the system', () => {
  const text = readFileSync(join(root, 'agents/python/learning_to_simulate/registration.py'), 'utf8');
  const [, listed] = /^BUILT_IN = \(([^)]*)\)/m.exec(text)!;
  assert.deepEqual([...listed!.matchAll(/"(.+?)"/g)].map(([, id]) => id).sort(), Object.keys(BUILT_IN).sort());
});

describe('the Python package @slow', function () {
  this.timeout(600_000);

  before(function () {
    if (existsSync(PYTHON)) return;
    // Where it can be made, CI has made it.
    const here = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;
    assert.ok(!process.env['CI'] || !here, `${PYTHON}: expected it, since Python is here; npm run setup:python`);
    console.log('      skipped: there is no .python; npm run setup:python makes it, where Python is');
    this.skip();
  });

  it('has types that hold', async () => {
    assert.match(await run('mypy', '--cache-dir', '/dev/null'), /^Success: no issues found/);
  });

  it('passes its tests, and the checkers of Gymnasium and Stable-Baselines3', async () => {
    const told = await run('pytest', '--quiet', '-rs', '--color=no');
    assert.match(told, /\d+ passed/);
    for (const line of told.match(/^(SKIPPED .*|\d+ passed.*)$/gm) ?? []) console.log(`      ${line}`);
  });
});
