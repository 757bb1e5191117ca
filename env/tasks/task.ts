import type { Seed } from '../../protocol/random.ts';
import type { Strip } from '../pictures.ts';
import type { SampleSet } from '../targets/target.ts';

/** The scores of a trained model on a set, by metric name. */
export type Scores = Readonly<Record<string, number>>;

/** One of the numbers that a task scores by, between `low` and `high`. */
export interface Metric {
  readonly name: string;
  readonly meaning: string;
  readonly low: number;
  readonly high: number;
}

/**
 * Called while a model is trained, after each step where that is cheap. The training waits until it has returned.
 *
 * An error that it throws ends the training.
 */
export type TrainingProgress<Sample = unknown> = (progress: {
  /** Share of the training that is done, 0 to 1. */
  readonly fraction: number;
  /** Mean training loss of the present epoch. */
  readonly loss?: number;
  /**
   * Makes a model of the present weights, to be used before this call returns. The caller disposes of it. It uses no
   * randomness, so the training goes on as if nobody had asked. Left out by tasks that have no unfinished model.
   */
  readonly model?: () => TrainedModel<Sample>;
  /** Further numbers of the training, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Scores of the unfinished model, of a task that takes them itself. */
  readonly scores?: Scores;
}) => void | Promise<void>;

/** What a model will be scored on, for tasks that train and score in one go. */
export interface Scoring<Sample> {
  readonly validation: SampleSet<Sample>;
  /** Where it will be scored too. */
  readonly test?: SampleSet<Sample>;
  /** Whether scores of the unfinished model are wanted. */
  readonly early: boolean;
  /** Ends the training when it is aborted; the error of `report` does so too. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The main task: samples → trained model → scores. The lower problem of the paper (eq. 1b).
 */
export interface Task<Sample> {
  readonly name: string;
  /** Part of the environment's version: raise it when the same samples and seeds give another score. */
  readonly version?: number;
  /** What a model is scored by, in the order of the observation vector. */
  readonly metrics: readonly Metric[];
  /** The metric that is the reward; it is maximised. */
  readonly reward: string;
  /** A hash of the weights that every training starts from, where they come from a file. */
  readonly weights?: string;
  /**
   * Trains a model, from scratch or from pretrained weights, as the task's options say.
   *
   * Deterministic: the same samples and seeds give the same model on the same backend.
   *
   * @param scoring for a task that can score only where it trains; the others need not know
   * @throws what `report` throws
   */
  train(
    samples: readonly Sample[],
    seeds: { readonly initialisation: Seed; readonly order: Seed },
    report: TrainingProgress<Sample>,
    scoring?: Scoring<Sample>,
  ): Promise<TrainedModel<Sample>>;
}

/** A trained model; `dispose` frees what it holds. */
export interface TrainedModel<Sample> {
  /**
   * One score for each of the task's metrics; a diverged model scores NaN.
   *
   * @throws {RangeError} when the set has nothing to score, such as no car at all
   */
  score(samples: readonly Sample[]): Promise<Scores>;
  /** What it predicts for these samples, as pictures beside the truth; left out where that cannot be shown. */
  pictures?(samples: readonly Sample[]): Promise<readonly Strip[]>;
  /** The trained weights, flat, where another training can start from them. */
  readonly weights?: Float32Array;
  dispose(): void;
}
