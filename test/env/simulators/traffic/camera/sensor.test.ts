import assert from 'node:assert/strict';
import { defaultTheta } from '../../../../../protocol/parameters.ts';
import { Random } from '../../../../../protocol/random.ts';
import { LINEAR_OF_BYTE } from '../../../../../env/render/srgb.ts';
import { TRAFFIC_PARAMETERS, type TrafficTheta } from '../../../../../env/simulators/traffic/parameters.ts';
import { develop } from '../../../../../env/simulators/traffic/camera/sensor.ts';

/** θ of a sensor without any fault. */
const ideal = {
  ...defaultTheta(TRAFFIC_PARAMETERS),
  exposure: 0,
  exposureSpread: 0,
  contrast: 1,
  saturation: 1,
  whiteBalanceSpread: 0,
  blur: 0,
  pixelNoise: 0,
  lightNoise: 0,
  compression: 0,
} as unknown as TrafficTheta;

const [width, height] = [32, 24];
const flat = (value: number) => new Float32Array(width * height * 3).fill(value);
const take = (linear: Float32Array, theta: Partial<TrafficTheta> = {}, rain = 0) =>
  develop(linear, width, height, { ...ideal, ...theta }, rain, new Random(1));
const mean = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;

describe('the sensor', () => {
  it('shows radiance 1 as white, 0 as black and .2140 as the middle of sRGB', () => {
    const halves = take(flat(0).fill(1, 0, (width * height * 3) / 2)); // half white, half black
    assert.deepEqual([mean(halves.subarray(0, halves.length / 2)), mean(halves.subarray(halves.length / 2))], [255, 0]);
    assert.equal(mean(take(flat(((0.5 + 0.055) / 1.055) ** 2.4))), 128);
  });

  it('corrects an exposure in which nothing could be seen, and no other', () => {
    const scene = Float32Array.from({ length: width * height * 3 }, (_, i) => 0.05 + 0.4 * ((i * 0.618) % 1));
    const level = (exposure: number) => mean(take(scene, { exposure }));
    assert.ok(level(9) < 220, `far too bright: ${level(9)}`);
    assert.ok(level(-9) > 30, `far too dark: ${level(-9)}`);
    assert.deepEqual(take(scene, { exposure: 0.5 }), take(scene.map((light) => light * Math.SQRT2)));
  });

  it('shows one stop more as twice the radiance', () => {
    assert.deepEqual(take(flat(0.2), { exposure: 1 }), take(flat(0.4)));
  });

  it('keeps the colour of gray light and takes the colour of coloured light with saturation 0', () => {
    const red = Float32Array.from({ length: width * height * 3 }, (_, i) => (i % 3 === 0 ? 0.5 : 0.1));
    const rgb = take(red, { saturation: 0 });
    for (let i = 0; i < rgb.length; i += 3) {
      assert.ok(rgb[i] === rgb[i + 1] && rgb[i] === rgb[i + 2]);
    }
  });

  it('blurs an edge and does not change an even area', () => {
    const edge = Float32Array.from({ length: width * height * 3 }, (_, i) =>
      Math.floor(i / 3) % width < 16 ? 0 : 0.5,
    );
    const blurred = take(edge, { blur: 0.05 });
    const row = Array.from({ length: width }, (_, x) => blurred[(12 * width + x) * 3]!);
    assert.ok(row[15]! > row[10]! && row[16]! < row[21]!, row.join());
    for (let x = 1; x < width; x++) assert.ok(row[x]! >= row[x - 1]!, row.join());
    assert.deepEqual(take(flat(0.3), { blur: 0.05 }), take(flat(0.3)));
  });

  it('adds noise of the given size', () => {
    const rgb = take(flat(0.214), { pixelNoise: 0.05 });
    const middle = mean(rgb);
    const sd = Math.sqrt(rgb.reduce((sum, byte) => sum + (byte - middle) ** 2, 0) / rgb.length);
    // Drawn between half and one and a half of .05 · 255 = 12.75.
    assert.ok(sd > 6 && sd < 20, `${sd}`);
  });

  it('draws rain brighter than a dark background', () => {
    assert.ok(mean(take(flat(0.05), {}, 1)) > mean(take(flat(0.05))));
  });

  it('is the same for the same random numbers', () => {
    const theta = { pixelNoise: 0.05, lightNoise: 0.3, exposureSpread: 0.5 };
    assert.deepEqual(take(flat(0.2), theta, 0.5), take(flat(0.2), theta, 0.5));
  });
});

describe('compression', () => {
  /** What becomes of a picture of 16 × 16 pixels; the strength is drawn from half to one and a half of what is asked. */
  const compressed = (bytes: Uint8Array, compression: number) => {
    const linear = Float32Array.from(bytes, (byte) => LINEAR_OF_BYTE[byte]!);
    return develop(linear, 16, 16, { ...ideal, compression }, 0, new Random(1));
  };

  it('does not change even blocks, and loses fine detail first', () => {
    const even = new Uint8Array(16 * 16 * 3).fill(90);
    assert.deepEqual(new Set(compressed(even, 1)), new Set([90]));

    const fine = compressed(
      Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => 90 + 8 * (Math.floor(i / 3) % 2)),
      1,
    );
    assert.equal(Math.max(...fine) - Math.min(...fine), 0);

    const coarse = compressed(
      Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 8 < 4 ? 40 : 200)),
      1,
    );
    assert.ok(Math.max(...coarse) - Math.min(...coarse) > 100);
  });

  it('keeps a picture nearly as it is when it is weak', () => {
    const random = new Random(3);
    const picture = Uint8Array.from({ length: 16 * 16 * 3 }, () => 60 + random.integer(100));
    const after = compressed(picture, 0.03);
    picture.forEach((value, i) => assert.ok(Math.abs(value - after[i]!) < 16, `${value} → ${after[i]}`));
  });
});
