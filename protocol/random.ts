/** Seeded random numbers, the same on both sides of the wire and on every machine. */

/** A whole number from 0 to 2³² − 1. */
export type Seed = number;

/** Mixes one 32-bit word into the hash (MurmurHash3's body). */
function mix(hash: number, word: number): number {
  const k = Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotate(hash ^ k, 13), 5) + 0xe6546b64) | 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

const utf8 = new TextEncoder();

/**
 * Derives the seed of a named part from the seed of the whole: `deriveSeed(1, 'evaluation', 12)`.
 *
 * It is MurmurHash3 (x86, 32 bits) of the path's UTF-8 text, `evaluation/12`, with `seed` as the hash's own seed, so
 * that every language can compute it: in Python, `mmh3.hash(b"evaluation/12", 1, signed=False)`. Seeds of different
 * paths are independent; the same path always gives the same seed.
 */
export function deriveSeed(seed: Seed, ...path: readonly (string | number)[]): Seed {
  const bytes = utf8.encode(path.join('/'));
  const whole = bytes.length & ~3;
  let hash = seed | 0;
  for (let i = 0; i < whole; i += 4) {
    hash = mix(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  hash ^= Math.imul(rotate(Math.imul(tail, 0xcc9e2d51), 15), 0x1b873593);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A stream of random numbers from one seed (sfc32, by Chris Doty-Humphrey; passes PractRand). */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private spareNormal = Number.NaN;

  constructor(seed: Seed) {
    this.a = deriveSeed(seed, 1) | 0;
    this.b = deriveSeed(seed, 2) | 0;
    this.c = deriveSeed(seed, 3) | 0;
    for (let i = 0; i < 8; i++) this.uint32();
  }

  /** A whole number from 0 to 2³² − 1. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from `low` (included) to `high` (excluded). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 0x100000000);
  }

  /** A whole number from 0 to `n` − 1. */
  integer(n: number): number {
    return Math.floor(this.uniform(0, n));
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.uniform() < p;
  }

  /** A draw from the normal distribution (Box and Muller). */
  normal(mean = 0, sd = 1): number {
    if (!Number.isNaN(this.spareNormal)) {
      const spare = this.spareNormal;
      this.spareNormal = Number.NaN;
      return mean + sd * spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return mean + sd * radius * Math.cos(angle);
  }

  /** A draw from the Poisson distribution with this mean (Knuth; for means up to about 50). */
  poisson(mean: number): number {
    const limit = Math.exp(-mean);
    let product = this.uniform();
    let count = 0;
    while (product > limit) {
      product *= this.uniform();
      count++;
    }
    return count;
  }

  /** One of `items`, all equally likely. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('Random.pick: expected at least one item, got none');
    return items[this.integer(items.length)]!;
  }

  /** An index drawn with these probabilities, which sum to 1. */
  categorical(probabilities: readonly number[]): number {
    return categoryAt(probabilities, this.uniform());
  }

  /** Puts `items` into random order, in place (Fisher and Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }
}

/**
 * The category of `u` in [0, 1), when [0, 1) is divided in order into one interval per category, as long as its
 * probability.
 *
 * A category of probability 0 is never returned, even when rounding makes the probabilities sum to a little less than 1.
 */
export function categoryAt(probabilities: readonly number[], u: number): number {
  let rest = u;
  for (let i = 0; i < probabilities.length; i++) {
    rest -= probabilities[i]!;
    if (rest < 0) return i;
  }
  return probabilities.findLastIndex((probability) => probability > 0);
}
