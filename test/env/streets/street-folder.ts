/** A folder of small street images for a test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { png } from './png.ts';

/** Gray ids, row by row. */
export function gray(width: number, samples: readonly number[]): Buffer {
  return png({ width, type: 'gray', samples });
}

/** Colours, row by row. */
export function colour(width: number, pixels: readonly (readonly number[])[]): Buffer {
  return png({ width, type: 'rgb', samples: pixels.flat() });
}

/** A photograph of 2×1 pixels. */
export const RED = colour(2, [
  [255, 0, 0],
  [255, 0, 0],
]);

export interface StreetFolder {
  readonly path: string;
  put(name: string, bytes: Buffer | string): void;
  remove(name?: string): void;
}

export function streetFolder(): StreetFolder {
  const path = mkdtempSync(join(tmpdir(), 'streets-'));
  return {
    path,
    put(name, bytes) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), bytes);
    },
    remove(name = '.') {
      rmSync(join(path, name), { recursive: true });
    },
  };
}
