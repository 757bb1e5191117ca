import { BATCH_NORM_EPSILON } from '../../../../env/tasks/tensorflow/operations.ts';
import type { Canvas, Layer } from '../../../../env/tasks/training/network.ts';

/** Images in double precision, [n, height, width, channels]. */
export interface Plain {
  readonly shape: readonly [number, number, number, number];
  readonly numbers: readonly number[];
}

const at = ([, height, width, channels]: Plain['shape'], n: number, y: number, x: number, c: number) =>
  ((n * height + y) * width + x) * channels + c;

function image(shape: Plain['shape'], value: (n: number, y: number, x: number, c: number) => number): Plain {
  const numbers = new Array<number>(shape.reduce((product, size) => product * size, 1));
  for (let n = 0; n < shape[0]; n++)
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[2]; x++)
        for (let c = 0; c < shape[3]; c++) numbers[at(shape, n, y, x, c)] = value(n, y, x, c);
  return { shape, numbers };
}

/** Networks by definition, as in training. */
export function plainCanvas(layers: readonly Layer[], weights: readonly number[]): Canvas<Plain> {
  const starts = new Map<Layer, number>();
  let position = 0;
  for (const layer of layers) {
    starts.set(layer, position);
    const inputs = layer.kind === 'depthwise' ? 1 : layer.inChannels;
    position += layer.outChannels * (layer.size ** 2 * inputs + (layer.normalised ? 2 : 1));
  }
  return {
    layer(layer, x) {
      const { kind, size, stride = 1, dilation = 1, inChannels, outChannels, normalised, activated } = layer;
      const start = starts.get(layer)!;
      const isDepthwise = kind === 'depthwise';
      const rest = start + size * size * (isDepthwise ? 1 : inChannels) * outChannels;
      const [n, height, width] = x.shape;
      const [newHeight, newWidth] = [Math.ceil(height / stride), Math.ceil(width / stride)];
      const margin = (from: number, to: number) =>
        Math.max(0, (to - 1) * stride + (size - 1) * dilation + 1 - from) >> 1;
      const [above, left] = [margin(height, newHeight), margin(width, newWidth)];
      const z = image([n, newHeight, newWidth, outChannels], (i, y, column, o) => {
        let sum = 0;
        for (let tap = 0; tap < size * size; tap++) {
          const v = y * stride + Math.floor(tap / size) * dilation - above;
          const u = column * stride + (tap % size) * dilation - left;
          if (v < 0 || v >= height || u < 0 || u >= width) continue;
          for (let c = 0; c < inChannels; c++) {
            if (isDepthwise && c !== o) continue;
            const weight = start + (isDepthwise ? tap * outChannels : (tap * inChannels + c) * outChannels) + o;
            sum += x.numbers[at(x.shape, i, v, u, c)]! * weights[weight]!;
          }
        }
        if (normalised) return sum;
        return activated ? Math.min(6, Math.max(0, sum + weights[rest + o]!)) : sum + weights[rest + o]!;
      });
      if (!normalised) return z;
      const channel = (o: number) => z.numbers.filter((_, i) => i % outChannels === o);
      const mean = Array.from({ length: outChannels }, (_, o) => average(channel(o)));
      const variance = mean.map((m, o) => average(channel(o).map((value) => (value - m) ** 2)));
      return image(z.shape, (i, y, column, o) => {
        const normal =
          (z.numbers[at(z.shape, i, y, column, o)]! - mean[o]!) / Math.sqrt(variance[o]! + BATCH_NORM_EPSILON);
        return Math.max(0, weights[rest + o]! * normal + weights[rest + outChannels + o]!);
      });
    },
    add: (a, b) => ({ shape: a.shape, numbers: a.numbers.map((value, i) => value + b.numbers[i]!) }),
    spaceToDepth: (x) => {
      const [n, height, width, channels] = x.shape;
      return image([n, height / 2, width / 2, channels * 4], (i, y, column, c) => {
        const corner = Math.floor(c / channels);
        return x.numbers[at(x.shape, i, 2 * y + (corner >> 1), 2 * column + (corner & 1), c % channels)]!;
      });
    },
    resize: (x, like) => {
      const [n, , , channels] = x.shape;
      const [, height, width] = like.shape;
      return image([n, height, width, channels], (i, y, column, c) => {
        let sum = 0;
        for (const [v, down] of shares(y, x.shape[1], height)) {
          for (const [u, across] of shares(column, x.shape[2], width)) {
            sum += down * across * x.numbers[at(x.shape, i, v, u, c)]!;
          }
        }
        return sum;
      });
    },
    depthToSpace: (x) => {
      const [n, height, width, channels] = x.shape;
      return image([n, height * 2, width * 2, channels / 4], (i, y, column, c) => {
        const corner = 2 * (y & 1) + (column & 1);
        return x.numbers[at(x.shape, i, y >> 1, column >> 1, (corner * channels) / 4 + c)]!;
      });
    },
  };
}

/** The pixels of a line of `from` that pixel `i` of a line of `to` is made of, with their shares. */
function shares(i: number, from: number, to: number): [pixel: number, share: number][] {
  if (from === to) return [[i, 1]];
  const [start, end] = [(i * from) / to, ((i + 1) * from) / to];
  if (to < from) {
    return Array.from({ length: from }, (_, p): [number, number] => [
      p,
      Math.max(0, Math.min(end, p + 1) - Math.max(start, p)) / (end - start),
    ]);
  }
  const place = Math.min(from - 1, Math.max(0, (start + end) / 2 - 0.5));
  const pixels = Array.from({ length: from }, (_, p): [number, number] => [p, Math.max(0, 1 - Math.abs(place - p))]);
  return pixels;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
