import assert from 'node:assert/strict';
import fc from 'fast-check';
import { det, multiply, transpose } from 'mathjs';
import { cholesky, logDeterminant, solveLower, solveUpper } from '../../protocol/cholesky.ts';

const rows = (matrix: number[][]) => matrix.map((row, i) => Float64Array.from(row.slice(0, i + 1)));
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-8, `expected ${expected}, got ${actual}`);

describe('the Cholesky factor', () => {
  it('of a known matrix is the known one', () => {
    const L = cholesky(rows([[4], [12, 37], [-16, -43, 98]]));
    assert.deepEqual(
      L.map((row) => [...row]),
      [[2], [6, 1], [-8, 5, 3]],
    );
  });

  it("solves equations and gives mathjs's determinant, for any positive definite matrix", () => {
    const numbers = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(numbers, (values) => {
        const A = Array.from({ length: 4 }, (_, i) => values.slice(4 * i, 4 * i + 4));
        const K = multiply(A, transpose(A)).map((row, i) => row.map((v, j) => (i === j ? v + 0.5 : v)));
        const L = cholesky(rows(K));
        const b = [1, -2, 0.5, 3];
        multiply(K, [...solveUpper(L, solveLower(L, b))]).forEach((v, i) => near(v, b[i]!));
        near(logDeterminant(L), Math.log(det(K)));
      }),
    );
  });

  it('refuses a matrix that is not positive definite', () => {
    assert.throws(
      () => cholesky(rows([[1], [2, 1]])),
      /cholesky: expected a positive definite matrix, got a pivot of -3/,
    );
  });
});
