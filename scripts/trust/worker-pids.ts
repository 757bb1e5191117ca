import { execFileSync } from 'node:child_process';

/** The process ids of the workers that a server's process has now. */
export function workerPids(server: number): number[] {
  try {
    const text = execFileSync('pgrep', ['-P', String(server), '-f', 'worker.ts'], { encoding: 'utf8' });
    return text.trim().split('\n').map(Number);
  } catch {
    return []; // pgrep fails when it finds none
  }
}
