/**
 * The training loop: weights → trained weights and the statistics of their activations.
 *
 * A step draws a batch in plain loops, runs the network forward and back on the backend, takes the loss and its
 * gradient on the output in a plain loop, and moves one flat vector of weights in another.
 */
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { AdamW, oneCycle } from './adamw.ts';
import { parameterTensors, trainingLayers, type ApplyLayer, type Layer, type Statistics } from './layers.ts';

/** What goes into the network in one step, and what its output costs. */
export interface Batch {
  readonly input: Float32Array;
  readonly inputShape: [number, number, number, number];
  /**
   * @param output   of the network, flat
   * @param gradient is written: ∂loss/∂output, flat
   * @returns the loss
   */
  loss(output: Float32Array, gradient: Float32Array): number;
}

export interface Training {
  readonly layers: readonly Layer[];
  /** The network. */
  readonly forward: (input: tf.Tensor4D, apply: ApplyLayer) => tf.Tensor4D;
  /** Where training starts: fresh, or what another training ended with. They are trained in place. */
  readonly weights: Float32Array;
  readonly steps: number;
  /** Over how many steps the loss that progress tells is averaged at most. */
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  nextBatch(): Batch;
}

/**
 * Trains in place; gives the event loop a turn after every step.
 *
 * Stops early, without an error, when the loss is no longer finite: the model then scores NaN.
 *
 * @param report told after each step: the share of the steps that are done, and the mean loss of the epoch so far
 */
export async function train(
  training: Training,
  report: (progress: { readonly fraction: number; readonly loss: number }) => void | Promise<void>,
): Promise<void> {
  const { layers, weights, steps, stepsPerEpoch } = training;
  const optimiser = new AdamW(weights.length, training.weightDecay);
  const gradient = new Float32Array(weights.length);
  let lossSum = 0;
  let lossCount = 0;
  for (let step = 0; step < steps; step++) {
    const loss = lossAndGradient(training, training.nextBatch(), gradient);
    if (!Number.isFinite(loss)) {
      weights.fill(NaN);
      return;
    }
    optimiser.update(weights, gradient, oneCycle(training.learningRate, step / steps));
    lossSum += loss;
    lossCount++;
    await report({ fraction: (step + 1) / steps, loss: lossSum / lossCount });
    if ((step + 1) % stepsPerEpoch === 0) lossSum = lossCount = 0;
    await setImmediate();
  }

  /** The loss of a batch; writes its gradient by the weights. */
  function lossAndGradient({ forward }: Training, batch: Batch, gradient: Float32Array): number {
    let loss = NaN;
    const cost = tf.customGrad((output, save) => {
      const slope = new Float32Array((output as tf.Tensor).size);
      loss = batch.loss((output as tf.Tensor).dataSync<'float32'>(), slope);
      (save as tf.GradSaveFunc)([tf.tensor(slope, (output as tf.Tensor).shape)]);
      return { value: tf.scalar(loss), gradFunc: (_, [saved]) => saved! };
    });
    tf.tidy(() => {
      const input = tf.tensor4d(batch.input, batch.inputShape);
      const parameters = parameterTensors(layers, weights);
      const run = (...tensors: tf.Tensor[]) => cost(forward(input, trainingLayers(layers, tensors))) as tf.Scalar;
      const { grads } = tf.valueAndGrads(run)(parameters);
      let offset = 0;
      for (const part of grads) {
        gradient.set(part.dataSync(), offset);
        offset += part.size;
      }
    });
    return loss;
  }
}

/** The statistics that {@link trainingLayers} would normalise this batch with: those of the frozen network. */
export function measureStatistics(
  { forward, layers, weights }: Training,
  { input, inputShape }: Pick<Batch, 'input' | 'inputShape'>,
): Statistics {
  const statistics: Statistics = new Map();
  tf.tidy(() => {
    const parameters = parameterTensors(layers, weights);
    forward(tf.tensor4d(input, inputShape), trainingLayers(layers, parameters, statistics));
  });
  return statistics;
}
