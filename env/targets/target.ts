import type { Theta } from '../../protocol/parameters.ts';

/**
 * A set of samples that is drawn or read at the first call. Every call gives the same samples.
 *
 * @param signal aborts the drawing: the promise rejects with the signal's reason, and the next call starts again. A set
 *   that reads files may ignore it
 */
export type SampleSet<Sample> = (signal?: AbortSignal) => Promise<readonly Sample[]>;

/**
 * The samples that a model is scored on: two sets that never mix.
 *
 * The reward comes from `validation`. `test` is scored on request: requests are counted, its scores are only reported.
 */
export interface Target<Sample> {
  readonly name: string;
  readonly validation: SampleSet<Sample>;
  readonly test: SampleSet<Sample>;
  /** Further test sets by name; their scores are named `<name>.<metric>`. A set without samples has none. */
  readonly alsoTest?: Readonly<Record<string, SampleSet<Sample>>>;
  /** The θ that the sets are drawn from, where there is one. A server shows it only if it was told to (`--reveal`). */
  readonly truth?: Theta;
  /**
   * A hash of the files that the sets are read from, where they are: part of the environment's identity. It stays the
   * same for as long as the target lives.
   */
  content?(): string;
}
