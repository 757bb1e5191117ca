/**
 * The language that networks are written in. One description of a network runs forward and backward in training, is
 * recorded as a graph, and runs with folded weights after training.
 */

/** A convolution with 'same' padding. */
export interface Layer {
  /** `depthwise`: each channel on its own, so that as many come out; `full` when left out. */
  readonly kind?: 'full' | 'depthwise';
  /** Height and width of the filter. */
  readonly size: number;
  /** Distance between the cells of the input that neighbouring cells of the output see; 1 when left out. */
  readonly stride?: 1 | 2;
  /** Distance between neighbouring taps of the filter; 1 when left out. */
  readonly dilation?: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Followed by batch normalisation and ReLU; otherwise the convolution has a bias. */
  readonly normalised: boolean;
  /** Whether ReLU6 follows the bias. */
  readonly activated?: boolean;
  /** Factor of the learning rate; 1 when left out, and with 0 the layer stays as it is. */
  readonly rate?: number;
}

/** [size, size, in, out]; of a depthwise layer [size, size, channels, 1] */
export function filterShape({ kind, size, inChannels, outChannels }: Layer): [number, number, number, number] {
  return [size, size, inChannels, kind === 'depthwise' ? 1 : outChannels];
}

/** A tensor of a backend, or the promise of one in a graph. */
export interface Shaped {
  readonly shape: readonly number[];
}

/** Operations on images, [n, height, width, channels]. */
export interface Canvas<T> {
  layer(layer: Layer, x: T): T;
  add(a: T, b: T): T;
  /** [n, h, w, c] → [n, h/2, w/2, 4c]: a convolution with stride 2 is then a 1×1 one, a plain matrix product. */
  spaceToDepth(x: T): T;
  /** [n, h, w, 4c] → [n, 2h, 2w, c] */
  depthToSpace(x: T): T;
  /** Resampled to the height and width of another image: see resampling.ts. */
  resize(x: T, like: T): T;
}

/** A network: from its inputs to its output. */
export type Network = <T extends Shaped>(inputs: readonly T[], on: Canvas<T>) => T;
