/**
 * Ridge regression (Hoerl and Kennard 1970): the best linear map from the features of a cell to what its output should
 * be, in closed form. It has no steps and no seeds, and so no noise of training.
 */
import * as tf from '@tensorflow/tfjs-core';
import { cholesky, solveLower, solveUpper } from '../../../protocol/cholesky.ts';
import { scoped } from '../tensorflow/scoped.ts';
import type { Inputs, Shape } from '../training/differentiable.ts';
import { resize } from '../training/layers.ts';

/** Of the squared weights, beside the mean squared error; the features have a standard deviation of 1. */
const PENALTY = 1e-2;

/** Some images: their features, and what the output of each cell should be. */
export interface RidgeBatch {
  /** The taps, [n, rows, columns, channels] each, flat. */
  readonly features: Inputs;
  readonly shapes: readonly Shape[];
  /** [cells, outputs], flat */
  readonly targets: Float32Array;
  /** Of each cell; 0 where nothing is known. */
  readonly weights: Float32Array;
}

/** Sums over all cells, for the normal equations of all outputs. */
export class Ridge {
  private readonly products: Float64Array; // [size, size], Σ w x xᵀ with a last feature that is 1
  private readonly answers: Float64Array; // [size, outputs], Σ w x yᵀ
  private weight = 0;

  /** @param size the number of features, and one for the constant */
  constructor(
    private readonly size: number,
    private readonly outputs: number,
  ) {
    this.products = new Float64Array(size * size);
    this.answers = new Float64Array(size * outputs);
  }

  /** @param grid the tap whose cells are those of the output */
  add({ features, shapes, targets, weights }: RidgeBatch, grid: number): void {
    const cells = weights.length;
    const [products, answers] = scoped(() => {
      const taps = features.map((numbers, i): tf.Tensor => tf.tensor4d(numbers, [...shapes[i]!]));
      const onGrid = taps.map((tap) => tf.reshape(resize(tap, taps[grid]!), [cells, tap.shape[3]!]));
      const x = tf.concat([...onGrid, tf.ones([cells, 1])], 1);
      const weighted = tf.mul(x, tf.tensor2d(weights, [cells, 1]));
      const y = tf.tensor2d(targets, [cells, this.outputs]);
      return [tf.matMul(weighted, x, true), tf.matMul(weighted, y, true)].map((sum) =>
        sum.dataSync<'float32'>().slice(),
      );
    });
    products!.forEach((value, i) => (this.products[i]! += value));
    answers!.forEach((value, i) => (this.answers[i]! += value));
    this.weight += weights.reduce((sum, w) => sum + w, 0);
  }

  /** @returns the map, [size, outputs], flat; its last row is the constant */
  solve(): Float64Array {
    const { size, outputs } = this;
    const count = Math.max(1, this.weight);
    const rows = Array.from({ length: size }, (_, i) => {
      const row = this.products.slice(i * size, i * size + i + 1).map((sum) => sum / count);
      row[i]! += i < size - 1 ? PENALTY : 1e-9; // the constant too, for sets where nothing is known
      return row;
    });
    const factor = cholesky(rows);
    const map = new Float64Array(size * outputs);
    for (let o = 0; o < outputs; o++) {
      const answer = Float64Array.from({ length: size }, (_, i) => this.answers[i * outputs + o]! / count);
      solveUpper(factor, solveLower(factor, answer)).forEach((value, i) => (map[i * outputs + o] = value));
    }
    return map;
  }
}
