/** Added to the variance in batch normalisation. */
export const BATCH_NORM_EPSILON = 1e-3;

/**
 * The operations that our networks are made of, and their gradients, on one backend.
 *
 * A backend may run them at once, or record them and run all of them later. Every tensor is float32, every image
 * [n, height, width, channels].
 */
export interface Operations<T> {
  /**
   * Convolution with stride 1 and 'same' padding.
   *
   * @param filter [size, size, in, out]
   */
  convolution(x: T, filter: T, dilation: number): T;
  /** ∂/∂x of {@link convolution}. */
  convolutionInputGradient(dy: T, filter: T, dilation: number): T;
  /** ∂/∂filter of {@link convolution}, for a filter of `size` × `size`. */
  convolutionFilterGradient(x: T, dy: T, size: number, dilation: number): T;
  /**
   * Convolution of each channel on its own, with 'same' padding.
   *
   * @param filter [size, size, channels, 1]
   */
  depthwiseConvolution(x: T, filter: T, stride: number): T;
  /** ∂/∂x of {@link depthwiseConvolution}. @param shape of x */
  depthwiseInputGradient(dy: T, filter: T, shape: readonly number[], stride: number): T;
  /** ∂/∂filter of {@link depthwiseConvolution}, for a filter of `size` × `size`. */
  depthwiseFilterGradient(x: T, dy: T, size: number, stride: number): T;
  /** y = min(6, max(0, x)) */
  relu6(x: T): T;
  relu6Gradient(dy: T, y: T): T;
  /**
   * y = max(0, gamma · (z − mean) / sqrt(variance + ε) + beta), with the mean and variance of each channel over this
   * batch (Ioffe and Szegedy 2015, arXiv 1502.03167).
   *
   * @param gamma [channels], a multiple of 4
   * @param beta  [channels]
   */
  batchNormRelu(z: T, gamma: T, beta: T): Normalised<T>;
  batchNormReluGradient(dy: T, z: T, gamma: T, forward: Normalised<T>): [dz: T, dGamma: T, dBeta: T];
  /** Adds one number to each channel. */
  addBias(x: T, bias: T): T;
  /** ∂/∂bias of {@link addBias}. */
  biasGradient(dy: T): T;
  add(a: T, b: T): T;
  /** [n, h, w, c] → [n, h/2, w/2, 4c]: each square of four pixels becomes one. */
  spaceToDepth(x: T): T;
  /** [n, h, w, 4c] → [n, 2h, 2w, c]: the way back. */
  depthToSpace(x: T): T;
  /** Each new row is a weighted sum of rows, each new column one of columns. */
  resample(x: T, map: Resampling): T;
}

/** How rows and columns become new ones. */
export interface Resampling {
  readonly rows: LinearMap;
  readonly columns: LinearMap;
}

/** A matrix [to, from], flat. */
export interface LinearMap {
  readonly to: number;
  readonly from: number;
  readonly weights: Float32Array;
}

/** The result of batch normalisation. */
export interface Normalised<T> {
  readonly y: T;
  /** [channels] */
  readonly mean: T;
  /** [channels]; biased or not, as the backend computes it. */
  readonly variance: T;
  /** Further values that the gradient reads. */
  readonly saved: readonly T[];
}
