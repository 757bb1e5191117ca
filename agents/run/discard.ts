/**
 * Early discarding: an evaluation is cancelled if its score during training is lower than most earlier ones had at the
 * same point (the median stopping rule: Golovin et al. 2017, "Google Vizier", section 3.2.2).
 *
 * It is compared only with evaluations of earlier iterations, which have all ended. So the decision depends on no clock
 * and no number of workers, and a run that continues from its log decides as if it had never stopped.
 */
import { median } from 'mathjs';
import type { Progress } from '../../protocol/messages.ts';
import type { EarlyScore, EvaluationRecord } from './trial-log.ts';

/** The number of latest evaluations that an evaluation is compared with: a search moves, and its median with it. */
const RECENT = 16;
/** With fewer evaluations to compare with, nothing is discarded. */
const LEAST = 8;

/** The fields of an ended evaluation that the rule needs. */
export type Past = Pick<EvaluationRecord, 'outcome' | 'reward' | 'early'>;

/**
 * Whether a score lies below the median of the latest evaluations' scores after the same share of the training.
 *
 * An evaluation that was discarded earlier in its training counts as the lowest. So at most about half are discarded,
 * however many points of comparison there are.
 */
export function isWeak({ fraction, score }: EarlyScore, past: readonly Past[]): boolean {
  const scores = past.slice(-RECENT).flatMap(({ outcome, early = [] }) => {
    const same = early.find((other) => other.fraction === fraction);
    return same ? [same.score] : outcome === 'discarded' ? [-Infinity] : [];
  });
  return scores.length >= LEAST && score / 2 < median(scores.map((other) => other / 2)); // no sum of two overflows
}

/**
 * An estimate of the reward that a discarded evaluation would have had: its score, plus the median gain of the latest
 * evaluations from the same point to their end.
 */
export function estimateReward({ fraction, score }: EarlyScore, past: readonly Past[]): number {
  const gains = past.slice(-RECENT).flatMap(({ reward, early = [] }) => {
    const same = early.find((other) => other.fraction === fraction);
    return same && reward !== null ? [reward / 8 - same.score / 8] : []; // eighths: no sum and no difference overflows
  });
  const estimate = 8 * (score / 8 + (gains.length > 0 ? median(gains) : 0));
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, estimate));
}

/** Watches the progress of one evaluation, and aborts it when it is weak. */
export class Watch {
  readonly scores: EarlyScore[] = [];
  private readonly abort = new AbortController();

  constructor(
    private readonly metric: string,
    private readonly past: readonly Past[],
  ) {}

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  readonly onProgress = ({ fraction, metrics }: Pick<Progress, 'fraction' | 'metrics'>): void => {
    const score = metrics?.[this.metric];
    if (score === undefined || this.signal.aborted) return;
    if (this.scores.some((known) => known.fraction === fraction)) return; // evaluated again, after a crash
    this.scores.push({ fraction, score });
    if (isWeak({ fraction, score }, this.past)) this.abort.abort();
  };

  /** The fields that override the result in the log if the evaluation was discarded; undefined if it was not. */
  verdict(): Pick<EvaluationRecord, 'outcome' | 'reward' | 'scores' | 'estimate' | 'work' | 'reason'> | undefined {
    if (!this.signal.aborted) return undefined;
    const last = this.scores.at(-1)!;
    const share = `${(100 * last.fraction).toFixed(0)} %`;
    return {
      outcome: 'discarded',
      reward: null,
      scores: {},
      estimate: estimateReward(last, this.past),
      work: last.fraction,
      reason: `${last.score.toFixed(4)} after ${share} of the training, below the median`,
    };
  }
}
