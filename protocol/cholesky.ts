/**
 * The Cholesky factor of a positive definite matrix, and the equations that it solves.
 *
 * It works on typed arrays, because a Gaussian process factors matrices of hundreds of rows many times: mathjs would
 * take minutes, this takes seconds. A lower triangle is a list of rows; row i has i + 1 elements.
 */
export type LowerTriangle = readonly Float64Array[];

/**
 * Row n of L, given L with L Lᵀ = K for the first n rows. A factor grows row by row this way.
 *
 * @param row K[n][0..n], the diagonal element last
 * @returns [n + 1]
 * @throws {RangeError} when K with this row is not positive definite
 */
export function nextRow(L: LowerTriangle, row: ArrayLike<number>): Float64Array {
  const n = L.length;
  const result = new Float64Array(n + 1);
  let rest = row[n]!;
  for (let j = 0; j < n; j++) {
    const other = L[j]!;
    let value = row[j]!;
    for (let k = 0; k < j; k++) value -= result[k]! * other[k]!;
    value /= other[j]!;
    result[j] = value;
    rest -= value * value;
  }
  if (!(rest > 0)) throw new RangeError(`cholesky: expected a positive definite matrix, got a pivot of ${rest}`);
  result[n] = Math.sqrt(rest);
  return result;
}

/** L with L Lᵀ = K, from the rows of K's lower triangle. */
export function cholesky(K: LowerTriangle): Float64Array[] {
  const L: Float64Array[] = [];
  for (const row of K) L.push(nextRow(L, row));
  return L;
}

/** v with L v = b. @returns [n] */
export function solveLower(L: LowerTriangle, b: ArrayLike<number>): Float64Array {
  const v = new Float64Array(L.length);
  L.forEach((row, i) => {
    let value = b[i]!;
    for (let k = 0; k < i; k++) value -= row[k]! * v[k]!;
    v[i] = value / row[i]!;
  });
  return v;
}

/** x with Lᵀ x = v. @returns [n] */
export function solveUpper(L: LowerTriangle, v: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(v);
  for (let i = L.length - 1; i >= 0; i--) {
    const row = L[i]!;
    x[i]! /= row[i]!;
    for (let k = 0; k < i; k++) x[k]! -= row[k]! * x[i]!;
  }
  return x;
}

/** log |L Lᵀ|. */
export function logDeterminant(L: LowerTriangle): number {
  return 2 * L.reduce((sum, row, i) => sum + Math.log(row[i]!), 0);
}
