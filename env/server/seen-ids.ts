/** 128 KiB a session: of 100,000 ids one new one in a hundred is asked for in vain. */
const BITS = 1 << 20;
const HASHES = 4;

/**
 * A Bloom filter of step ids: says for certain that an id is new, and otherwise that it may be known.
 *
 * Nearly every step id is new, and to find that in the journal's database costs more than all else that is done for a
 * quick step. The memory is the same for any number of ids.
 */
export class SeenIds {
  private readonly bits = new Uint8Array(BITS / 8);

  mayHave(id: string): boolean {
    return this.positions(id).every((at) => (this.bits[at >> 3]! & (1 << (at & 7))) !== 0);
  }

  add(id: string): void {
    for (const at of this.positions(id)) this.bits[at >> 3]! |= 1 << (at & 7);
  }

  private positions(id: string): number[] {
    let first = 0x811c9dc5;
    let second = 0;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      first = Math.imul(first ^ unit, 0x01000193);
      second = Math.imul(second + unit, 0x85ebca6b) ^ (first >>> 15);
    }
    const positions: number[] = [];
    for (let i = 0; i < HASHES; i++) positions.push(((first + Math.imul(i, second | 1)) >>> 7) % BITS);
    return positions;
  }
}
