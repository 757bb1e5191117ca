/** A number that is above 0, from any number. */

/** ln(1 + eᶻ), for every z. */
export function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/** The z whose {@link softplus} is `mean`, above 0. */
export function inverseSoftplus(mean: number): number {
  return mean + Math.log(-Math.expm1(-mean));
}
