/** Turns published weights into those that the backbone runs with. */
import { LAYERS, type FoldedLayer } from '../../env/tasks/backbone/efficientnet-lite0.ts';
import { filterShape } from '../../env/tasks/training/network.ts';

/** A published tensor: numbers in a storage that is shared by nobody else. */
export interface Published {
  readonly shape: readonly number[];
  /** The distance in the storage between neighbours along each dimension. */
  readonly stride: readonly number[];
  readonly numbers: Float32Array;
}

/** Of the published network's batch normalisation. */
const EPSILON = 1e-3;

/**
 * Filters and biases of all layers as one flat vector, with batch normalisation folded into them.
 *
 * Published filters are [out, in, height, width], and depthwise ones [channels, 1, height, width].
 *
 * @throws {Error} naming the tensor that is missing or has another shape
 */
export function folded(tensors: Readonly<Record<string, Published>>): Float32Array {
  return Float32Array.from(LAYERS.flatMap((layer) => foldedLayer(layer, tensors)));
}

function foldedLayer(layer: FoldedLayer, tensors: Readonly<Record<string, Published>>): number[] {
  const { name, normalisation, kind, size, inChannels, outChannels } = layer;
  const filter = tensor(tensors, `${name}.weight`, [outChannels, kind === 'full' ? inChannels : 1, size, size]);
  const vector = (part: string) => {
    const { stride, numbers } = tensor(tensors, `${normalisation}.${part}`, [outChannels]);
    return (channel: number) => numbers[channel * stride[0]!]!;
  };
  const [gamma, beta] = [vector('weight'), vector('bias')];
  const [mean, variance] = [vector('running_mean'), vector('running_var')];
  const scale = (channel: number) => gamma(channel) / Math.sqrt(variance(channel) + EPSILON);
  const [, , thirds, fourths] = filterShape(layer);
  const weights: number[] = [];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let third = 0; third < thirds; third++) {
        for (let fourth = 0; fourth < fourths; fourth++) {
          const [out, input] = kind === 'full' ? [fourth, third] : [third, 0];
          const place = [out, input, y, x].reduce((sum, i, axis) => sum + i * filter.stride[axis]!, 0);
          weights.push(filter.numbers[place]! * scale(out));
        }
      }
    }
  }
  for (let channel = 0; channel < outChannels; channel++) weights.push(beta(channel) - mean(channel) * scale(channel));
  return weights;
}

function tensor(tensors: Readonly<Record<string, Published>>, name: string, shape: readonly number[]): Published {
  const found = tensors[name];
  if (found?.shape.join() === shape.join()) return found;
  throw new Error(`${name}: expected a tensor of ${shape.join(' × ')}, got ${found?.shape.join(' × ') ?? 'none'}`);
}
