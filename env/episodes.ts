import { deriveSeed, type Seed } from '../protocol/random.ts';

/** The state of a stream: all that must be stored to continue it. */
export interface EpisodeState {
  readonly seed: Seed;
  /** The number of episodes that have begun. */
  readonly count: number;
  /** Whether `reset` has begun an episode that has had no step yet. */
  readonly begun: boolean;
}

/**
 * The stream of one-step episodes of an environment: which seed comes next, and whether a step is allowed.
 *
 * There are two ways to step. They share the count of episodes and nothing else:
 * - Gymnasium's: `reset`, one step, `reset`, …;
 * - whole episodes (steps with `reset: true`), any number at the same time, for optimisers.
 *
 * Episode n of a stream (n = 0, 1, …, in the order in which steps begin) has the seed `deriveSeed(seed, 'episode', n)`.
 */
export class EpisodeStream {
  private count: number;
  private begun: boolean;
  private streamSeed: Seed;

  /** @param state a seed for a new stream, or the `state` of a stream to continue */
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

  /** Begins an episode; a seed starts a new stream. */
  reset(seed?: Seed): void {
    this.begun = true;
    if (seed === undefined) return;
    this.streamSeed = seed;
    this.count = 0;
  }

  /** True when the step may begin: it brings its own reset, or `reset` has begun an episode. */
  allows(step: { readonly reset?: boolean | undefined }): boolean {
    return step.reset === true || this.begun;
  }

  /** Begins a step; returns its seed. */
  begin(step: { readonly reset?: boolean | undefined; readonly seed?: Seed | undefined }): Seed {
    if (step.reset !== true) this.begun = false;
    const derived = deriveSeed(this.streamSeed, 'episode', this.count++);
    return step.seed ?? derived;
  }
}
