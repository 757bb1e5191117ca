/** θ as a row of values: a column for each parameter, and for each label of a simplex. */
import type { NamedTheta, ShownParameter, ThetaValue } from '../answers.ts';

export interface Column {
  /** `fog`, or `weather.rain`. */
  readonly name: string;
  readonly parameter: ShownParameter;
  /** The position of the label in a simplex. */
  readonly label?: number;
  /** What the values lie between; undefined where nothing says so, and for choices. */
  readonly range?: readonly [low: number, high: number];
  readonly log: boolean;
  /** The values of a parameter that is no number, in their order. */
  readonly choices?: readonly string[];
  readonly unit: string;
}

export function columnsOf(parameters: readonly ShownParameter[]): Column[] {
  return parameters.flatMap((parameter): Column[] => {
    const { name, kind, low, high, labels, choices, scale, unit = '' } = parameter;
    if (labels) {
      return labels.map((each, label) => ({
        ...{ name: `${name}.${each}`, parameter, label, range: [0, 1], log: false, unit: 'probability' },
      }));
    }
    if (kind === 'boolean') return [{ name, parameter, log: false, choices: ['false', 'true'], unit: '' }];
    if (choices) return [{ name, parameter, log: false, choices, unit: '' }];
    const bounds = typeof low === 'number' && typeof high === 'number' ? { range: [low, high] as const } : {};
    return [{ name, parameter, log: scale === 'log', unit: unit === '1' ? '' : unit, ...bounds }];
  });
}

/** Six digits are more than a picture shows, and a third of what a number may take. */
const rounded = (value: ThetaValue) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);

/** @returns θ in the order of the columns; a value that it lacks is NaN, which JSON writes as null */
export function flatTheta(columns: readonly Column[], theta: NamedTheta): ThetaValue[] {
  return columns.map(({ parameter, label }) => {
    const value = Object.hasOwn(theta, parameter.name) ? theta[parameter.name] : undefined;
    const own = label === undefined || !Array.isArray(value) ? value : (value as number[])[label];
    return typeof own === 'object' || own === undefined ? NaN : rounded(own);
  });
}

/** The inverse of {@link flatTheta}. */
export function namedTheta(columns: readonly Column[], flat: readonly ThetaValue[]): NamedTheta {
  const theta: Record<string, ThetaValue | number[]> = {};
  columns.forEach(({ parameter, label }, i) => {
    if (label === undefined) theta[parameter.name] = flat[i]!;
    else ((theta[parameter.name] ??= []) as number[])[label] = flat[i] as number;
  });
  return theta;
}

/** The parameters of a θ of which nothing is known but itself. */
export function parametersOf(theta: NamedTheta): ShownParameter[] {
  return Object.entries(theta).map(([name, value]) => {
    if (Array.isArray(value)) return { name, meaning: '', kind: 'simplex', labels: value.map((_, i) => String(i)) };
    if (typeof value === 'boolean') return { name, meaning: '', kind: 'boolean' };
    return { name, meaning: '', kind: typeof value === 'number' ? 'continuous' : 'categorical' };
  });
}

/** The value of a column as a number: its own, or the position of a choice; NaN where it is neither. */
export function numberOf({ choices }: Column, value: ThetaValue | undefined | null): number {
  if (choices) {
    const position = choices.indexOf(String(value));
    return position < 0 ? NaN : position;
  }
  return typeof value === 'number' ? value : NaN;
}

/** Where a value lies in the range of its column, on its scale, from 0 to 1. @param range where the column has none */
export function shareOf(column: Column, value: number, range: readonly [number, number]): number {
  const [low, high] = range;
  if (column.log && low > 0) return Math.log(value / low) / Math.log(high / low);
  return high > low ? (value - low) / (high - low) : 0.5;
}

/** The range of a column: its own, of its choices, or that of the values. */
export function rangeOf(column: Column, values: Iterable<number>): [low: number, high: number] {
  if (column.choices) return [0, column.choices.length - 1];
  if (column.range) return [...column.range];
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}
