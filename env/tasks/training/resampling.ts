/** Resampling of images along both axes, as the weights of old rows and columns in new ones. */
import type { LinearMap, Resampling } from '../tensorflow/operations.ts';

/**
 * From the height and width of one shape to those of another: between neighbours linearly where there are more rows or
 * columns, as means where there are fewer. Pixels are areas, and the edges of both images coincide.
 *
 * @param from [n, height, width, channels]
 * @returns undefined if both have the same height and width
 */
export function resampling(from: readonly number[], to: readonly number[]): Resampling | undefined {
  if (from[1] === to[1] && from[2] === to[2]) return undefined;
  return { rows: linearMap(from[1]!, to[1]!), columns: linearMap(from[2]!, to[2]!) };
}

/** The gradient of a resampling. */
export function transposed({ rows, columns }: Resampling): Resampling {
  return { rows: transpose(rows), columns: transpose(columns) };
}

function linearMap(from: number, to: number): LinearMap {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const row = weights.subarray(i * from, (i + 1) * from);
    if (to >= from) writeNeighbours(row, ((i + 0.5) * from) / to - 0.5);
    else writeMean(row, (i * from) / to, ((i + 1) * from) / to);
  }
  return { to, from, weights };
}

/** @param at the position between the centres of two neighbours */
function writeNeighbours(row: Float32Array, at: number): void {
  const place = Math.min(row.length - 1, Math.max(0, at));
  const low = Math.floor(place);
  const high = Math.min(row.length - 1, low + 1);
  row[low]! += 1 - (place - low);
  row[high]! += place - low;
}

/** The share that each has of the part from `start` to `end`. */
function writeMean(row: Float32Array, start: number, end: number): void {
  for (let i = Math.floor(start); i < end && i < row.length; i++) {
    row[i] = (Math.min(end, i + 1) - Math.max(start, i)) / (end - start);
  }
}

function transpose({ to, from, weights }: LinearMap): LinearMap {
  const turned = new Float32Array(weights.length);
  for (let i = 0; i < to; i++) for (let j = 0; j < from; j++) turned[j * to + i] = weights[i * from + j]!;
  return { to: from, from: to, weights: turned };
}
