/** What a data set holds, as a short hash: two folders with one hash give the same images and scores. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { FrameFiles } from './folder-layouts.ts';
import type { StreetFrames } from './street-images.ts';

/** Raise it when the same files come to be read as other images. */
const READING = 1;

const hashes = new Map<string, { readonly state: string; readonly hash: string }>();

/** A hash of a file's bytes; a file is read again only where its size or times differ. @throws {Error} of the system */
export function fileHash(path: string): string {
  const { size, mtimeMs, ctimeMs } = statSync(path);
  const state = `${size} ${mtimeMs} ${ctimeMs}`;
  const known = hashes.get(path);
  if (known?.state === state) return known.hash;
  const hash = hashOfBytes(path);
  hashes.set(path, { state, hash });
  return hash;
}

/** Reads piece by piece: a file may be larger than memory. */
function hashOfBytes(path: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(2 ** 20);
  const file = openSync(path, 'r');
  try {
    for (let size = readSync(file, piece); size > 0; size = readSync(file, piece)) hash.update(piece.subarray(0, size));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/**
 * A hash of every image with its labels, in their roles and order; where the folder lies and what the files are called
 * is no part of it.
 *
 * @throws {Error} naming the file that cannot be read
 */
export function contentOf<Found extends FrameFiles>(frames: StreetFrames<Found>): string {
  const { training, validation, heldOut, test } = frames;
  const files = [training, validation, heldOut, test].map((role) =>
    role.map(({ image, labels, maps }) => [fileHash(image), fileHash(labels), maps.name]),
  );
  return createHash('sha256')
    .update(JSON.stringify([READING, files]))
    .digest('hex')
    .slice(0, 16);
}
