/** Fewer of many, evenly: what a picture can show. */

/** At most `most` of the positions 0 to `count` − 1, evenly spread, with the last one. */
export function thinned(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}

/** The highest so far, at each place; NaN before the first that is a number. */
export function bestSoFar(values: readonly number[]): number[] {
  let best = NaN;
  return values.map((value) => (best = Number.isNaN(best) || value > best ? value : best));
}

/** The places where a growing line steps up, and its last one: what has to be drawn of it. */
export function stepsOf(line: readonly number[]): number[] {
  return line.flatMap((value, i) =>
    !Number.isNaN(value) && (i === 0 || value !== line[i - 1] || i === line.length - 1) ? [i] : [],
  );
}

/** The standard deviation of the last `window` numbers about their mean, at each place; NaN for fewer than two. */
export function movingSpread(values: readonly number[], window: number): number[] {
  const shift = values.find((value) => !Number.isNaN(value)) ?? 0; // squares of small numbers lose no digits
  const shifted = values.map((value) => value - shift);
  const means = movingMean(shifted, window);
  const squares = movingMean(
    shifted.map((value) => value * value),
    window,
  );
  let count = 0;
  return values.map((value, i) => {
    const old = values[i - window];
    if (!Number.isNaN(value)) count++;
    if (old !== undefined && !Number.isNaN(old)) count--;
    if (count < 2) return NaN;
    return Math.sqrt((Math.max(0, squares[i]! - means[i]! ** 2) * count) / (count - 1));
  });
}

/** The mean of the last `window` numbers, at each place; NaN where there is none. */
export function movingMean(values: readonly number[], window: number): number[] {
  let [sum, count] = [0, 0];
  return values.map((value, i) => {
    if (!Number.isNaN(value)) [sum, count] = [sum + value, count + 1];
    const old = values[i - window];
    if (old !== undefined && !Number.isNaN(old)) [sum, count] = [sum - old, count - 1];
    return count > 0 ? sum / count : NaN;
  });
}
