/** The file of the backbone's weights, which `npm run setup:backbone` makes. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { filterShape } from '../training/network.ts';
import { LAYERS, type FoldedLayer } from './efficientnet-lite0.ts';

/** Outside node_modules, so that `npm ci` does not delete it. */
export const BACKBONE_FILE = join(resolve(import.meta.dirname, '../../..'), '.backbone', 'efficientnet-lite0.f32');

/** Of the file: the SHA-256 of the published weights with folded batch normalisation. */
export const BACKBONE_HASH = '09b9a30a4d1f4ec8';

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** The filter and the bias of a layer. */
export interface FoldedWeights {
  readonly filter: Float32Array;
  readonly bias: Float32Array;
}

/** The number of all weights. */
export const WEIGHT_COUNT = LAYERS.reduce((sum, layer) => sum + sizeOf(filterShape(layer)) + layer.outChannels, 0);

let read: readonly FoldedWeights[] | undefined;

/**
 * The weights of each layer, in the order of {@link LAYERS}; they are read once.
 *
 * @throws {RangeError} naming the command that brings them, when there are none, or others
 */
export function backboneWeights(): readonly FoldedWeights[] {
  if (read) return read;
  let bytes: Buffer;
  try {
    bytes = readFileSync(BACKBONE_FILE);
  } catch {
    throw new RangeError(
      `network efficientnet-lite0: expected its weights in ${BACKBONE_FILE}, found none; npm run setup:backbone brings them`,
    );
  }
  const hash = hashOf(bytes);
  if (hash !== BACKBONE_HASH) {
    throw new RangeError(
      `${BACKBONE_FILE}: expected weights with the hash ${BACKBONE_HASH}, got ${hash}; ` +
        'npm run setup:backbone -- --force brings them again',
    );
  }
  return (read = byLayer(new Float32Array(new Uint8Array(bytes).buffer)));
}

/** Those of one layer. */
export function weightsOf(layer: FoldedLayer): FoldedWeights {
  return backboneWeights()[LAYERS.indexOf(layer)]!;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

function byLayer(flat: Float32Array): FoldedWeights[] {
  let offset = 0;
  return LAYERS.map((layer) => ({
    filter: flat.subarray(offset, (offset += sizeOf(filterShape(layer)))),
    bias: flat.subarray(offset, (offset += layer.outChannels)),
  }));
}
