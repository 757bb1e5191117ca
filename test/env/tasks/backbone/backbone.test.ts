import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendName } from '../../../../env/runtime.ts';
import { loadBackbone } from '../../../../env/tasks/backbone/backbone.ts';
import { blockOutput, LAYERS } from '../../../../env/tasks/backbone/efficientnet-lite0.ts';
import { BACKBONE_FILE, WEIGHT_COUNT } from '../../../../env/tasks/backbone/weights.ts';
import { installedBackends, loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';

const [HEIGHT, WIDTH] = [40, 56];
const TAPS = [2, 4, 10, 15];

/** The picture of reference.py, as the network wants it. */
function picture(height: number, width: number): Float32Array {
  return Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / (3 * width)), Math.floor(i / 3) % width, i % 3];
    return (((5 * x + 3 * y + 40 * c) % 256) - 127) / 128;
  });
}

/** What reference.py prints for 40 × 56: the shape of each tap, its mean magnitude, and six of its numbers. */
const STORED = [
  { shape: [10, 14, 24], mean: 9.146514, some: [-0.12853, -2.74467, 1.33602, -3.19684, -5.30225, 13.62351] },
  { shape: [5, 7, 40], mean: 8.801143, some: [5.08152, -1.23547, -4.2064, 4.02734, -11.25306, -4.03489] },
  { shape: [3, 4, 112], mean: 5.345179, some: [-3.06517, 4.81395, 7.31331, 12.91484, -3.22511, -7.15795] },
  { shape: [2, 2, 320], mean: 2.366696, some: [1.67951, -0.56192, 0.00496, 1.42412, -3.73177, -0.01397] },
];

/** The places of the stored numbers. */
const places = (length: number) =>
  [0, length / 5, length / 3, length / 2, (4 * length) / 5, length - 1].map(Math.floor);

describe('the pretrained backbone', () => {
  it('has the layers of EfficientNet-Lite0', () => {
    assert.equal(LAYERS.length, 48);
    assert.equal(WEIGHT_COUNT, 2_939_120);
    assert.deepEqual(TAPS.map(blockOutput), [
      { channels: 24, stride: 4 },
      { channels: 40, stride: 8 },
      { channels: 112, stride: 16 },
      { channels: 320, stride: 32 },
    ]);
  });

  for (const name of ['wasm', 'tfjs-node'] as const satisfies BackendName[]) {
    describe(`on ${name}`, () => {
      before(async function () {
        if (!existsSync(BACKBONE_FILE)) return this.skip(); // npm run setup:backbone brings them
        if (!installedBackends().includes(name)) return this.skip();
        await loadBackend(name);
      });
      after(() => loadBackend('wasm'));

      it('computes what PyTorch computes, to 1e-3', () => {
        const taps = loadBackbone([1, HEIGHT, WIDTH, 3], TAPS).run(picture(HEIGHT, WIDTH));
        for (const [i, { shape, mean, some }] of STORED.entries()) {
          const tap = taps[i]!;
          assert.equal(
            tap.length,
            shape.reduce((product, size) => product * size, 1),
          );
          const found = places(tap.length).map((place) => tap[place]!);
          for (const [j, number] of found.entries()) {
            assert.ok(Math.abs(number - some[j]!) < 1e-3, `tap ${i}: expected ${some.join()}, got ${found.join()}`);
          }
          const magnitude = tap.reduce((sum, number) => sum + Math.abs(number), 0) / tap.length;
          assert.ok(Math.abs(magnitude - mean) < 1e-3, `tap ${i}: expected a mean of ${mean}, got ${magnitude}`);
        }
      });

      it('gives each image of several what it gives it alone', () => {
        const [first, second] = [picture(HEIGHT, WIDTH), picture(HEIGHT, WIDTH).reverse()];
        const one = loadBackbone([1, HEIGHT, WIDTH, 3], TAPS);
        const two = loadBackbone([2, HEIGHT, WIDTH, 3], TAPS).run(Float32Array.of(...first, ...second));
        for (const [i, alone] of [first, second].entries()) {
          for (const [t, expected] of one.run(alone).entries()) {
            const found = two[t]!.subarray(i * expected.length, (i + 1) * expected.length);
            const difference = found.reduce((most, number, k) => Math.max(most, Math.abs(number - expected[k]!)), 0);
            assert.ok(difference < 1e-3, `image ${i}, tap ${t}: differs by ${difference}`);
          }
        }
      });

      it('computes what PyTorch computes here, for several sizes @slow', function () {
        this.timeout(120_000);
        for (const [height, width] of [
          [120, 160],
          [45, 61],
        ] as const) {
          const script = join(import.meta.dirname, 'reference.py');
          const args = [script, String(height), String(width)];
          const { status, stdout } = spawnSync(process.env['PYTHON'] ?? 'python3', args, { maxBuffer: 1e9 });
          if (status !== 0) return this.skip(); // PyTorch is not here
          const expected = JSON.parse(stdout.toString()) as { shape: number[]; numbers: number[] }[];
          const taps = loadBackbone([1, height, width, 3], TAPS).run(picture(height, width));
          for (const [t, { numbers }] of expected.entries()) {
            const difference = numbers.reduce((most, n, i) => Math.max(most, Math.abs(n - taps[t]![i]!)), 0);
            assert.ok(difference < 1e-3, `tap ${t}: differs by ${difference}`);
          }
        }
      });
    });
  }
});
