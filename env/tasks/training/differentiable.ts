import * as tf from '@tensorflow/tfjs-core';
import { runAtOnce } from './at-once.ts';
import type { Statistics } from './layers.ts';
import type { Layer, Network } from './network.ts';
import { recordGraph } from './recorded.ts';

/** [n, height, width, channels] */
export type Shape = readonly [number, number, number, number];

/** A network that can be trained, for inputs of one shape. Input and weights are flat. */
export interface Differentiable {
  /**
   * Runs the network forward, computes the loss, runs it backward.
   *
   * @param cost     writes ∂loss/∂output, flat, and gives the loss
   * @param gradient ∂loss/∂weights, is overwritten
   * @returns the loss
   */
  readonly gradient: (input: Float32Array, weights: Float32Array, cost: Cost, gradient: Float32Array) => number;
  /** Mean and variance of each channel before normalisation in this batch, by layer. */
  readonly statistics: (input: Float32Array, weights: Float32Array) => Statistics;
}

/** Writes ∂loss/∂output into `slope` and returns the loss. Both arrays are flat. */
type Cost = (output: Float32Array, slope: Float32Array) => number;

/** Chooses what is fastest on the present backend: wasm has no graphs. */
export function differentiable(network: Network, layers: readonly Layer[], shape: Shape): Differentiable {
  return (tf.getBackend() === 'wasm' ? runAtOnce : recordGraph)(network, layers, shape);
}
