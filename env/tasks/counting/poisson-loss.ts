import { softplus } from '../training/softplus.ts';

/**
 * The loss that dense counting minimises: the negative log-likelihood of Poisson counts, without its constant.
 *
 * A cell's mean is λ = softplus(z) = ln(1 + eᶻ) and costs λ − y ln λ; the loss is the sum over an image's cells and
 * types, averaged over the images. It is least where λ is the mean of y, so the sum over the cells is the mean count.
 *
 * @param output   z, flat, [images, cells, types]
 * @param density  y, 0 or more, not necessarily whole, of the shape of `output`
 * @param gradient ∂loss/∂z, is overwritten, of the shape of `output`
 * @returns the loss
 */
export function poissonLoss(
  output: Float32Array,
  density: Float32Array,
  images: number,
  gradient: Float32Array,
): number {
  let loss = 0;
  for (let i = 0; i < output.length; i++) {
    const z = output[i]!;
    const y = density[i]!;
    const mean = softplus(z);
    const slope = 1 / (1 + Math.exp(-z)); // dλ/dz
    // Far below 0, λ and its slope are both eᶻ: their ratio is 1, also where both are rounded to 0.
    const perMean = mean > 1e-30 ? slope / mean : 1;
    loss += y > 0 ? mean - y * (mean > 1e-30 ? Math.log(mean) : z) : mean;
    gradient[i] = (slope - y * perMean) / images;
  }
  return loss / images;
}
