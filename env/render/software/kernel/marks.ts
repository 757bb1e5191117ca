/** Transparent triangles: collects, pixel by pixel, the samples that see them. */
import { addPixels } from './fragments';

/** The samples of each pixel of a row that pass, as bits, u8 [width]. */
let masks: usize = 0;
let markedRow = -1;
let markedFrom = 0;
let markedTo = 0;
let markedWidth = 0;

export function reserveMarks(width: i32): void {
  masks = heap.alloc(<usize>width + 4);
  memory.fill(masks, 0, <usize>width + 4);
}

/** Marks sample `sample` in those of the four pixels from `x` on that have their bit set. */
export function markSamples(row: i32, sample: i32, x: i32, bits: i32, width: i32): void {
  markedWidth = width;
  if (row != markedRow) {
    handOverMarks();
    markedRow = row;
    markedFrom = x;
    markedTo = x + 4;
  }
  markedFrom = min(markedFrom, x);
  markedTo = max(markedTo, x + 4);
  for (let i = 0; i < 4; i++) {
    if ((bits & (1 << i)) == 0) continue;
    const at = masks + <usize>(x + i);
    store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>sample)));
  }
}

/** Adds the marked pixels to the fragments. */
export function handOverMarks(): void {
  if (markedRow < 0) return;
  for (let x = markedFrom; x < markedTo; x++) {
    const mask = <i32>load<u8>(masks + <usize>x);
    if (mask == 0) continue;
    addPixels(markedRow * markedWidth + x, 1, mask);
    store<u8>(masks + <usize>x, 0);
  }
  markedRow = -1;
}
