/**
 * How a network changes its resolution: by moving pixels into channels and back (Shi et al. 2016, arXiv 1609.05158).
 *
 * A convolution with stride 2 is then a 1×1 convolution, and so is its gradient, a plain matrix product that is fast on
 * every backend.
 */
import * as tf from '@tensorflow/tfjs-core';

/** The side of the square of pixels that is one position of a network's input. */
export const PATCH = 4;

/** The side of the square of pixels that a position knows: one more on each side, so that an edge is seen whole. */
export const SIGHT = PATCH + 2;

/** [n, h, w, c] → [n, h/2, w/2, 4c]: each square of four pixels becomes one. */
export function pixelsToChannels(x: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, channels] = x.shape;
  const pairs = tf.reshape(x, [(n * height) / 2, 2, width / 2, 2 * channels]);
  return tf.reshape(tf.transpose(pairs, [0, 2, 1, 3]), [n, height / 2, width / 2, 4 * channels]);
}

/** [n, h, w, 4c] → [n, 2h, 2w, c]: the way back. */
export function channelsToPixels(x: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, channels] = x.shape;
  const pairs = tf.reshape(x, [n * height, width, 2, channels / 2]);
  return tf.reshape(tf.transpose(pairs, [0, 2, 1, 3]), [n, 2 * height, 2 * width, channels / 4]);
}
