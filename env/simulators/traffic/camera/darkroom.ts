/** Develops pictures of one size: the sensor's inner loops, over memory that is used again for each picture. */
import { readFileSync } from 'node:fs';
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import { SRGB_BYTES } from '../../../render/srgb.ts';

/** What sensor-kernel/index.ts exports (`npm run kernels` makes sensor.wasm of it); addresses are in bytes. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  allocate(size: number): number;
  expose(light: number, gains: number, count: number, red: number, blue: number): void;
  blur(light: number, padded: number, row: number, height: number, kernel: number, radius: number, white: number): void;
  grade(
    light: number,
    planes: number,
    count: number,
    size: number,
    bytes: number,
    steps: number,
    noise: number,
    noiseSize: number,
    at: number,
    contrast: number,
    colour: number,
    ofGray: number,
    ofColour: number,
  ): void;
  compress(planes: number, width: number, height: number, size: number, coarseness: number): void;
  pack(planes: number, bytes: number, count: number, size: number): void;
}

const module = new WebAssembly.Module(readFileSync(new URL('sensor.wasm', import.meta.url)));
const run = new WebAssembly.Instance(module).exports as unknown as Exports;

function floats(address: number, length: number): Float32Array {
  return new Float32Array(run.memory.buffer, address, length);
}

/** Copies numbers into memory that is never freed; returns their address. */
function keep(numbers: ArrayLike<number>): number {
  const address = run.allocate(numbers.length * 4);
  floats(address, numbers.length).set(numbers);
  return address;
}

/** Normal noise, drawn once: each picture reads it from another start. */
export const NOISE_SIZE = 1 << 16;
const noise = (() => {
  const random = new Random(deriveSeed(1, 'sensor noise'));
  const numbers = Float32Array.from({ length: NOISE_SIZE + 4 }, () => random.normal());
  numbers.copyWithin(NOISE_SIZE, 0, 4); // After its end it continues with its start.
  return keep(numbers);
})();

/** The sRGB byte of each amount of linear light. */
const bytes = keep(SRGB_BYTES);

/** The largest radius of a blur, pixels. */
export const MOST_RADIUS = 6;
const kernel = run.allocate((MOST_RADIUS + 1) * 4);
const coarseness = run.allocate(64 * 4);

export class Darkroom {
  private readonly count: number;
  private readonly size: number;
  private readonly light: number;
  private readonly gain: number;
  private readonly padded: number;
  private readonly planes: number;
  private readonly picture: number;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.count = width * height;
    this.size = (this.count + 3) & ~3;
    this.light = run.allocate(this.size * 12 + 16);
    this.gain = run.allocate(this.size * 4);
    const margin = 2 * MOST_RADIUS;
    this.padded = run.allocate(((height + margin + 1) * width + margin) * 12 + 64);
    this.planes = run.allocate(this.size * 12);
    this.picture = run.allocate(this.size * 3 + 16);
  }

  /** Copies the linear light in, [height, width, 3]. */
  put(linear: Float32Array): void {
    floats(this.light, linear.length).set(linear);
  }

  /** The factor of each pixel's light, for the caller to fill in, [height, width]. */
  gains(): Float32Array {
    return floats(this.gain, this.count);
  }

  /** Multiplies the light with the gains, and red and blue with factors of their own. */
  expose(red: number, blue: number): void {
    run.expose(this.light, this.gain, this.count, red, blue);
  }

  /** @param weights of the middle pixel and of the pixels at distance 1, 2 …; light beyond `white` does not spread */
  blur(weights: Float64Array, white: number): void {
    floats(kernel, weights.length).set(weights);
    run.blur(this.light, this.padded, this.width * 3, this.height, kernel, weights.length - 1, white);
  }

  /** Turns the light into sRGB values, and changes their contrast and saturation and adds noise. */
  grade(by: {
    readonly contrast: number;
    /** Factor of the difference between a colour and gray. */
    readonly colour: number;
    /** Deviations of the noise of brightness and of each colour, of 255 levels. */
    readonly grayNoise: number;
    readonly colourNoise: number;
    /** Where to read the noise from, below NOISE_SIZE. */
    readonly start: number;
  }): void {
    run.grade(
      this.light,
      this.planes,
      this.count,
      this.size,
      bytes,
      SRGB_BYTES.length - 1,
      noise,
      NOISE_SIZE,
      by.start,
      by.contrast,
      by.colour,
      by.grayNoise,
      by.colourNoise,
    );
  }

  /** Compresses and decompresses, with the coarseness of each of a block's 8 × 8 frequencies. */
  compress(of: Float64Array): void {
    floats(coarseness, of.length).set(of);
    run.compress(this.planes, this.width, this.height, this.size, coarseness);
  }

  /** Returns the picture: a new uint8 [height, width, 3]. */
  take(): Uint8Array {
    run.pack(this.planes, this.picture, this.count, this.size);
    return new Uint8Array(run.memory.buffer, this.picture, this.count * 3).slice();
  }
}
