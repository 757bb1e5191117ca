/** Messages that are nearly correct. */
import type { Random } from '../../protocol/random.ts';

type Value = Record<string, unknown>;

const WORDS = [
  '',
  'a',
  '__proto__',
  'constructor',
  '☃',
  'x'.repeat(200),
  "'; drop table steps; --",
  '../../etc/passwd',
];

function junk(random: Random, depth = 0): unknown {
  switch (random.integer(depth > 3 ? 8 : 10)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.integer(1000) - 500;
    case 3:
      return random.uniform(-2, 2);
    case 4:
      return [2 ** 53, -(2 ** 31), 1e308, 5e-324, -0, 0xffffffff][random.integer(6)];
    case 5:
      return WORDS[random.integer(WORDS.length)];
    case 6:
      return Array.from({ length: random.integer(12) }, () => random.uniform(-1.5, 1.5));
    case 7:
      return 'y'.repeat(random.integer(2000));
    case 8:
      return Array.from({ length: random.integer(4) }, () => junk(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.integer(4) }, (_, i) => [`k${i}`, junk(random, depth + 1)]),
      );
  }
}

/** A copy with one to three fields, at any depth, removed, replaced or added. */
export function mutated(message: Value, random: Random): Value {
  const copy = structuredClone(message);
  for (let changes = 1 + random.integer(3); changes > 0; changes--) change(copy, random);
  return copy;
}

function change(node: Value, random: Random): void {
  const keys = Object.keys(node);
  const key = keys[random.integer(keys.length)];
  const value = key === undefined ? undefined : node[key];
  if (key !== undefined && typeof value === 'object' && value !== null && random.chance(0.6)) {
    return change(value as Value, random);
  }
  switch (random.integer(4)) {
    case 0:
      if (key !== undefined) delete node[key];
      return;
    case 1:
      if (!Array.isArray(node)) node[`field ${random.integer(5)}`] = junk(random);
      return;
    default:
      if (key !== undefined) node[key] = junk(random);
  }
}

/** A copy of the bytes with some of them changed, cut off, doubled or inserted. */
export function damaged(bytes: Uint8Array, random: Random): Buffer {
  let copy = Buffer.from(bytes);
  for (let changes = 1 + random.integer(4); changes > 0 && copy.length > 0; changes--) {
    const at = random.integer(copy.length);
    const kind = random.integer(4);
    if (kind === 0) copy = copy.subarray(0, at);
    else if (kind === 1) copy = Buffer.concat([copy.subarray(0, at), copy]);
    else if (kind === 2)
      copy = Buffer.concat([copy.subarray(0, at), Buffer.from([random.integer(256)]), copy.subarray(at)]);
    else copy[at] = random.integer(256);
  }
  return copy;
}
