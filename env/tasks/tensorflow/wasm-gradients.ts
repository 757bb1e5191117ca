/**
 * The gradients of a convolution, and of a depthwise one, for the wasm backend.
 *
 * tfjs's wasm backend has no Conv2DBackpropFilter at all, its Conv2DBackpropInput is a naive loop, and it has neither
 * for depthwise convolutions. They are made here from the kernels that it has and that are fast (XNNPACK's convolutions
 * and matrix product), with plain loops that only move numbers; but the depthwise filter's gradient is a plain loop.
 * They also take a `dilations` attribute, which tfjs's own gradients lack.
 */
import { backend_util, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { callKernel, disposeAll, endWindow, numbers, openWindow, registerWasmKernel } from './wasm-kernels.ts';

type Shape4D = [number, number, number, number];
type ConvInfo = backend_util.Conv2DInfo;

interface GradientAttributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: [number, number] | number;
}

function convInfo(
  inputShape: Shape4D,
  filterShape: Shape4D,
  attributes: GradientAttributes,
  isDepthwise = false,
): ConvInfo {
  const { strides, pad, dimRoundingMode, dataFormat = 'NHWC', dilations = 1 } = attributes;
  if (dataFormat !== 'NHWC') {
    throw new RangeError(`wasm convolution gradient: expected data format NHWC, got ${dataFormat}`);
  }
  return backend_util.computeConv2DInfo(inputShape, filterShape, strides, dilations, pad, dimRoundingMode, isDepthwise);
}

/**
 * ∂loss/∂input = the padded, zero-interleaved dy convolved with the filter turned by 180° and with its channels
 * swapped, unless it is depthwise (Dumoulin and Visin, arXiv 1603.07285, relationship 14).
 */
const backpropInput =
  (isDepthwise: boolean): KernelFunc =>
  (args) => {
    const backend = args.backend as BackendWasm;
    const attributes = args.attrs as unknown as GradientAttributes & { inputShape: Shape4D };
    const dy = args.inputs.dy!;
    const filter = args.inputs.filter!;
    const info = convInfo(attributes.inputShape, filter.shape as Shape4D, attributes, isDepthwise);
    const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;

    const turned = (isDepthwise ? turnPlanes : turnFilter)(backend, filter);
    const spread = strideHeight * strideWidth === 1 ? dy : interleaveZeros(backend, dy, strideHeight, strideWidth);
    const [, height, width] = spread.shape as Shape4D;
    const top = info.effectiveFilterHeight - 1 - padInfo.top;
    const left = info.effectiveFilterWidth - 1 - padInfo.left;
    // The rest of the padding, below and to the right, gives dx the size of the input.
    const bottom = info.inHeight + info.effectiveFilterHeight - 1 - height - top;
    const right = info.inWidth + info.effectiveFilterWidth - 1 - width - left;
    const pad: Padding = [
      [top, bottom],
      [left, right],
    ];
    const kernel = isDepthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
    const dx = convolve(backend, spread, turned, [1, 1], [dilationHeight, dilationWidth], pad, kernel);
    disposeAll(backend, spread === dy ? [turned] : [turned, spread]);
    return dx;
  };

/** ∂loss/∂filter. */
const backpropFilter: KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const attributes = args.attrs as unknown as GradientAttributes & { filterShape: Shape4D };
  const x = args.inputs.x!;
  const dy = args.inputs.dy!;
  const info = convInfo(x.shape as Shape4D, attributes.filterShape, attributes);
  const sameSize = info.outHeight === info.inHeight && info.outWidth === info.inWidth;
  const dense = info.strideHeight === 1 && info.strideWidth === 1 && sameSize;
  return dense ? filterGradientByShifts(backend, x, dy, info) : filterGradientByConvolution(backend, x, dy, info);
};

/**
 * The filter's gradient where output and input have the same size (stride 1, 'same'): one matrix product per filter
 * tap.
 *
 * Each channel of x is laid out as one long row, lines and images one after the other with zeros between them. Read
 * from another start, the same rows are what another tap of the filter sees: [inChannels, length] · [length,
 * outChannels] without a copy. A row then ends with the first numbers of the next row; dy is 0 there.
 */
function filterGradientByShifts(backend: BackendWasm, x: TensorInfo, dy: TensorInfo, info: ConvInfo): TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outChannels, filterHeight, filterWidth, padInfo } = info;
  // The zeros after a line are also before the next one, so the larger padding serves both sides.
  const lineLength = inWidth + Math.max(padInfo.left, padInfo.right);
  const imageLength = (inHeight + Math.max(padInfo.top, padInfo.bottom)) * lineLength;
  const lead = padInfo.top * lineLength + padInfo.left;
  const reach = (info.effectiveFilterHeight - 1) * lineLength + info.effectiveFilterWidth - 1;
  const length = batchSize * imageLength + reach;

  const rows = backend.makeOutput([inChannels * length + reach], 'float32');
  const dyRows = backend.makeOutput([length, outChannels], 'float32');
  const gradient = backend.makeOutput(info.filterShape, 'float32');
  const xNumbers = numbers(backend, x);
  const dyNumbers = numbers(backend, dy);
  const rowNumbers = numbers(backend, rows).fill(0);
  const dyRowNumbers = numbers(backend, dyRows).fill(0);
  for (let line = 0; line < batchSize * inHeight; line++) {
    const from = line * inWidth;
    const to = Math.floor(line / inHeight) * imageLength + (line % inHeight) * lineLength;
    dyRowNumbers.set(dyNumbers.subarray(from * outChannels, (from + inWidth) * outChannels), to * outChannels);
    for (let c = 0; c < inChannels; c++) {
      const start = c * length + lead + to;
      for (let i = 0; i < inWidth; i++) rowNumbers[start + i] = xNumbers[(from + i) * inChannels + c]!;
    }
  }
  for (let tap = 0; tap < filterHeight * filterWidth; tap++) {
    const tapY = Math.floor(tap / filterWidth) * info.dilationHeight;
    const tapX = (tap % filterWidth) * info.dilationWidth;
    const seen = openWindow(backend, rows, tapY * lineLength + tapX, [inChannels, length]);
    const product = callKernel('BatchMatMul', backend, { a: seen, b: dyRows }, plainProduct);
    numbers(backend, gradient).set(numbers(backend, product), tap * inChannels * outChannels);
    endWindow(backend, seen);
    backend.disposeData(product.dataId);
  }
  disposeAll(backend, [rows, dyRows]);
  return gradient;
}

const plainProduct = { transposeA: false, transposeB: false };

/**
 * The filter's gradient for any stride: a convolution of x with dy in which channels and images swap places, and so do
 * stride and dilation.
 */
function filterGradientByConvolution(backend: BackendWasm, x: TensorInfo, dy: TensorInfo, info: ConvInfo): TensorInfo {
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  const images = callKernel('Transpose', backend, { x }, { perm: [3, 1, 2, 0] }); // [inChannels, height, width, n]
  const filter = callKernel('Transpose', backend, { x: dy }, { perm: [1, 2, 0, 3] }); // [outHeight, outWidth, n, out]
  const spanHeight = (info.outHeight - 1) * strideHeight + 1;
  const spanWidth = (info.outWidth - 1) * strideWidth + 1;
  // The last lines of x may lie beyond every stride: then the padding is negative, and lines are cut instead.
  const bottom = (info.filterHeight - 1) * dilationHeight + spanHeight - info.inHeight - padInfo.top;
  const right = (info.filterWidth - 1) * dilationWidth + spanWidth - info.inWidth - padInfo.left;
  const cut = cutEdges(backend, images, Math.max(0, -bottom), Math.max(0, -right));
  const pad: Padding = [
    [padInfo.top, Math.max(0, bottom)],
    [padInfo.left, Math.max(0, right)],
  ];
  // [inChannels, filterHeight, filterWidth, outChannels]
  const gradient = convolve(backend, cut, filter, [dilationHeight, dilationWidth], [strideHeight, strideWidth], pad);
  const result = callKernel('Transpose', backend, { x: gradient }, { perm: [1, 2, 0, 3] });
  disposeAll(backend, [images, filter, cut, gradient]);
  return result;
}

/** ∂loss/∂filter of a depthwise convolution: for each tap and channel, the sum of what it sees times dy. */
const depthwiseBackpropFilter: KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const attributes = args.attrs as unknown as GradientAttributes & { filterShape: Shape4D };
  const x = args.inputs.x!;
  const dy = args.inputs.dy!;
  const info = convInfo(x.shape as Shape4D, attributes.filterShape, attributes, true);
  const { batchSize, inHeight, inWidth, inChannels: channels, outHeight, outWidth, padInfo } = info;
  const gradient = backend.makeOutput(attributes.filterShape, 'float32');
  const [xNumbers, dyNumbers, sums] = [x, dy, gradient].map((tensor) => numbers(backend, tensor)) as Numbers3;
  sums.fill(0);
  for (let tapY = 0; tapY < info.filterHeight; tapY++) {
    for (let tapX = 0; tapX < info.filterWidth; tapX++) {
      const own = sums.subarray(
        (tapY * info.filterWidth + tapX) * channels,
        (tapY * info.filterWidth + tapX + 1) * channels,
      );
      for (let line = 0; line < batchSize * outHeight; line++) {
        const y = (line % outHeight) * info.strideHeight + tapY * info.dilationHeight - padInfo.top;
        if (y < 0 || y >= inHeight) continue;
        const lineFrom = (Math.floor(line / outHeight) * inHeight + y) * inWidth;
        for (let column = 0; column < outWidth; column++) {
          const at = column * info.strideWidth + tapX * info.dilationWidth - padInfo.left;
          if (at < 0 || at >= inWidth) continue;
          const from = (lineFrom + at) * channels;
          const slope = (line * outWidth + column) * channels;
          for (let c = 0; c < channels; c++) own[c]! += xNumbers[from + c]! * dyNumbers[slope + c]!;
        }
      }
    }
  }
  return gradient;
};

type Numbers3 = [Float32Array, Float32Array, Float32Array];

type Padding = [rows: [number, number], columns: [number, number]];

function convolve(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  strides: [number, number],
  dilations: [number, number],
  [rows, columns]: Padding,
  kernel = 'Conv2D',
): TensorInfo {
  const pad = [[0, 0], rows, columns, [0, 0]];
  return callKernel(kernel, backend, { x, filter }, { strides, dilations, pad, dataFormat: 'NHWC' });
}

/** [height, width, in, out] → [height, width, out, in], each plane turned by 180°. */
function turnFilter(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const [height, width, inChannels, outChannels] = filter.shape as Shape4D;
  const turned = backend.makeOutput([height, width, outChannels, inChannels], 'float32');
  const from = numbers(backend, filter);
  const to = numbers(backend, turned);
  const plane = inChannels * outChannels;
  const taps = height * width;
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inChannels; i++) {
      const row = tap * plane + i * outChannels;
      const column = (taps - 1 - tap) * plane + i;
      for (let o = 0; o < outChannels; o++) to[column + o * inChannels] = from[row + o]!;
    }
  }
  return turned;
}

/** [height, width, channels, 1], each plane turned by 180°. */
function turnPlanes(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const [height, width, channels] = filter.shape as Shape4D;
  const turned = backend.makeOutput(filter.shape, 'float32');
  const from = numbers(backend, filter);
  const to = numbers(backend, turned);
  for (let tap = 0; tap < height * width; tap++) {
    to.set(from.subarray(tap * channels, (tap + 1) * channels), (height * width - 1 - tap) * channels);
  }
  return turned;
}

/** Puts stride − 1 zeros between neighbours of [n, height, width, channels]. */
function interleaveZeros(backend: BackendWasm, x: TensorInfo, strideHeight: number, strideWidth: number): TensorInfo {
  const [n, height, width, channels] = x.shape as Shape4D;
  const spreadHeight = (height - 1) * strideHeight + 1;
  const spreadWidth = (width - 1) * strideWidth + 1;
  const spread = backend.makeOutput([n, spreadHeight, spreadWidth, channels], 'float32');
  const from = numbers(backend, x);
  const to = numbers(backend, spread).fill(0);
  let position = 0;
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < height; y++) {
      for (let i = 0; i < width; i++) {
        const target = ((image * spreadHeight + y * strideHeight) * spreadWidth + i * strideWidth) * channels;
        for (let c = 0; c < channels; c++) to[target + c] = from[position++]!;
      }
    }
  }
  return spread;
}

/** Leaves out the last lines and columns. */
function cutEdges(backend: BackendWasm, x: TensorInfo, lines: number, columns: number): TensorInfo {
  const [n, height, width, channels] = x.shape as Shape4D;
  const size = [n, height - lines, width - columns, channels];
  return callKernel('Slice', backend, { x }, { begin: [0, 0, 0, 0], size });
}

/** Registers the kernels, in place of those that the backend has. */
export function registerWasmGradients(): void {
  registerWasmKernel('Conv2DBackpropFilter', backpropFilter);
  registerWasmKernel('Conv2DBackpropInput', backpropInput(false));
  registerWasmKernel('DepthwiseConv2dNativeBackpropFilter', depthwiseBackpropFilter);
  registerWasmKernel('DepthwiseConv2dNativeBackpropInput', backpropInput(true));
}
