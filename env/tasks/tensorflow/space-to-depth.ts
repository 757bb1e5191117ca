/** Pixels moved into channels and back (Shi et al. 2016, arXiv 1609.05158), for tensors of tfjs on any backend. */
import * as tf from '@tensorflow/tfjs-core';

/** @see Operations.spaceToDepth */
export function spaceToDepth(x: tf.Tensor): tf.Tensor4D {
  const [n, height, width, channels] = x.shape as tf.Tensor4D['shape'];
  const pairs = tf.reshape(x, [(n * height) / 2, 2, width / 2, 2 * channels]);
  return tf.reshape(tf.transpose(pairs, [0, 2, 1, 3]), [n, height / 2, width / 2, 4 * channels]);
}

/** @see Operations.depthToSpace */
export function depthToSpace(x: tf.Tensor): tf.Tensor4D {
  const [n, height, width, channels] = x.shape as tf.Tensor4D['shape'];
  const pairs = tf.reshape(x, [n * height, width, 2, channels / 2]);
  return tf.reshape(tf.transpose(pairs, [0, 2, 1, 3]), [n, 2 * height, 2 * width, channels / 4]);
}
