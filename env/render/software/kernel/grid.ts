/**
 * Where a picture is sampled: once at each pixel's centre, or at the centre and four places around it.
 *
 * The five places form a rotated lattice: each has its own fifth of the pixel's height and of its width, so that edges
 * near the vertical and near the horizontal both get six shades. Because no two share a height, a picture of H pixel
 * rows is a picture of 5 H *sample rows*, and row r is shifted by its sample's offset: one scan converter does
 * both. Sample row 2 of each five runs through the centres, where a picture without antialiasing has its only sample;
 * ids and depth are taken there, and are the same with and without antialiasing.
 */
const offsets: StaticArray<f64> = [0.7, 0.1, 0.5, 0.9, 0.3];

/** How far right of the pixel's left border sample k lies, in pixels. */
export function xOffset(samples: i32, k: i32): f64 {
  return samples == 1 ? 0.5 : unchecked(offsets[k]);
}

/** For each set of samples (a bit mask): its share of the pixel, and where to shade it. */
export const coverage = new StaticArray<f32>(32);
export const shadeX = new StaticArray<f32>(32);
export const shadeY = new StaticArray<f32>(32);

/** Fills the tables. A pixel is shaded at its centre if that is covered, else at the mean of the covered places. */
export function tabulate(samples: i32): void {
  const centre = samples >> 1;
  for (let mask = 1; mask < 1 << samples; mask++) {
    let count: f32 = 0;
    let x: f32 = 0;
    let y: f32 = 0;
    for (let k = 0; k < samples; k++) {
      if ((mask & (1 << k)) == 0) continue;
      count++;
      x += <f32>xOffset(samples, k);
      y += (<f32>k + 0.5) / <f32>samples;
    }
    const isAtCentre = (mask & (1 << centre)) != 0;
    coverage[mask] = count / <f32>samples;
    shadeX[mask] = isAtCentre ? 0.5 : x / count;
    shadeY[mask] = isAtCentre ? 0.5 : y / count;
  }
}
