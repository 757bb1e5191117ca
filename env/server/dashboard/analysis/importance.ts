/**
 * How much each parameter decides whether an evaluation is among the best: PED-ANOVA (Watanabe, Bansal & Hutter, IJCAI
 * 2023, arXiv 2304.10255).
 *
 * The importance of a parameter is the Pearson divergence of its density among the best from that among all:
 *
 *     v_d ∝ ∫ (p(x_d | best) / p(x_d | all) − 1)² p(x_d | all) dx_d          (up to a factor that all share)
 *
 * The densities are kernel estimates on a grid of the parameter's range; of choices, shares.
 */
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import { shareOf } from './columns.ts';
import type { RunData } from './run-data.ts';

/** Cells of the grid. */
const CELLS = 50;
/** The weight of a uniform density in each estimate, in evaluations. */
const PRIOR = 1;
/** How often the best are drawn at random, to see what importance chance alone gives: all of these with 95 %. */
const SHUFFLES = 19;
/** The fewest evaluations of which anything is said. */
export const FEWEST_FOR_IMPORTANCE = 20;

export interface Importance {
  readonly column: number;
  /** Its part of the importance of all, 0 to 1. */
  readonly share: number;
  /** The share that a parameter without any effect would have here: 95 % of random draws of the best give less. */
  readonly chance: number;
}

/**
 * @param top the part of the evaluations that counts as the best
 * @returns   a line for each column, the most important first; none where there are too few evaluations
 */
export function importances(data: RunData, top = 0.1): Importance[] {
  // Those of the search: finalists and the reported are a few θ again and again.
  const scored = data.scored().filter((i) => data.purposes[i] === 'search');
  if (scored.length < FEWEST_FOR_IMPORTANCE) return [];
  const count = Math.max(2, Math.ceil(top * scored.length));
  const best = [...scored].sort((a, b) => data.rewards[b]! - data.rewards[a]!).slice(0, count);
  const random = new Random(deriveSeed(1, 'importance'));
  const drawn = Array.from({ length: SHUFFLES }, () => sample(scored, count, random));
  const columns = data.columns.map((column, c) => {
    const range = data.range(c);
    const values = data.valuesOf(c);
    const cells = column.choices?.length ?? CELLS;
    const places = column.choices ? values : values.map((value) => shareOf(column, value, range));
    const density = (rows: readonly number[]) => {
      const own = rows.map((i) => places[i]!).filter((place) => !Number.isNaN(place));
      return column.choices ? shares(own, cells) : kernelDensity(own, cells);
    };
    const all = density(scored);
    const divergence = (rows: readonly number[]) => pearson(density(rows), all);
    return { column: c, divergence: divergence(best), chance: Math.max(...drawn.map(divergence)) };
  });
  const total = columns.reduce((sum, { divergence }) => sum + divergence, 0);
  const share = (divergence: number) => (total > 0 ? divergence / total : 0);
  return columns
    .map(({ column, divergence, chance }) => ({ column, share: share(divergence), chance: share(chance) }))
    .sort((a, b) => b.share - a.share);
}

/** Σ q (p / q − 1)² over the cells. */
export function pearson(p: readonly number[], q: readonly number[]): number {
  return q.reduce((sum, each, i) => sum + each * (p[i]! / each - 1) ** 2, 0);
}

/** The share of each choice, with a uniform prior. @param places positions of choices */
export function shares(places: readonly number[], count: number): number[] {
  const counts = new Array<number>(count).fill(PRIOR / count);
  for (const place of places) if (place >= 0 && place < count) counts[place]!++;
  return counts.map((each) => each / (places.length + PRIOR));
}

/**
 * The mass of a Gaussian kernel estimate on [0, 1] in each of some equal cells, with a uniform prior. The bandwidth is
 * Scott's (1992), and at least half a cell; of each kernel, what lies outside is spread over the inside.
 *
 * @param places 0 to 1
 */
export function kernelDensity(places: readonly number[], cells: number): number[] {
  const n = places.length;
  const counts = new Array<number>(cells).fill(0);
  for (const place of places) counts[Math.min(cells - 1, Math.max(0, Math.floor(place * cells)))]!++;
  const mean = places.reduce((sum, each) => sum + each, 0) / Math.max(1, n);
  const sd = Math.sqrt(places.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, n));
  const bandwidth = Math.max(0.5 / cells, 1.06 * sd * Math.max(1, n) ** -0.2);
  const mass = new Array<number>(cells).fill(PRIOR / cells);
  counts.forEach((count, from) => {
    if (count === 0) return;
    const kernel = mass.map((_, to) => Math.exp(-0.5 * ((to - from) / cells / bandwidth) ** 2));
    const whole = kernel.reduce((sum, each) => sum + each, 0);
    kernel.forEach((each, to) => (mass[to]! += (count * each) / whole));
  });
  return mass.map((each) => each / (n + PRIOR));
}

/** Draws some of the items without putting them back. */
function sample<T>(items: readonly T[], count: number, random: Random): T[] {
  const rest = [...items];
  return Array.from({ length: count }, () => {
    const i = random.integer(rest.length);
    const [taken] = rest.splice(i, 1, rest.at(-1)!);
    rest.pop();
    return taken!;
  });
}
