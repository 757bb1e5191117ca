/**
 * The gradients of the operations that our networks consist of.
 *
 * tfjs-core on its own has operations without gradients; those come with the whole of @tensorflow/tfjs, of which we
 * need five. The one of the convolution takes dilations too, which tfjs's does not.
 */
import * as tf from '@tensorflow/tfjs-core';

const { broadcast_util } = tf;

/** Adds up what broadcasting spread, back to `shape`. */
function unbroadcast(dy: tf.Tensor, shape: number[], outShape: number[]): tf.Tensor {
  const axes = broadcast_util.getReductionAxes(shape, outShape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

const gradients: readonly tf.GradConfig[] = [
  {
    kernelName: tf.Add,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => {
      const outShape = broadcast_util.assertAndGetBroadcastShape(a!.shape, b!.shape);
      return {
        a: () => unbroadcast(dy as tf.Tensor, a!.shape, outShape),
        b: () => unbroadcast(dy as tf.Tensor, b!.shape, outShape),
      };
    },
  },
  {
    kernelName: tf.Reshape,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => tf.reshape(dy as tf.Tensor, x!.shape) }),
  },
  {
    kernelName: tf.Transpose,
    gradFunc: (dy, _, attributes) => {
      const perm = attributes.perm as number[];
      return { x: () => tf.transpose(dy as tf.Tensor, tf.backend_util.getUndoAxesPermutation(perm)) };
    },
  },
  {
    kernelName: tf.Identity,
    gradFunc: (dy) => ({ x: () => tf.cast(dy as tf.Tensor, 'float32') }),
  },
  {
    kernelName: tf.Conv2D,
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, saved, attrs) => {
      const [x, filter] = saved as [tf.Tensor, tf.Tensor];
      const inputs = { dy: dy as tf.Tensor };
      const run = (kernel: string, more: tf.NamedTensorMap, shape: object): tf.Tensor =>
        tf.engine().runKernel(kernel, { ...inputs, ...more }, { ...attrs, ...shape });
      return {
        x: () => run(tf.Conv2DBackpropInput, { filter }, { inputShape: x.shape }),
        filter: () => run(tf.Conv2DBackpropFilter, { x }, { filterShape: filter.shape }),
      };
    },
  },
];

/** Registers them, in place of tfjs's own where those are loaded. */
export function registerGradients(): void {
  gradients.forEach(tf.registerGradient);
}
