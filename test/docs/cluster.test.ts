import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const SERVICE = 'docs/cluster/worker.service';
const COMPOSE = 'docs/cluster/compose.yaml';
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Runs a program of the system; undefined where there is none. */
function run(program: string, ...args: string[]) {
  const env = { ...process.env, LTS_PASSWORD: 'a', LTS_TOKEN: 'b' };
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', env });
  return error ? undefined : { status, output: `${stdout}${stderr}` };
}

describe('docs/cluster @slow', () => {
  it('has a unit that systemd reads', function () {
    if (!run('systemd-analyze', '--version')) return this.skip(); // no systemd here
    // What it says of this machine, such as a program that lies elsewhere here, says nothing of the file.
    const { output } = run('systemd-analyze', 'verify', SERVICE)!;
    assert.doesNotMatch(output, /worker\.service:\d+:/);
  });

  it('has a compose file that docker reads', function () {
    if (run('docker', 'compose', 'version')?.status !== 0) return this.skip(); // no compose here
    assert.equal(run('docker', 'compose', '-f', COMPOSE, 'config', '--quiet')!.output, '');
  });

  it('calls programs and flags that there are', () => {
    const lines = [read(SERVICE), read(COMPOSE), read('docs/cluster.md')]
      .flatMap((text) => text.split('\n'))
      .map((line) => line.replace(/npm run (\w+) --/, 'scripts/$1.ts'))
      .filter((line) => /scripts\/\w+\.ts .*--\w/.test(line));
    assert.ok(lines.length >= 4, lines.join('\n'));
    const helps = new Map<string, string>();
    const helpOf = (path: string) => {
      const help = helps.get(path) ?? run(process.execPath, '--import', 'tsx', path, '--help')!.output;
      helps.set(path, help);
      return help;
    };
    for (const line of lines) {
      const [, path, flags] = /(scripts\/\w+\.ts)(.*)/.exec(line)!;
      for (const [flag] of flags!.matchAll(/--[a-z-]+/g)) {
        assert.ok(helpOf(path!).includes(`${flag} `), `${flag} in: ${line}`);
      }
    }
  });

  it('names only figures of /metrics that there are', () => {
    const metrics = read('env/server/metrics.ts');
    const named = [...read('docs/cluster.md').matchAll(/`(lts_\w+)`/g)].map(([, name]) => name!);
    assert.ok(named.length >= 5, named.join(' '));
    for (const name of named) assert.ok(metrics.includes(`'${name}'`), name);
  });
});
