/** SQLite's log of the latest transactions. @see https://sqlite.org/fileformat2.html#the_write_ahead_log */

const HEADER = 32;
const FRAME_HEADER = 24;

/**
 * Whether whole transactions lie behind a damaged place. SQLite leaves out everything from there on, without a word.
 *
 * The transaction at the very end may be incomplete, since its process was killed: that is no damage.
 */
export function hasLostTransactions(log: Buffer): boolean {
  if (log.length <= HEADER + FRAME_HEADER) return false;
  const bigEndian = (log.readUInt32BE(0) & 1) === 1;
  const sums: [number, number] = [0, 0];
  const add = (from: number, to: number) => {
    let [a, b] = sums;
    for (let at = from; at < to; at += 8) {
      a = (a + (bigEndian ? log.readUInt32BE(at) : log.readUInt32LE(at)) + b) >>> 0;
      b = (b + (bigEndian ? log.readUInt32BE(at + 4) : log.readUInt32LE(at + 4)) + a) >>> 0;
    }
    sums[0] = a;
    sums[1] = b;
  };
  const isSum = (at: number) => log.readUInt32BE(at) === sums[0] && log.readUInt32BE(at + 4) === sums[1];
  add(0, 24);
  if (!isSum(24)) return true;
  const salt = log.subarray(16, 24); // frames of an earlier round of the log have another one
  const size = FRAME_HEADER + log.readUInt32BE(8);
  let whole = true;
  for (let at = HEADER; at + size <= log.length; at += size) {
    const isOfThisRound = log.subarray(at + 8, at + 16).equals(salt);
    if (!whole && isOfThisRound && log.readUInt32BE(at + 4) !== 0) return true; // the last frame of a transaction
    if (!whole) continue;
    add(at, at + 8);
    add(at + FRAME_HEADER, at + size);
    whole = isOfThisRound && isSum(at + 16);
  }
  return false;
}
