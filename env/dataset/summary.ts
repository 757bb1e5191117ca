/** What a data set has beside its pictures, in one file each: `annotations.json` (COCO) and `metadata.jsonl`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../protocol/whole-file.ts';
import { COCO_CATEGORIES } from './coco.ts';
import { frameFile, frameName, type FrameRecord } from './frame.ts';

/** @throws {Error} naming the file and the remedy, when the file is damaged */
export function readJson(path: string, help: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const rule = 'expected JSON as this program writes it';
    throw new Error(`${path}: ${rule} (${(error as Error).message}); ${help}`, { cause: error });
  }
}

/**
 * Collects the first `count` files of frames/ into annotations.json and metadata.jsonl.
 *
 * @param size of every picture, in pixels
 */
export function summarise(
  folder: string,
  count: number,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const frames = Array.from(
    { length: count },
    (_, index) => readJson(frameFile(folder, index), 'delete it, and the picture is written again') as FrameRecord,
  );
  const coco = {
    info: { description: 'Simulated street pictures; see dataset.json' },
    images: frames.map((_, id) => ({ id, file_name: `images/${frameName(id)}.png`, width, height })),
    categories: COCO_CATEGORIES,
    annotations: frames.flatMap(({ objects }) => objects).map((object, i) => ({ id: i + 1, ...object })),
  };
  writeWhole(join(folder, 'annotations.json'), JSON.stringify(coco));
  writeWhole(join(folder, 'metadata.jsonl'), frames.map(({ metadata }) => `${JSON.stringify(metadata)}\n`).join(''));
}
