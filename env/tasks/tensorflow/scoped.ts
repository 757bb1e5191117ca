import * as tf from '@tensorflow/tfjs-core';

/**
 * Disposes of every tensor that `run` makes.
 *
 * What `tf.tidy` does, without looking for tensors in each number of an array that `run` returns.
 */
export function scoped<Result>(run: () => Result): Result {
  tf.engine().startScope();
  try {
    return run();
  } finally {
    tf.engine().endScope();
  }
}
