import { execFileSync } from 'node:child_process';

/** The processes in which the evaluations of this process's servers run now. */
export function workerPids(): number[] {
  try {
    const text = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'worker.ts'], { encoding: 'utf8' });
    return text.trim().split('\n').map(Number);
  } catch {
    return []; // pgrep finds none
  }
}
