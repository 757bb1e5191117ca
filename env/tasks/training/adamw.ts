/** The optimiser, as one loop over one flat vector of weights. */

const BETA1 = 0.9;
const BETA2 = 0.99;
const EPSILON = 1e-8;

/** AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2). */
export class AdamW {
  private readonly mean: Float32Array;
  private readonly square: Float32Array;
  private step = 0;

  /** @param rates the factor of the learning rate of each weight */
  constructor(
    private readonly rates: Float32Array,
    private readonly weightDecay: number,
  ) {
    this.mean = new Float32Array(rates.length);
    this.square = new Float32Array(rates.length);
  }

  /** Moves `weights`, in place, against `gradient`; both have as many numbers as the rates. */
  update(weights: Float32Array, gradient: Float32Array, learningRate: number): void {
    this.step++;
    const { mean, square, rates } = this;
    const meanScale = learningRate / (1 - BETA1 ** this.step);
    const squareScale = 1 / (1 - BETA2 ** this.step);
    const decay = learningRate * this.weightDecay;
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i]!;
      const rate = rates[i]!;
      const m = BETA1 * mean[i]! + (1 - BETA1) * g;
      const v = BETA2 * square[i]! + (1 - BETA2) * g * g;
      mean[i] = m;
      square[i] = v;
      weights[i] = (1 - rate * decay) * weights[i]! - (rate * meanScale * m) / (Math.sqrt(v * squareScale) + EPSILON);
    }
  }
}

/**
 * The learning rate of one cycle (Smith and Topin 2018, arXiv 1708.07120): up along half a cosine from a 25th of the
 * peak in the first quarter of the steps, then down along another half to nearly 0.
 *
 * @param fraction share of the training that is done, 0 to 1
 */
export function oneCycle(peak: number, fraction: number): number {
  const rise = 0.25;
  const low = peak / 25;
  const cosine = (from: number, to: number, share: number) => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  return fraction < rise
    ? cosine(low, peak, fraction / rise)
    : cosine(peak, peak / 1e4, (fraction - rise) / (1 - rise));
}
