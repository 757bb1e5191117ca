/**
 * `matrix-product.ts BACKEND SECONDS` prints the multiply-adds per CPU second of one large matrix product: what a network
 * on this backend and processor can hardly be faster than.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BackendPreference } from '../../env/runtime.ts';
import { loadBackend } from '../../env/tasks/tensorflow/backend.ts';
import { perSecond } from './rounds.ts';

/** Rows and columns: so many that what a call costs does not matter. */
const SIDE = 1024;

const [backend, seconds] = process.argv.slice(2) as [BackendPreference, string];
await loadBackend(backend);
const matrix = tf.randomNormal<tf.Rank.R2>([SIDE, SIDE], 0, 1, 'float32', 1);
const product = () => {
  const result = tf.matMul(matrix, matrix);
  result.dataSync();
  result.dispose();
};
console.log(SIDE ** 3 * (await perSecond(product, Number(seconds))));
