import * as tf from '@tensorflow/tfjs-core';

/**
 * Disposes of every tensor that `run` makes.
 *
 * It does what `tf.tidy` does, but does not search an array that `run` returns for tensors.
 */
export function scoped<Result>(run: () => Result): Result {
  tf.engine().startScope();
  try {
    return run();
  } finally {
    tf.engine().endScope();
  }
}
