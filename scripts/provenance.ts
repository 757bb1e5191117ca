/** How a result was made: the command, the commit and the machine. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** This command, to be typed again. */
export function commandLine(script: string): string {
  const words = process.argv.slice(2).map((word) => (/[\s{]/.test(word) ? `'${word}'` : word));
  return [`npm run ${script} --`, ...words].join(' ');
}

/** The commit, and whether the working tree differs from it in more than results. */
export function commit(): string {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changes = git('status', '--porcelain', '--', ':/', ':(exclude,top)results');
    return git('rev-parse', 'HEAD') + (changes === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}

/** What it ran on, in a line. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}`;
}
