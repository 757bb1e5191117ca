/**
 * The eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations (Golub & Van Loan, sec. 8.5).
 *
 * To the bit what `eigs` of mathjs gives, which looks through the whole matrix for its largest element before each of
 * very many rotations: seconds for 200 rows. Here each row remembers its own largest element, and few rows have to look
 * again after a rotation.
 */

/** Diagonal elements that differ by no more are taken for equal; off the diagonal, less than an nth is taken for 0. */
const PRECISION = 1e-12;

/**
 * @param matrix [n, n], symmetric but for rounding
 * @returns the eigenvalues, ascending by magnitude, [n], and the eigenvector of each as a row, [n, n]
 */
export function symmetricEigen(matrix: readonly (readonly number[])[]): { values: number[]; vectors: Float64Array[] } {
  const n = matrix.length;
  const H = matrix.map((row) => Float64Array.from(row));
  const V = matrix.map((_, i) => new Float64Array(n).fill(1, i, i + 1));
  // In each row, of the elements right of the diagonal, the first of the largest: where it is, and its magnitude.
  const where = new Int32Array(n);
  const largest = new Float64Array(n);
  const look = (i: number) => {
    const row = H[i]!;
    let [value, at] = [-1, i];
    for (let j = i + 1; j < n; j++) {
      if (Math.abs(row[j]!) <= value) continue;
      value = Math.abs(row[j]!);
      at = j;
    }
    largest[i] = value;
    where[i] = at;
  };
  for (let i = 0; i < n; i++) look(i);

  for (;;) {
    let p = 0;
    for (let i = 1; i < n; i++) if (largest[i]! > largest[p]!) p = i;
    if (!(largest[p]! >= PRECISION / n)) break;
    const q = where[p]!;
    const [rowP, rowQ] = [H[p]!, H[q]!];
    const [pp, qq, pq] = [rowP[p]!, rowQ[q]!, rowP[q]!];
    const angle = Math.abs(qq - pp) <= PRECISION ? Math.PI / 4 : 0.5 * Math.atan((2 * pq) / (qq - pp));
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    rotate(rowP, rowQ, c, s);
    rotate(V[p]!, V[q]!, c, s);
    rowP[p] = c * c * pp - 2 * c * s * pq + s * s * qq;
    rowQ[q] = s * s * pp + 2 * c * s * pq + c * c * qq;
    rowP[q] = rowQ[p] = 0;
    for (let i = 0; i < n; i++) {
      if (i === p || i === q) continue;
      const row = H[i]!;
      row[p] = rowP[i]!;
      row[q] = rowQ[i]!;
    }
    // Left of q the rows have a changed element right of the diagonal, left of p they have two.
    for (let i = 0; i < q; i++) {
      const a = i < p ? Math.abs(rowP[i]!) : -1;
      const b = Math.abs(rowQ[i]!);
      const value = Math.max(a, b);
      const j = a < b ? q : p;
      if (i === p || where[i] === p || where[i] === q) look(i);
      else if (value > largest[i]! || (value === largest[i] && j < where[i]!)) {
        largest[i] = value;
        where[i] = j;
      }
    }
    look(q);
  }

  const order = H.map((row, i) => ({ value: row[i]!, vector: V[i]! })).sort(
    (a, b) => Math.abs(a.value) - Math.abs(b.value),
  );
  return { values: order.map(({ value }) => value), vectors: order.map(({ vector }) => vector) };
}

/** (a, b) ← (c a − s b, s a + c b) */
function rotate(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let k = 0; k < a.length; k++) {
    const x = a[k]!;
    const y = b[k]!;
    a[k] = c * x - s * y;
    b[k] = s * x + c * y;
  }
}
