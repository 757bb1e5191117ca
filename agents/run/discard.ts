/**
 * Early discarding: an evaluation that does worse on its way than most before it did at the same point is cancelled
 * (the median stopping rule: Golovin et al. 2017, "Google Vizier", section 3.2.2).
 *
 * It is compared with evaluations of earlier iterations alone, which have all ended. So what is discarded depends on
 * no clock and no number of workers, and a run that goes on from its log decides as if it had never stopped.
 */
import { median } from 'mathjs';
import type { Progress } from '../../protocol/messages.ts';
import type { EarlyScore, EvaluationRecord } from './trial-log.ts';

/** How many of the latest evaluations an evaluation is compared with: a search moves, and its median with it. */
const RECENT = 16;
/** With fewer than this nothing is discarded. */
const LEAST = 8;

/** Of an evaluation that has ended, what the rule needs. */
export type Past = Pick<EvaluationRecord, 'outcome' | 'reward' | 'early'>;

/**
 * Whether a score lies below the median of those of the latest evaluations after the same share of the training.
 *
 * One that was discarded before that counts as lower than every other: so no more than about half are discarded, however
 * many points there are at which they may be.
 */
export function isWeak({ fraction, score }: EarlyScore, past: readonly Past[]): boolean {
  const scores = past.slice(-RECENT).flatMap(({ outcome, early = [] }) => {
    const same = early.find((other) => other.fraction === fraction);
    return same ? [same.score] : outcome === 'discarded' ? [-Infinity] : [];
  });
  return scores.length >= LEAST && score / 2 < median(scores.map((other) => other / 2)); // no sum of two overflows
}

/**
 * The reward that a discarded evaluation would have had, had it gained from here to the end what those at its side did,
 * in the median.
 */
export function estimateReward({ fraction, score }: EarlyScore, past: readonly Past[]): number {
  const gains = past.slice(-RECENT).flatMap(({ reward, early = [] }) => {
    const same = early.find((other) => other.fraction === fraction);
    return same && reward !== null ? [reward / 8 - same.score / 8] : []; // eighths: no sum and no difference overflows
  });
  const estimate = 8 * (score / 8 + (gains.length > 0 ? median(gains) : 0));
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, estimate));
}

/** Listens to the progress of one evaluation, and aborts it once it is weak. */
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

  /** What the log says of the evaluation, whatever its result says: undefined where it was not discarded. */
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
