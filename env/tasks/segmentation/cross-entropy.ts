import { VOID } from '../../streets/classes.ts';

/**
 * Softmax cross-entropy, averaged over the cells with the weights of their classes, and its gradient.
 *
 * A cell of class c costs w_c (log Σ exp l − l_c), with logits l; the average divides by the sum of the weights.
 *
 * @param logits   [cells, classes], flat
 * @param labels   class ids, or VOID where the class is unknown, [cells]
 * @param weights  of the classes, [classes]
 * @param gradient ∂loss/∂logits, is overwritten, [cells, classes], flat
 * @returns the loss in nats; 0 when every cell is VOID
 */
export function crossEntropy(
  logits: Float32Array,
  labels: ArrayLike<number>,
  weights: readonly number[],
  gradient: Float32Array,
): number {
  const classes = weights.length;
  let weightSum = 0;
  for (let cell = 0; cell < labels.length; cell++) if (labels[cell] !== VOID) weightSum += weights[labels[cell]!]!;
  if (weightSum === 0) {
    gradient.fill(0);
    return 0;
  }
  let loss = 0;
  gradient.set(logits);
  softmax(gradient, classes);
  for (let cell = 0; cell < labels.length; cell++) {
    const label = labels[cell]!;
    const weight = label === VOID ? 0 : weights[label]! / weightSum;
    const start = cell * classes;
    if (weight > 0) {
      loss -= weight * Math.log(Math.max(gradient[start + label]!, 1e-38)); // finite where float32 is 0
      gradient[start + label]! -= 1;
    }
    for (let i = start; i < start + classes; i++) gradient[i]! *= weight;
  }
  return loss;
}

/** Turns logits [cells, classes] into probabilities, in place. */
export function softmax(logits: Float32Array, classes: number): void {
  for (let start = 0; start < logits.length; start += classes) {
    let peak = -Infinity;
    for (let c = start; c < start + classes; c++) peak = Math.max(peak, logits[c]!);
    let total = 0;
    for (let c = start; c < start + classes; c++) total += logits[c] = Math.exp(logits[c]! - peak);
    for (let c = start; c < start + classes; c++) logits[c]! /= total;
  }
}
