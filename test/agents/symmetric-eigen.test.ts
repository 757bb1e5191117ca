import assert from 'node:assert/strict';
import fc from 'fast-check';
import { eigs } from 'mathjs';
import { symmetricEigen } from '../../agents/symmetric-eigen.ts';
import { Random } from '../../protocol/random.ts';

const plain = (matrix: number[][]) => {
  const { values, vectors } = symmetricEigen(matrix);
  return { values, vectors: vectors.map((vector) => [...vector]) };
};

describe('the eigenvectors of a symmetric matrix', () => {
  it('are the known ones of a known matrix', () => {
    const { values, vectors } = plain([
      [2, 1],
      [1, 2],
    ]);
    const half = Math.SQRT1_2;
    [...values, ...vectors.flat()].forEach((v, i) => {
      assert.ok(Math.abs(v - [1, 3, half, -half, half, half][i]!) < 1e-12, `[${i}] is ${v}`);
    });
    assert.deepEqual(plain([[5]]), { values: [5], vectors: [[1]] });
  });

  it('are those of mathjs to the bit, where elements are alike as well', () => {
    const matrices = fc.record({ n: fc.integer({ min: 1, max: 12 }), seed: fc.nat(), whole: fc.boolean() });
    fc.assert(
      fc.property(matrices, ({ n, seed, whole }) => {
        const random = new Random(seed);
        const draws = Array.from({ length: n }, () =>
          Array.from({ length: n }, () => (whole ? random.integer(3) - 1 : random.normal())),
        );
        const matrix = draws.map((row, i) => row.map((v, j) => (v + draws[j]![i]!) / 2));
        const { values, eigenvectors } = eigs(matrix);
        assert.deepEqual(plain(matrix), { values, vectors: eigenvectors.map(({ vector }) => vector) });
      }),
    );
  });
});
