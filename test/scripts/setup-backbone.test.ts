import assert from 'node:assert/strict';
import { LAYERS } from '../../env/tasks/backbone/efficientnet-lite0.ts';
import { filterShape } from '../../env/tasks/training/network.ts';
import { WEIGHT_COUNT } from '../../env/tasks/backbone/weights.ts';
import { folded, type Published } from '../../scripts/setup/fold.ts';
import { findPython, SetupError } from '../../scripts/setup/steps.ts';

/** Tensors of the right shapes, each number telling which tensor and which place it is from. */
function published(): Record<string, Published> {
  const tensors: Record<string, Published> = {};
  for (const [l, { name, normalisation, kind, size, inChannels, outChannels }] of LAYERS.entries()) {
    const inputs = kind === 'full' ? inChannels : 1;
    // The published file has the order of TensorFlow: [height, width, in, out], or [height, width, channels, 1].
    const stride = [1, outChannels, size * inputs * outChannels, inputs * outChannels];
    tensors[`${name}.weight`] = {
      shape: [outChannels, inputs, size, size],
      stride,
      numbers: Float32Array.from({ length: size * size * inputs * outChannels }, (_, i) => l + i / 1e6),
    };
    const vector = (value: (channel: number) => number): Published => ({
      shape: [outChannels],
      stride: [1],
      numbers: Float32Array.from({ length: outChannels }, (_, channel) => value(channel)),
    });
    tensors[`${normalisation}.weight`] = vector((channel) => 1 + channel);
    tensors[`${normalisation}.bias`] = vector((channel) => channel / 2);
    tensors[`${normalisation}.running_mean`] = vector(() => 3);
    tensors[`${normalisation}.running_var`] = vector(() => 4 - 1e-3);
  }
  return tensors;
}

describe('setup:backbone', () => {
  it('puts batch normalisation into filters and biases, for numbers in any order', () => {
    const tensors = published();
    const flat = folded(tensors);
    assert.equal(flat.length, WEIGHT_COUNT);
    let offset = 0;
    for (const layer of LAYERS) {
      const { name, kind, size, inChannels, outChannels } = layer;
      const { stride, numbers } = tensors[`${name}.weight`]!;
      const [, , thirds, fourths] = filterShape(layer);
      const [y, x] = [size - 1, 0];
      const [third, fourth] = [Math.min(1, thirds - 1), fourths - 1];
      const [out, input] = kind === 'full' ? [fourth, third] : [third, 0];
      const place = [out, input, y, x].reduce((sum, i, axis) => sum + i * stride[axis]!, 0);
      const at = offset + ((y * size + x) * thirds + third) * fourths + fourth;
      assert.ok(Math.abs(flat[at]! - (numbers[place]! * (1 + out)) / 2) < 1e-3, name); // gamma / sqrt(4)
      offset += size * size * (kind === 'full' ? inChannels : 1) * outChannels;
      const channel = outChannels - 1;
      assert.ok(Math.abs(flat[offset + channel]! - (channel / 2 - (3 * (1 + channel)) / 2)) < 1e-3, `${name}: bias`);
      offset += outChannels;
    }
  });

  it('names a tensor that is missing or has another shape', () => {
    const { '_blocks.3._expand_conv.weight': moved, ...rest } = published();
    assert.throws(() => folded(rest), /^Error: _blocks\.3\._expand_conv\.weight: expected a tensor of \d.*, got none$/);
    const wrong = { ...rest, '_blocks.3._expand_conv.weight': { ...moved!, shape: [1, 2, 3, 4] } };
    assert.throws(() => folded(wrong), /got 1 × 2 × 3 × 4$/);
  });

  it('ends in a sentence without Python, or without pip', async () => {
    const none = async () => undefined;
    await assert.rejects(findPython(none), /^SetupError: expected Python 3 .*; on Debian: apt install python3$/);
    const noPip = async (programs: readonly string[], ...args: string[]) =>
      args.includes('pip') ? undefined : programs[0];
    await assert.rejects(findPython(noPip), (error: Error) => {
      assert.ok(error instanceof SetupError);
      assert.match(error.message, /^expected pip .*; on Debian: apt install python3-pip$/);
      return true;
    });
  });
});
