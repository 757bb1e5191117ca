/**
 * What a score is taken on: two sets that never mix.
 *
 * The search sees `validation` alone. `test` is asked for explicitly, counted, and reported.
 */
export interface Target<Sample> {
  readonly name: string;
  validation(): Promise<readonly Sample[]>;
  test(): Promise<readonly Sample[]>;
  /** Further sets that only a report sees, by name; their scores come as `<name>.<metric>`. */
  readonly alsoTest?: Readonly<Record<string, () => Promise<readonly Sample[]>>>;
}
