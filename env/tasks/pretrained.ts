/**
 * Weights to fine-tune from: what a training on broad random θ ended with, kept under a name.
 *
 * The paper trains or fine-tunes the main task's model on each θ (Ruiz et al. 2019, sec. 3.3). The name is the hash of
 * all that made the weights, so it says in an environment's options, and in the hash of its specification, where every
 * training starts from.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A name, or nothing: from scratch. It reaches a path, so it can hold nothing but digits. */
export const PRETRAINED_NAME = /^([0-9a-f]{16})?$/;

const fileOf = (folder: string, name: string) => join(folder, `${name}.f32`);

/** The name of what these settings make. */
export function pretrainedName(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}

export function isPretrained(folder: string, name: string): boolean {
  return existsSync(fileOf(folder, name));
}

/** Keeps weights, and the settings that made them beside them. @returns where */
export function savePretrained(folder: string, name: string, weights: Float32Array, settings: unknown): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(settings, null, 2)}\n`);
  const path = fileOf(folder, name);
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
  renameSync(partial, path);
  return path;
}

/**
 * Weights of that name, the caller's own copy.
 *
 * @param count of the network that is to start from them
 * @throws {RangeError} when there are none, or they are another network's
 */
export function pretrainedWeights(folder: string, name: string, count: number): Float32Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileOf(folder, name));
  } catch {
    throw new RangeError(`pretrained: expected weights that npm run pretrain made, found no ${fileOf(folder, name)}`);
  }
  const weights = new Float32Array(new Uint8Array(bytes).buffer);
  if (weights.length !== count) {
    throw new RangeError(`pretrained: expected ${count} weights for this network, ${name} has ${weights.length}`);
  }
  return weights;
}
