/** The policy of a search as θ: its mean, and one standard deviation beside it. */
import { actionToTheta, type Parameter } from '../../../protocol/parameters.ts';
import { flatTheta, type Column } from './analysis/columns.ts';
import type { PolicyNote } from './answers.ts';

/** What a client has told about an iteration: actions of D numbers, as far as it is right. */
interface ToldPolicy {
  readonly number: number;
  readonly evaluations: number;
  readonly mean: unknown;
  readonly spread: unknown;
}

const isAction = (value: unknown, size: number): value is number[] =>
  Array.isArray(value) && value.length === size && value.every((each) => typeof each === 'number');

export function policyNote(
  { number, evaluations, mean, spread }: ToldPolicy,
  columns: readonly Column[],
  parameters: readonly Parameter[] | undefined,
): PolicyNote {
  const size = parameters?.at(-1)?.slice[1] ?? 0;
  if (!parameters || !isAction(mean, size)) return { number, evaluations };
  const sd = typeof spread === 'number' ? new Array<number>(size).fill(spread) : spread;
  const decoded = (shift: number) => {
    const shifted = mean.map((each, i) => each + shift * (isAction(sd, size) ? sd[i]! : 0));
    const clipped = shifted.map((each) => Math.min(1, Math.max(-1, each)));
    return flatTheta(columns, actionToTheta(parameters, clipped));
  };
  const around = isAction(sd, size) && { low: decoded(-1), high: decoded(1) };
  return { number, evaluations, mean: decoded(0), ...around };
}
