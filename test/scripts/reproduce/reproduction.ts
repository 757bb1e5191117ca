/** Runs `reproduce` as a user does, in a folder of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Score {
  readonly mean: number;
  readonly ci95: [number, number] | null;
  readonly n: number;
}

export interface Summary {
  readonly experiment: string;
  readonly command: string;
  readonly commit: string;
  readonly backend: string;
  readonly arms: Readonly<
    Record<string, { evaluations: number; validation: Score; test: Score; also?: Record<string, Score> }>
  >;
}

/** Options under which an evaluation of street scenes takes milliseconds, and teaches nothing. */
export const TINY_STREETS = JSON.stringify({
  width: 32,
  height: 24,
  trainingImages: 2,
  validationImages: 6,
  testImages: 6,
  steps: 1,
  networkWidth: 0.2,
});

export function reproduction(experiment: string) {
  const folder = mkdtempSync(join(tmpdir(), 'reproduce-'));
  const [out, logs] = [join(folder, 'out'), join(folder, 'logs')];
  return {
    folder,
    out,
    logs,
    /** Runs the command to its end. */
    run: async (...flags: string[]): Promise<{ code: number | null; out: string; err: string }> => {
      const words = ['scripts/reproduce.ts', experiment, '--out', out, '--logs', logs, '--workers', '2', ...flags];
      const child = spawn(process.execPath, ['--import', 'tsx', ...words], {
        cwd: join(import.meta.dirname, '../../..'),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = { out: '', err: '' };
      child.stdout.on('data', (data: Buffer) => (said.out += data.toString()));
      child.stderr.on('data', (data: Buffer) => (said.err += data.toString()));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, ...said };
    },
    read: (file: string) => readFileSync(join(out, file), 'utf8'),
    summary: () => JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary,
    /** Every one of these files is there, and no mere beginning of one. */
    wrote: (...files: string[]): void => {
      for (const file of files) assert.ok(statSync(join(out, file)).size > 500, file);
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
