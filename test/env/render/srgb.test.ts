import assert from 'node:assert/strict';
import { LINEAR_OF_BYTE, linearToSrgb } from '../../../env/render/srgb.ts';

describe('linearToSrgb', () => {
  it('maps every byte to linear light and back to the same byte', () => {
    assert.deepEqual(
      [...linearToSrgb(LINEAR_OF_BYTE)],
      Array.from({ length: 256 }, (_, byte) => byte),
    );
  });

  it('agrees with the formula of the standard to a byte', () => {
    const steps = 100_000;
    const bytes = linearToSrgb(Float32Array.from({ length: steps + 1 }, (_, i) => i / steps));
    for (let i = 0; i <= steps; i++) {
      const v = i / steps;
      const exact = 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
      assert.ok(Math.abs(bytes[i]! - exact) < 0.7, `${v}: ${bytes[i]} for ${exact}`);
    }
  });

  it('clips values that no screen shows', () => {
    assert.deepEqual([...linearToSrgb(Float32Array.of(-1, 2, Infinity, -Infinity, Number.NaN))], [0, 255, 255, 0, 0]);
  });

  it('refuses an output of another length', () => {
    assert.throws(() => linearToSrgb(new Float32Array(3), new Uint8Array(4)), /expected room for 3 bytes, got 4/);
  });
});
