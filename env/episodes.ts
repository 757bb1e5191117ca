import { deriveSeed, type Seed } from '../protocol/random.ts';

/** All of a stream that has to be kept. */
export interface EpisodeState {
  readonly seed: Seed;
  /** How many episodes have begun. */
  readonly count: number;
  /** Whether `reset` has begun one that has not been stepped. */
  readonly begun: boolean;
}

/**
 * The stream of one-step episodes of an environment: which seed comes next, and whether a step is allowed.
 *
 * Two ways to step, and they do not touch each other's state but for the count of episodes:
 * - Gymnasium's: `reset`, one step, `reset`, …;
 * - whole episodes at once, any number under way, for optimisers.
 *
 * Episode n of a stream (n = 0, 1, …, in the order in which steps begin) has the seed `deriveSeed(seed, 'episode', n)`.
 */
export class EpisodeStream {
  private count: number;
  private begun: boolean;
  private streamSeed: Seed;

  /** @param state a seed for a new stream, or the `state` of one to go on with */
  constructor(state: Seed | EpisodeState) {
    const { seed, count, begun } = typeof state === 'number' ? { seed: state, count: 0, begun: false } : state;
    this.streamSeed = seed;
    this.count = count;
    this.begun = begun;
  }

  get state(): EpisodeState {
    return { seed: this.streamSeed, count: this.count, begun: this.begun };
  }

  get seed(): Seed {
    return this.streamSeed;
  }

  /** Begins an episode; a seed starts the stream anew. */
  reset(seed?: Seed): void {
    this.begun = true;
    if (seed === undefined) return;
    this.streamSeed = seed;
    this.count = 0;
  }

  /** True when the step may begin: it brings its own reset, or an episode was begun. */
  allows(step: { readonly reset?: boolean | undefined }): boolean {
    return step.reset === true || this.begun;
  }

  /** The seed of the step that begins now. */
  begin(step: { readonly reset?: boolean | undefined; readonly seed?: Seed | undefined }): Seed {
    if (step.reset !== true) this.begun = false;
    const derived = deriveSeed(this.streamSeed, 'episode', this.count++);
    return step.seed ?? derived;
  }
}
