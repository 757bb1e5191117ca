/** Four numbers at once: short names for the instructions, and the few functions that have none. */

export function all(value: f32): v128 {
  return f32x4.splat(value);
}
export function add(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}
export function sub(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}
export function mul(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}
export function div(a: v128, b: v128): v128 {
  return f32x4.div(a, b);
}
export function atLeast(a: v128, least: f32): v128 {
  return f32x4.pmax(all(least), a); // NaN becomes `least`.
}
export function atMost(a: v128, most: f32): v128 {
  return f32x4.pmin(all(most), a);
}
/** `a` where the mask is set, else `b`. */
export function select(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}
export function dot(ax: v128, ay: v128, az: v128, bx: v128, by: v128, bz: v128): v128 {
  return add(add(mul(ax, bx), mul(ay, by)), mul(az, bz));
}
export function inverseLength(x: v128, y: v128, z: v128): v128 {
  return div(all(1), f32x4.sqrt(f32x4.max(dot(x, y, z, x, y, z), all(1e-37))));
}

// The language leaves the last bits of Math.exp and similar functions to the engine. Pixels must be the same bytes on
// every machine, and a picture needs fewer digits.

/** e^x for x ≤ 0, to a relative 1e-6; nearly 0 below −87. */
export function expNegative(x: v128): v128 {
  x = atLeast(x, -87);
  const k = f32x4.nearest(mul(x, all(1.44269504)));
  const r = sub(sub(x, mul(k, all(0.693359375))), mul(k, all(-2.1219444e-4))); // |r| ≤ ln 2 / 2
  let series = add(mul(r, all(1 / 720)), all(1 / 120));
  series = add(mul(r, series), all(1 / 24));
  series = add(mul(r, series), all(1 / 6));
  series = add(mul(r, series), all(1 / 2));
  series = add(mul(r, series), all(1));
  series = add(mul(r, series), all(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(k), i32x4.splat(127)), 23);
  return mul(series, power);
}

/** log2 of positive numbers, to ±0.05: straight between the powers of two, then bent. For choosing mip levels. */
export function log2Roughly(x: v128): v128 {
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(x, 23), i32x4.splat(127)));
  const mantissa = f32x4.convert_i32x4_s(v128.and(x, i32x4.splat(0x7fffff)));
  const fraction = mul(mantissa, all(1.0 / 0x800000));
  return add(add(exponent, fraction), mul(mul(all(0.343), fraction), sub(all(1), fraction)));
}

/** The angles of the vectors (x, y) in turns, −1/2 to 1/2, to 1e-6; 0 for the null vector. */
export function turns(y: v128, x: v128): v128 {
  const ax = f32x4.abs(x);
  const ay = f32x4.abs(y);
  const isSteep = f32x4.gt(ay, ax);
  const t = div(f32x4.min(ax, ay), atLeast(f32x4.max(ax, ay), 1e-37));
  const s = mul(t, t);
  let angle = add(mul(s, all(-0.0117212)), all(0.05265332)); // The minimax polynomial of degree 11.
  angle = add(mul(s, angle), all(-0.11643287));
  angle = add(mul(s, angle), all(0.19354346));
  angle = add(mul(s, angle), all(-0.33262347));
  angle = mul(mul(t, add(mul(s, angle), all(0.99997726))), all(0.15915494)); // 1 / 2π
  angle = select(isSteep, sub(all(0.25), angle), angle);
  angle = select(f32x4.lt(x, all(0)), sub(all(0.5), angle), angle);
  return select(f32x4.lt(y, all(0)), f32x4.neg(angle), angle);
}
