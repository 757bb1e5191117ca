/** What the latest models predict, for those who watch: a model is gone when its evaluation has ended. */
import type { EncodedStrip } from '../pictures.ts';

export interface Prediction {
  readonly step: string;
  /** Pictures, or why there are none. */
  readonly shown: readonly EncodedStrip[] | string;
}

interface Watched {
  askedAt: number;
  claimedAt: number;
  latest: Prediction | undefined;
}

/** Who has asked this long ago has left. */
const ASKED_MS = 30_000;
/** An evaluation shows its predictions at most this often: pictures take time, too. */
const EVERY_MS = 10_000;
/** The most runs whose predictions are kept. */
const MOST = 32;

export class RecentPredictions {
  private readonly runs = new Map<string, Watched>();

  /** @param now in milliseconds, on any clock that does not go back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The latest of a run; from now on for a while, its evaluations show some. */
  ask(run: string): Prediction | undefined {
    const watched = this.runs.get(run) ?? { askedAt: 0, claimedAt: -Infinity, latest: undefined };
    watched.askedAt = this.now();
    this.runs.delete(run);
    this.runs.set(run, watched); // the last one is the one that was asked for last
    for (const [oldest] of this.runs) if (this.runs.size > MOST) this.runs.delete(oldest);
    return watched.latest;
  }

  /** Whether an evaluation that begins now is to show what its model predicts. */
  claim(run: string): boolean {
    const watched = this.runs.get(run);
    const now = this.now();
    if (!watched || now - watched.askedAt > ASKED_MS || now - watched.claimedAt < EVERY_MS) return false;
    watched.claimedAt = now;
    return true;
  }

  keep(run: string, latest: Prediction): void {
    const watched = this.runs.get(run);
    if (watched) watched.latest = latest;
  }
}
