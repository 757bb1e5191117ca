/** The way of one parameter over a search, as the paths of a small picture: drawn by the page, and into figures. */
import type { RunData } from '../analysis/run-data.ts';
import { shareOf } from '../analysis/columns.ts';
import { thinned } from '../analysis/thin.ts';

/** Paths in units of the picture; y grows downwards. */
export interface TrajectoryPaths {
  /** A dot for each of some evaluations. */
  readonly dots: string;
  /** The policy's mean, and the band of one standard deviation about it; empty without a policy. */
  readonly mean: string;
  readonly band: string;
  /** The height of the hidden value; undefined where it is not shown. */
  readonly truth: number | undefined;
  /** Where θ of the best evaluation lies. */
  readonly best: readonly [x: number, y: number] | undefined;
}

const MOST_DOTS = 300;
const MOST_ON_LINE = 150;

export function trajectoryPaths(
  data: RunData,
  column: number,
  { width, height }: { readonly width: number; readonly height: number },
): TrajectoryPaths {
  const own = data.columns[column]!;
  const range = data.range(column);
  const margin = 3;
  const last = Math.max(2, data.seq, ...data.notes.slice(-1).map(({ evaluations }) => evaluations));
  const x = (evaluation: number) => margin + ((evaluation - 1) / (last - 1)) * (width - 2 * margin);
  const y = (value: number) => {
    const share = Math.min(1, Math.max(0, shareOf(own, value, range)));
    return height - margin - share * (height - 2 * margin);
  };
  const text = (n: number) => n.toFixed(1);
  const values = data.valuesOf(column);
  const dots = thinned(values.length, MOST_DOTS)
    .filter((i) => !Number.isNaN(values[i]!) && data.purposes[i] === 'search')
    .map((i) => `M${text(x(data.rows[i]!.seq))} ${text(y(values[i]!))}h0`)
    .join('');
  const told = data.notes.filter(({ mean }) => mean !== undefined);
  const notes = thinned(told.length, MOST_ON_LINE).map((i) => told[i]!);
  const place = (evaluations: number, value: unknown) =>
    `${text(x(Math.max(1, evaluations)))} ${text(y(value as number))}`;
  const isNumber = !own.choices;
  const line = (of: 'mean' | 'low' | 'high', some = notes) =>
    some.flatMap((note) => (typeof note[of]?.[column] === 'number' ? [place(note.evaluations, note[of][column])] : []));
  const mean = isNumber ? line('mean') : [];
  const low = isNumber && own.label === undefined ? line('low') : [];
  const high = isNumber && own.label === undefined ? line('high', [...notes].reverse()) : [];
  const truth = data.truth(column);
  const best = data.best();
  return {
    dots,
    mean: mean.length > 0 ? `M${mean.join('L')}` : '',
    band: low.length > 1 && high.length > 1 ? `M${[...low, ...high].join('L')}Z` : '',
    truth: Number.isNaN(truth) ? undefined : y(truth),
    best: best < 0 || Number.isNaN(values[best]!) ? undefined : [x(data.rows[best]!.seq), y(values[best]!)],
  };
}
