import type { EvaluationRecord } from './trial-log.ts';

/** The number of lines that a file gets of much work, after the first few. */
const LINES = 100;
const FIRST_LINES = 10;
/** After this time without a line, the next one is shown in any case. */
const SILENCE_MS = 10_000;

/**
 * Which of many lines of progress are shown: on a terminal, where they scroll by, all; in a file, the first few, one for each
 * hundredth of the work, and one after ten seconds without.
 */
export class SparseLines {
  private shown = 0;
  private shownAt = performance.now();

  /** @param all whether to show every line, whatever the output is */
  constructor(
    private readonly total: number,
    private readonly all = process.stdout.isTTY,
  ) {}

  /** Whether the line after this amount of work is shown. */
  isDue(done: number): boolean {
    const now = performance.now();
    const isDue =
      this.all ||
      this.total <= LINES ||
      done <= FIRST_LINES ||
      done - this.shown >= this.total / LINES ||
      done >= this.total ||
      now - this.shownAt > SILENCE_MS;
    if (isDue) [this.shown, this.shownAt] = [done, now];
    return isDue;
  }
}

/** Prints lines for the evaluations of a search, with the best so far, the pace, and the time left. */
export class ProgressLines {
  private readonly lines: SparseLines;
  /** The number of evaluations; a discarded one counts by its share of the training. */
  private done = 0;
  private paid = 0;
  private best = -Infinity;
  private readonly started = performance.now();

  constructor(
    private readonly metric: string,
    private readonly total: number,
  ) {
    this.lines = new SparseLines(total);
  }

  /** @param past whether the record comes from the log of an earlier part of the run: it does not count for the pace */
  show(record: EvaluationRecord, past: boolean): void {
    const { work = 1 } = record;
    this.done += work;
    if (record.reward !== null) this.best = Math.max(this.best, record.reward);
    if (past) return;
    this.paid += work;
    if (!this.lines.isDue(this.done)) return;
    const minutes = (performance.now() - this.started) / 60_000;
    const pace = this.paid / minutes;
    const count = `[${String(Math.floor(this.done)).padStart(String(this.total).length)}/${this.total}]`;
    const reward =
      record.reward === null
        ? `${record.outcome}${record.reason ? ` (${record.reason})` : ''}`
        : record.reward.toFixed(4);
    const best = Number.isFinite(this.best) ? this.best.toFixed(4) : '–';
    const left = duration(((this.total - this.done) / pace) * 60);
    console.log(`${count} ${this.metric} ${reward}  best ${best}  ${pace.toFixed(1)}/min  ${left} left`);
  }
}

/** Seconds as `m:ss`. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
