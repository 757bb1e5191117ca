/** The provenance of a result: the command, the commit and the machine. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { typed } from '../agents/run/flags.ts';

/** The current command, in a form that can be typed again. */
export function commandLine(script: string): string {
  const words = process.argv.slice(2).map(typed);
  return [`npm run ${script} --`, ...words].join(' ');
}

/** The current commit, with `+changes` if the working tree differs from it outside results/. */
export function commit(): string {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changes = git('status', '--porcelain', '--', ':/', ':(exclude,top)results');
    return git('rev-parse', 'HEAD') + (changes === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}

/** The machine in a line: CPU and version of Node. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}`;
}
