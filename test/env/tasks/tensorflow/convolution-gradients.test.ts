import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { Random } from '../../../../protocol/random.ts';
import { loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';

interface Case {
  readonly n: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: 'same' | 'valid';
}

type Kernel = 'Conv2DBackpropInput' | 'Conv2DBackpropFilter';
type DepthwiseKernel = 'DepthwiseConv2dNativeBackpropInput' | 'DepthwiseConv2dNativeBackpropFilter';

function drawn(shape: number[], random: Random): Float32Array {
  return Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal());
}

/** One of the gradients of Σ conv(x, filter) · dy on the current backend. */
function gradients(c: Case, kernelName: Kernel | DepthwiseKernel): number[] {
  const random = new Random(5);
  const inputShape = [c.n, c.height, c.width, c.inChannels] as [number, number, number, number];
  const isDepthwise = kernelName.startsWith('Depthwise');
  const filterShape: [number, number, number, number] = [c.size, c.size, c.inChannels, isDepthwise ? 1 : c.outChannels];
  const { stride, dilation, pad } = c;
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    stride,
    dilation,
    pad,
    undefined,
    isDepthwise,
  );
  const [xs, filters, dys] = [inputShape, filterShape, info.outShape].map((shape) => drawn(shape, random));
  const attributes = { strides: c.stride, pad: c.pad, dataFormat: 'NHWC', dilations: c.dilation };
  return tf.tidy(() => {
    const x = tf.tensor(xs!, inputShape);
    const filter = tf.tensor(filters!, filterShape);
    const dy = tf.tensor(dys!, info.outShape);
    const result: tf.Tensor = kernelName.endsWith('Input')
      ? tf.engine().runKernel(kernelName, { dy, filter }, { ...attributes, inputShape })
      : tf.engine().runKernel(kernelName, { x, dy }, { ...attributes, filterShape });
    return Array.from(result.dataSync());
  });
}

/** The same from the definition: every product x · filter · dy that the convolution adds up, one by one. */
function byDefinition(c: Case, kernelName: Kernel): number[] {
  const random = new Random(5);
  const inputShape = [c.n, c.height, c.width, c.inChannels] as [number, number, number, number];
  const filterShape = [c.size, c.size, c.inChannels, c.outChannels] as [number, number, number, number];
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, c.stride, c.dilation, c.pad);
  const [xs, filters, dys] = [inputShape, filterShape, info.outShape].map((shape) => drawn(shape, random));
  const dx = new Array<number>(xs!.length).fill(0);
  const dFilter = new Array<number>(filters!.length).fill(0);
  const [, outHeight, outWidth] = info.outShape;
  for (let n = 0; n < c.n; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let ky = 0; ky < c.size; ky++)
          for (let kx = 0; kx < c.size; kx++) {
            const y = oy * c.stride + ky * c.dilation - info.padInfo.top;
            const x = ox * c.stride + kx * c.dilation - info.padInfo.left;
            if (y < 0 || y >= c.height || x < 0 || x >= c.width) continue;
            for (let i = 0; i < c.inChannels; i++)
              for (let o = 0; o < c.outChannels; o++) {
                const atX = ((n * c.height + y) * c.width + x) * c.inChannels + i;
                const atFilter = ((ky * c.size + kx) * c.inChannels + i) * c.outChannels + o;
                const atDy = ((n * outHeight + oy) * outWidth + ox) * c.outChannels + o;
                dx[atX]! += filters![atFilter]! * dys![atDy]!;
                dFilter[atFilter]! += xs![atX]! * dys![atDy]!;
              }
          }
  return kernelName === 'Conv2DBackpropInput' ? dx : dFilter;
}

function assertClose(actual: number[], expected: number[], where: string): void {
  assert.equal(actual.length, expected.length, where);
  const scale = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  assert.ok(worst < 1e-4 * Math.max(1, scale), `${where}: off by ${worst} of ${scale}`);
}

const grid: Case[] = [];
for (const [height, width] of [
  [8, 12],
  [7, 5],
] as const)
  for (const [inChannels, outChannels] of [
    [3, 4],
    [8, 5],
    [1, 1],
  ] as const)
    for (const size of [1, 2, 3, 5])
      for (const stride of [1, 2, 3])
        for (const dilation of [1, 2])
          for (const pad of ['same', 'valid'] as const) {
            if (stride > 1 && dilation > 1) continue; // no backend allows both
            if (pad === 'valid' && (size - 1) * dilation >= Math.min(height, width)) continue;
            grid.push({ n: 3, height, width, inChannels, outChannels, size, stride, dilation, pad });
          }

describe('the convolution gradients of the wasm backend', () => {
  before(() => loadBackend('wasm'));
  afterEach(() => tf.setBackend('wasm'));

  for (const kernelName of ['Conv2DBackpropInput', 'Conv2DBackpropFilter'] as const) {
    it(`${kernelName} equals the cpu backend on ${grid.filter((c) => c.dilation === 1).length} shapes`, async () => {
      for (const c of grid.filter(({ dilation }) => dilation === 1)) {
        await tf.setBackend('cpu');
        const expected = gradients(c, kernelName);
        await tf.setBackend('wasm');
        assertClose(gradients(c, kernelName), expected, JSON.stringify(c));
      }
    });

    it(`${kernelName} equals the definition where the filter is dilated`, () => {
      for (const c of grid.filter(({ dilation }) => dilation > 1)) {
        assertClose(gradients(c, kernelName), byDefinition(c, kernelName), JSON.stringify(c));
      }
    });
  }

  const depthwise = grid.filter(({ outChannels, dilation }) => outChannels !== 5 && dilation === 1);
  for (const kernelName of ['DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter'] as const) {
    it(`${kernelName} equals the cpu backend on ${depthwise.length} shapes`, async () => {
      for (const c of depthwise) {
        await tf.setBackend('cpu');
        const expected = gradients(c, kernelName);
        await tf.setBackend('wasm');
        assertClose(gradients(c, kernelName), expected, JSON.stringify(c));
      }
    });
  }

  it('leave nothing behind: tensors and heap are as before', () => {
    const c: Case = grid[0]!;
    const backend = tf.backend() as tf.KernelBackend & { numDataIds(): number };
    const before = [tf.memory().numTensors, backend.numDataIds()];
    for (const each of [c, { ...c, size: 3 }, { ...c, size: 3, stride: 2 }, { ...c, size: 3, dilation: 2 }]) {
      gradients(each, 'Conv2DBackpropInput');
      gradients(each, 'Conv2DBackpropFilter');
      gradients(each, 'DepthwiseConv2dNativeBackpropInput');
      gradients(each, 'DepthwiseConv2dNativeBackpropFilter');
    }
    assert.deepEqual([tf.memory().numTensors, backend.numDataIds()], before);
  });

  it('refuse another data format', () => {
    const dy = tf.zeros([1, 2, 2, 1]);
    const filter = tf.zeros([1, 1, 1, 1]);
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NCHW', inputShape: [1, 2, 2, 1] };
    assert.throws(() => tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, attributes), /expected.*NHWC/);
    tf.dispose([dy, filter]);
  });
});
