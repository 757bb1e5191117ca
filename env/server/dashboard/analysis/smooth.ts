/** Rewards over one or two parameters, smoothed: what a slice and a contour show. */

export interface SmoothPoint {
  readonly x: number;
  readonly mean: number;
  /** Standard deviation of the rewards about the mean there. */
  readonly sd: number;
}

/**
 * A moving mean over x: Gaussian weights, with a bandwidth that grows where there is little (at least so many points
 * count).
 *
 * @param points [x from 0 to 1, reward]
 * @returns      at equal steps of x; only where there are points nearby
 */
export function smoothLine(points: readonly (readonly [x: number, reward: number])[], steps = 60): SmoothPoint[] {
  if (points.length < 5) return [];
  const line: SmoothPoint[] = [];
  const bandwidth = Math.max(0.02, 0.5 * points.length ** -0.4);
  for (let step = 0; step <= steps; step++) {
    const x = step / steps;
    let [weights, sum, squares] = [0, 0, 0];
    for (const [at, reward] of points) {
      const z = (at - x) / bandwidth;
      if (Math.abs(z) > 3) continue;
      const weight = Math.exp(-0.5 * z * z);
      weights += weight;
      sum += weight * reward;
      squares += weight * reward * reward;
    }
    if (weights < 1) continue;
    const mean = sum / weights;
    line.push({ x, mean, sd: Math.sqrt(Math.max(0, squares / weights - mean * mean)) });
  }
  return line;
}

/**
 * The smoothed reward over two parameters, on a grid.
 *
 * @param points [x, y, reward], x and y from 0 to 1
 * @returns      [cells × cells], row by row from y = 0; NaN where no evaluation is near
 */
export function smoothMap(
  points: readonly (readonly [x: number, y: number, reward: number])[],
  cells: number,
): Float64Array {
  const bandwidth = Math.max(1 / cells, 0.35 * Math.max(1, points.length) ** -0.25);
  const reach = Math.ceil(2.5 * bandwidth * cells);
  const weights = new Float64Array(cells * cells);
  const sums = new Float64Array(cells * cells);
  for (const [x, y, reward] of points) {
    const [column, row] = [x * cells - 0.5, y * cells - 0.5];
    const [nearColumn, nearRow] = [Math.round(column), Math.round(row)];
    for (let r = Math.max(0, nearRow - reach); r <= Math.min(cells - 1, nearRow + reach); r++) {
      for (let c = Math.max(0, nearColumn - reach); c <= Math.min(cells - 1, nearColumn + reach); c++) {
        const distance = ((c - column) ** 2 + (r - row) ** 2) / (cells * bandwidth) ** 2;
        const weight = Math.exp(-0.5 * distance);
        weights[r * cells + c]! += weight;
        sums[r * cells + c]! += weight * reward;
      }
    }
  }
  return sums.map((sum, i) => (weights[i]! >= 0.3 ? sum / weights[i]! : NaN));
}
