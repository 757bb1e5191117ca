import * as tf from '@tensorflow/tfjs-core';
import type { LinearMap, Resampling } from './operations.ts';

const matrix = ({ weights, to, from }: LinearMap) => tf.tensor3d(weights, [1, to, from]);

/** @see Operations.resample */
export function resample(x: tf.Tensor, { rows, columns }: Resampling): tf.Tensor4D {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const tall = tf.matMul(matrix(rows), tf.reshape(x, [n, height, width * channels]));
  const lines = tf.reshape(tall, [n * rows.to, width, channels]);
  return tf.reshape(tf.matMul(matrix(columns), lines), [n, rows.to, columns.to, channels]);
}
