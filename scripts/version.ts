import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** The package's version; the build also names the commit (if git knows one), Node, and the platform. */
export async function version(): Promise<{ version: string; build: string }> {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  const commit = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname }).then(
    ({ stdout }) => `+${stdout.trim()}`,
    () => '',
  );
  return { version, build: `${version}${commit} node-${process.versions.node} ${process.platform}-${process.arch}` };
}
