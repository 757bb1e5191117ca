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
  // One at a time: all of them may be larger than a string can be.
  function* frames(): Generator<FrameRecord> {
    for (let index = 0; index < count; index++) {
      yield readJson(frameFile(folder, index), 'delete it, and the picture is written again') as FrameRecord;
    }
  }
  function* coco(): Generator<string> {
    yield `{"info":${JSON.stringify({ description: 'Simulated street pictures; see dataset.json' })},"images":[`;
    for (let id = 0; id < count; id++) {
      const image = { id, file_name: `images/${frameName(id)}.png`, width, height };
      yield `${id > 0 ? ',' : ''}${JSON.stringify(image)}`;
    }
    yield `],"categories":${JSON.stringify(COCO_CATEGORIES)},"annotations":[`;
    let id = 0;
    for (const { objects } of frames()) {
      for (const object of objects) yield `${id > 0 ? ',' : ''}${JSON.stringify({ id: ++id, ...object })}`;
    }
    yield ']}';
  }
  function* metadata(): Generator<string> {
    for (const frame of frames()) yield `${JSON.stringify(frame.metadata)}\n`;
  }
  writeWhole(join(folder, 'annotations.json'), coco());
  writeWhole(join(folder, 'metadata.jsonl'), metadata());
}
