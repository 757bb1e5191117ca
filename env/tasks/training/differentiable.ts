import * as tf from '@tensorflow/tfjs-core';
import { runAtOnce } from './at-once.ts';
import type { Statistics } from './layers.ts';
import type { Layer, Network } from './network.ts';
import { recordGraph } from './recorded.ts';

/** [n, height, width, channels] */
export type Shape = readonly [number, number, number, number];

/** A network that can be trained, for inputs of the same shapes. Inputs and weights are flat. */
export interface Differentiable {
  /**
   * Runs the network forward, computes the loss, runs it backward.
   *
   * @param cost     writes ∂loss/∂output, flat, and gives the loss
   * @param gradient ∂loss/∂weights, is overwritten
   * @returns the loss
   */
  readonly gradient: (inputs: Inputs, weights: Float32Array, cost: Cost, gradient: Float32Array) => number;
  /** Mean and variance of each channel before normalisation in this batch, by layer. */
  readonly statistics: (inputs: Inputs, weights: Float32Array) => Statistics;
}

/** One flat array for each input of the network. */
export type Inputs = readonly Float32Array[];

/** Writes ∂loss/∂output into `slope` and returns the loss. Both arrays are flat. */
type Cost = (output: Float32Array, slope: Float32Array) => number;

/** Chooses what is fastest on the present backend: wasm has no graphs. */
export function differentiable(network: Network, layers: readonly Layer[], shapes: readonly Shape[]): Differentiable {
  return (tf.getBackend() === 'wasm' ? runAtOnce : recordGraph)(network, layers, shapes);
}
