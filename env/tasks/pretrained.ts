/**
 * Weights to fine-tune from: the result of a training on images of random θ, stored under a name.
 *
 * The paper trains or fine-tunes the main task's model on each θ (Ruiz et al. 2019, sec. 3.3). The name is a hash of
 * everything that made the weights. It is an option of the environment, so `spec_hash` covers where trainings start; a hash
 * of the weights is beside them, so that others under their name are noticed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../protocol/whole-file.ts';

/** A name; empty means from scratch. It becomes part of a path, so only hexadecimal digits are allowed. */
export const PRETRAINED_NAME = /^([0-9a-f]{16})?$/;

const recordOf = (folder: string, name: string) => join(folder, `${name}.json`);
const fileOf = (folder: string, name: string) => join(folder, `${name}.f32`);

/** The name of the weights that these settings make. */
export function pretrainedName(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}

/** Whether there are weights of this name, as they were stored. */
export function isPretrained(folder: string, name: string): boolean {
  const path = fileOf(folder, name);
  return existsSync(path) && hashOf(readFileSync(path)) === storedHash(folder, name);
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const bytesOf = (weights: Float32Array) => new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);

/** A hash of weights, whatever file they came from. */
export function weightsHash(weights: Float32Array): string {
  return hashOf(bytesOf(weights)).slice(0, 16);
}

/** The hash of the weights when they were stored; undefined if that is not known. */
function storedHash(folder: string, name: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(recordOf(folder, name), 'utf8')) as { sha256?: string }).sha256;
  } catch {
    return undefined;
  }
}

/** Stores weights, and beside them their hash and the settings that made them. @returns the path of the weights */
export function savePretrained(folder: string, name: string, weights: Float32Array, settings: unknown): string {
  const bytes = bytesOf(weights);
  writeWhole(recordOf(folder, name), `${JSON.stringify({ sha256: hashOf(bytes), settings }, null, 2)}\n`);
  const path = fileOf(folder, name);
  writeWhole(path, bytes);
  return path;
}

/**
 * Reads the weights of this name. The caller owns them.
 *
 * @param count the number of weights of the network that starts from them
 * @throws {RangeError} when there are no such weights, others than were stored, or another number of them
 */
export function pretrainedWeights(folder: string, name: string, count: number): Float32Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileOf(folder, name));
  } catch {
    throw new RangeError(`pretrained: expected weights that npm run pretrain made, found no ${fileOf(folder, name)}`);
  }
  if (hashOf(bytes) !== storedHash(folder, name)) {
    const where = `${fileOf(folder, name)}, which are not those of ${recordOf(folder, name)}`;
    throw new RangeError(`pretrained: expected weights as npm run pretrain wrote them, got ${where}; run it again`);
  }
  const weights = new Float32Array(new Uint8Array(bytes).buffer);
  if (weights.length !== count) {
    throw new RangeError(`pretrained: expected ${count} weights for this network, ${name} has ${weights.length}`);
  }
  return weights;
}
