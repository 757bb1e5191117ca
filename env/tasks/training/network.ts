/**
 * What a network is written in, so that one description of it is run forward and back in training, taken down as a
 * graph, and run with folded weights when training is over.
 */

/** A convolution with stride 1 and 'same' padding. */
export interface Layer {
  /** Height and width of the filter. */
  readonly size: number;
  /** Distance between neighbouring taps of the filter; 1 when left out. */
  readonly dilation?: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Followed by batch normalisation and ReLU; otherwise the convolution has a bias and nothing follows. */
  readonly normalised: boolean;
}

/** Operations on images, [n, height, width, channels]. */
export interface Canvas<T> {
  layer(layer: Layer, x: T): T;
  add(a: T, b: T): T;
  /** [n, h, w, c] → [n, h/2, w/2, 4c]: a convolution with stride 2 is then a 1×1 one, a plain matrix product. */
  spaceToDepth(x: T): T;
  /** [n, h, w, 4c] → [n, 2h, 2w, c] */
  depthToSpace(x: T): T;
}

/** A network: from its input to its output. */
export type Network = <T>(input: T, on: Canvas<T>) => T;
