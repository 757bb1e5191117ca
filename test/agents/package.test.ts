/** The package as a project of somebody else's has it: packed, unpacked into its node_modules, and imported by name. */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};
/** The tsconfig.json that agents/README.md tells such a project to have. */
const tsconfig = /^```json\n([^]*?)^```/m.exec(readFileSync(join(root, 'agents/README.md'), 'utf8'))![1]!;

describe('the package, in a project of somebody else’s @slow', () => {
  let project: string;
  let packed: readonly { readonly path: string }[];
  let server: ChildProcess | undefined;
  let url: string;

  before(async () => {
    project = mkdtempSync(join(tmpdir(), 'project-'));
    cpSync(join(import.meta.dirname, 'project'), project, { recursive: true });
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'tsconfig.json'), tsconfig);

    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: root });
    const [tarball] = JSON.parse(stdout) as [{ filename: string; files: typeof packed }];
    packed = tarball.files;
    const modules = join(project, 'node_modules');
    const unpacked = join(modules, 'learning-to-simulate');
    mkdirSync(unpacked, { recursive: true });
    await run('tar', ['-xzf', join(project, tarball.filename), '-C', unpacked, '--strip-components', '1']);
    // What installing it brings as well, and the compiler that the project has of its own.
    for (const name of [...Object.keys(dependencies), '@types/node', 'typescript']) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  });
  after(async () => {
    if (server && server.exitCode === null) {
      server.kill();
      await once(server, 'close');
    }
    rmSync(project, { recursive: true });
  });

  const tsx = (...words: string[]) => run(process.execPath, ['--import', 'tsx', ...words], { cwd: project });

  it('contains everything that serves and runs agents, and no tests, results or pictures', () => {
    const top = new Set(packed.map(({ path }) => path.split('/')[0]));
    const expected = ['LICENSE', 'README.md', 'agents', 'env', 'package.json', 'protocol', 'scripts', 'tsconfig.json'];
    assert.deepEqual([...top].sort(), expected);
  });

  it('passes the type check of an agent, a client and an environment that import its three entries', async () => {
    const { stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '--listFiles'], {
      cwd: project,
      maxBuffer: 2 ** 24,
    });
    for (const entry of ['agents/client/index.ts', 'agents/index.ts', 'env/index.ts']) {
      assert.ok(stdout.includes(join(project, 'node_modules/learning-to-simulate', entry)), entry);
    }
  });

  it('serves the environment', async () => {
    const flags = ['--env', './environment.ts', '--port', '0', '--workers', '1', '--json', '--stop-with-stdin'];
    const serve = ['node_modules/learning-to-simulate/scripts/serve.ts', ...flags, '--log', 'warn'];
    server = spawn(process.execPath, ['--import', 'tsx', ...serve], {
      cwd: project,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
    const ready = JSON.parse(line) as { url: string; environments: { id: string }[] };
    assert.equal(ready.environments[0]!.id, 'Draws-v0');
    url = ready.url;
  });

  it('runs the client, which evaluates', async () => {
    const { stdout } = await tsx('client.ts', url);
    const { outcome, reward, reason, code } = JSON.parse(stdout) as Record<string, string> & { reward: number };
    assert.deepEqual([outcome, reason, code], ['ok', 'no draws there', 'BAD_ACTION']);
    assert.ok(reward <= 0 && reward > -0.2, `θ* scored ${reward}`);
  });

  it('runs the agent, with its own flags and the flags of every run', async () => {
    const flags = ['--url', url, '--evaluations', '18', '--batch', '6', '--log', 'climb.jsonl'];
    const { stdout } = await tsx('agent.ts', ...flags);
    assert.equal(stdout.match(/^\[ ?\d+\/18\] negativeError/gm)?.length, 18);
    const [, start, learned] = /^validation negativeError \(reward\) +(-[\d.]+).*? {2}(-[\d.]+)/m.exec(stdout)!;
    assert.ok(Number(learned) > Number(start) + 0.2, stdout);
  });
}).timeout(180_000);
