import { completeTheta } from '../../protocol/parameters.ts';
import { categoryAt, deriveSeed, Random } from '../../protocol/random.ts';
import type { DataSet, Simulator } from './simulator.ts';

/** 1/φ: steps around a circle by the golden ratio keep the visited points most evenly apart. */
const GOLDEN_STEP = (Math.sqrt(5) - 1) / 2;

/**
 * A simulator whose data sets have the labels of some simplexes in their exact proportions, so that a set of n scenes
 * does not have, by chance, more rain than θ says: Var of a label's share falls from p(1−p)/n to about 1/n².
 *
 * Scene `index` has the label at uₙ = frac(u₀ + index/φ) of the cumulated probabilities, u₀ drawn from the seed: a
 * systematic sample. Each scene alone has the label with its probability p, and two θ near each other give the same
 * label to nearly all scenes of a seed. It suits simplexes from which each scene draws once.
 *
 * @param names of the simplexes
 * @throws {RangeError} naming one that the simulator does not have
 */
export function stratified<Sample>(simulator: Simulator<Sample>, names: readonly string[]): Simulator<Sample> {
  const { parameters } = simulator;
  const simplexes = parameters.filter(({ name, kind }) => kind === 'simplex' && names.includes(name));
  const missing = names.find((name) => !simplexes.some((simplex) => simplex.name === name));
  if (missing !== undefined) {
    const known = parameters.flatMap(({ name, kind }) => (kind === 'simplex' ? [name] : [])).join(', ');
    throw new RangeError(`stratified: expected names of simplexes (${known}), got ${missing}`);
  }
  return {
    ...simulator,
    open(theta, seed) {
      const complete = completeTheta(parameters, theta);
      const axes = simplexes.map(({ name }) => {
        const first = new Random(deriveSeed(seed, 'stratified', name)).uniform(0, 1);
        const probabilities = complete[name] as number[];
        const labelOf = (index: number) => categoryAt(probabilities, (first + index * GOLDEN_STEP) % 1);
        return { name, labelOf, certainly: (label: number) => probabilities.map((_, i) => (i === label ? 1 : 0)) };
      });
      /** Opens the data set in which these labels are certain. */
      const openStratum = (labels: readonly number[]) => {
        const certain = axes.map(({ name, certainly }, i) => [name, certainly(labels[i]!)] as const);
        return simulator.open({ ...complete, ...Object.fromEntries(certain) }, seed);
      };
      const strata = new Map<string, DataSet<Sample>>();
      return {
        draw(index, signal) {
          const labels = axes.map(({ labelOf }) => labelOf(index));
          const key = labels.join();
          const stratum = strata.get(key) ?? openStratum(labels);
          strata.set(key, stratum);
          return stratum.draw(index, signal);
        },
        async close() {
          for (const stratum of strata.values()) await stratum.close?.();
        },
      };
    },
  };
}
