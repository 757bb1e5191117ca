/**
 * The training loop: weights → trained weights and the statistics of their activations.
 *
 * A step draws a batch in plain loops, runs the network forward and backward on the backend, computes the loss and its
 * gradient at the output in a plain loop, and changes one flat vector of weights in another.
 */
import { setImmediate } from 'node:timers/promises';
import { AdamW, oneCycle } from './adamw.ts';
import { differentiable, type Inputs, type Shape } from './differentiable.ts';
import { learningRates, type Statistics } from './layers.ts';
import type { Layer, Network } from './network.ts';

/** The network's inputs in one step, and the loss of its output. */
export interface Batch {
  readonly inputs: Inputs;
  /**
   * @param output   of the network, flat
   * @param gradient ∂loss/∂output, flat, is overwritten
   * @returns the loss
   */
  readonly loss: (output: Float32Array, gradient: Float32Array) => number;
}

export interface Training {
  readonly layers: readonly Layer[];
  readonly network: Network;
  /** The first weights: new ones, or the result of another training. They are trained in place. */
  readonly weights: Float32Array;
  readonly steps: number;
  /** The loss in the progress is averaged over at most this many steps. */
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** The shapes of every batch's inputs. */
  readonly inputShapes: readonly Shape[];
  nextBatch(): Batch;
}

/**
 * Trains in place; lets the event loop run after every step.
 *
 * Stops early, without an error, when the loss is no longer finite: the model then scores NaN.
 *
 * @param report called after each step with the share of the steps that are done, 0 to 1, and the mean loss of the
 *   present epoch
 */
export async function train(
  training: Training,
  report: (progress: { readonly fraction: number; readonly loss: number }) => void | Promise<void>,
): Promise<void> {
  const { network, layers, inputShapes, weights, steps, stepsPerEpoch } = training;
  const { gradient: differentiate } = differentiable(network, layers, inputShapes);
  const optimiser = new AdamW(learningRates(layers), training.weightDecay);
  const gradient = new Float32Array(weights.length);
  let lossSum = 0;
  let lossCount = 0;
  for (let step = 0; step < steps; step++) {
    const batch = training.nextBatch();
    const loss = differentiate(batch.inputs, weights, batch.loss, gradient);
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
}

/**
 * The statistics that the frozen network normalises with: the pooled statistics of some batches, each run as in
 * training (Wu and Johnson 2021, arXiv 2105.07576, sec. 3).
 */
export function measureStatistics(
  { network, layers, inputShapes, weights }: Training,
  batches: readonly Inputs[],
): Statistics {
  const normalised = layers.filter(({ normalised }) => normalised);
  if (normalised.length === 0) return new Map();
  const { statistics } = differentiable(network, layers, inputShapes);
  const measured = batches.map((inputs) => statistics(inputs, weights));
  const pooled: Statistics = new Map();
  for (const layer of normalised) {
    const parts = measured.map((part) => part.get(layer)!);
    const mean = new Float32Array(layer.outChannels);
    const variance = new Float32Array(layer.outChannels);
    for (let c = 0; c < mean.length; c++) {
      const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      mean[c] = meanOf(parts.map((part) => part.mean[c]!));
      variance[c] = meanOf(parts.map((part) => part.variance[c]! + (part.mean[c]! - mean[c]!) ** 2));
    }
    pooled.set(layer, { mean, variance });
  }
  return pooled;
}
