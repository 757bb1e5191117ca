/**
 * A set that is drawn or read when it is first asked for.
 *
 * @param signal breaks that off: the promise rejects with the signal's reason, and the next caller begins anew
 */
export type SampleSet<Sample> = (signal?: AbortSignal) => Promise<readonly Sample[]>;

/**
 * What a score is taken on: two sets that never mix.
 *
 * The search sees `validation` alone. `test` is asked for explicitly, counted, and reported.
 */
export interface Target<Sample> {
  readonly name: string;
  readonly validation: SampleSet<Sample>;
  readonly test: SampleSet<Sample>;
  /** Further sets that only a report sees, by name; their scores come as `<name>.<metric>`. */
  readonly alsoTest?: Readonly<Record<string, SampleSet<Sample>>>;
  /**
   * A hash of the files that the sets are read from, where they are: part of the environment's identity. It stays the
   * same for as long as the target lives.
   */
  content?(): string;
}
