/**
 * Runs the fast tests with several versions of Node, and prints how many pass with each:
 *
 *     npm run try-nodes
 *     npm run try-nodes -- 24.0.0 26
 *
 * The npm package `node` brings the binaries; every version uses the node_modules of this folder.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endDescendants } from '../agents/run/process-family.ts';
import { alignedTable } from '../agents/run/report.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';

/** The oldest and the newest version of each line that `engines` in package.json allows; 26 is still a new one. */
const VERSIONS = ['20.19.0', '20', '22.13.0', '22', '24.0.0', '24', '26'];

/** What mocha's JSON reporter writes. */
interface Report {
  readonly stats: { readonly passes: number; readonly failures: number; readonly pending: number };
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
}

/** Runs a command with a version of Node in the place of ours. */
function withNode(version: string, ...command: string[]) {
  const words = ['--yes', '--package', `node@${version}`, '--', ...command];
  return new Promise<{ readonly failed: boolean; readonly stdout: string; readonly stderr: string }>((resolve) => {
    execFile('npx', words, { maxBuffer: Infinity }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, stdout, stderr: stderr || (error?.message ?? '') });
    });
  });
}

/** Runs the fast tests once: a row of the table, and why it is not what it should be. */
async function tryNode(
  version: string,
  folder: string,
): Promise<{ readonly row: string[]; readonly complaints: string[] }> {
  const node = await withNode(version, 'node', '--version');
  if (node.failed) return { row: [version, '-', '-', '-', '-'], complaints: [node.stderr.trim()] };
  const file = join(folder, `${version}.json`);
  const begin = performance.now();
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${file}`];
  const tests = await withNode(version, 'npm', 'run', 'test:fast', '--', ...reporter);
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  const name = node.stdout.trim();
  const output = `${tests.stdout}${tests.stderr}`.trim().split('\n').slice(-10);
  if (!existsSync(file)) return { row: [name, '-', '-', '-', seconds], complaints: output };
  const { stats, failures } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const complaints = failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message ?? 'no reason given'}`);
  if (tests.failed && complaints.length === 0) complaints.push(...output);
  return { row: [name, `${stats.passes}`, `${stats.failures}`, `${stats.pending}`, seconds], complaints };
}

const [versions] = newCommand('try-nodes')
  .description('Runs the fast tests with several versions of Node, and prints how many pass with each.')
  .argument('[versions...]', 'versions of Node, as npm names them', VERSIONS)
  .parse().processedArgs as [string[]];

await runProgram('try-nodes', async () => {
  endDescendants();
  const folder = mkdtempSync(join(tmpdir(), 'try-nodes-'));
  const rows = [['node', 'passed', 'failed', 'skipped', 'seconds']];
  for (const version of versions) {
    const { row, complaints } = await tryNode(version, folder);
    rows.push(row);
    for (const complaint of complaints) console.error(`${row[0]}: ${complaint}`);
    if (complaints.length > 0) process.exitCode = 1;
  }
  rmSync(folder, { recursive: true });
  console.log(alignedTable(rows));
});
