import type { Seed } from '../../protocol/random.ts';

/** What a trained model scored on a set, by metric name. */
export type Scores = Readonly<Record<string, number>>;

export interface Metric {
  readonly name: string;
  readonly meaning: string;
  readonly low: number;
  readonly high: number;
}

/**
 * Told while a model is trained, after each step where that is cheap; training goes on when it has returned.
 *
 * It may throw, which breaks the training off.
 */
export type TrainingProgress<Sample = unknown> = (progress: {
  /** Share of the training that is done, 0 to 1. */
  readonly fraction: number;
  /** Mean training loss of the epoch so far. */
  readonly loss?: number;
  /**
   * The model as it is now, for who asks, and until this returns; who asks disposes of it. It uses no randomness, and
   * the training goes on as if nobody had asked. Left out where a task has no such thing.
   */
  readonly model?: () => TrainedModel<Sample>;
}) => void | Promise<void>;

/**
 * The main task: samples → trained model → scores. The lower problem of the paper (eq. 1b).
 */
export interface Task<Sample> {
  readonly name: string;
  /** Part of the environment's version: raise it when the same samples and seeds give another score. */
  readonly version?: number;
  /** What a score consists of, in the order of the observation vector. */
  readonly metrics: readonly Metric[];
  /** The metric that is the reward; it is maximised. */
  readonly reward: string;
  /**
   * Trains a model, from scratch or from pretrained weights, as the task's options say.
   *
   * Deterministic: the same samples and seeds give the same model on the same backend.
   */
  train(
    samples: readonly Sample[],
    seeds: { readonly initialisation: Seed; readonly order: Seed },
    report: TrainingProgress<Sample>,
  ): Promise<TrainedModel<Sample>>;
}

/** A trained model; `dispose` frees what it holds. */
export interface TrainedModel<Sample> {
  /** One score for each of the task's metrics; a diverged model scores NaN. */
  score(samples: readonly Sample[]): Promise<Scores>;
  /** What the training ended with, flat, where another training can start from it. */
  readonly weights?: Float32Array;
  dispose(): void;
}
