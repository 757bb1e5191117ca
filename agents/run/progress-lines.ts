import { printable } from '../../protocol/errors.ts';
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

/** Prints lines for the evaluations of a search, with the best so far, the pace, and the time left of the whole run. */
export class ProgressLines {
  private readonly lines: SparseLines;
  /** The number of evaluations; a discarded one counts by its share of the training. */
  private done = 0;
  private best = -Infinity;
  /** What follows the search, as the number of its evaluations that would take as long. */
  private readonly later: number;

  /**
   * @param atOnce  the number of evaluations that run at once
   * @param batches the number of evaluations in each batch after the search; one begins when the one before has ended
   */
  constructor(
    private readonly metric: string,
    private readonly total: number,
    atOnce: number,
    batches: readonly number[] = [],
    private readonly pace = new SearchPace(atOnce),
  ) {
    this.lines = new SparseLines(total);
    const places = Math.max(1, atOnce);
    this.later = batches.reduce((sum, size) => sum + Math.ceil(size / places) * places, 0); // places stay empty at its end
  }

  /** @param past whether the record comes from the log of an earlier part of the run: it does not count for the pace */
  show(record: EvaluationRecord, past: boolean): void {
    const { work = 1 } = record;
    this.done += work;
    if (record.reward !== null) this.best = Math.max(this.best, record.reward);
    if (past) return;
    this.pace.add(work, evaluationSeconds(record));
    if (!this.lines.isDue(this.done)) return;
    const pace = 60 * this.pace.perSecond();
    const count = `[${String(Math.floor(this.done)).padStart(String(this.total).length)}/${this.total}]`;
    const reward =
      record.reward === null
        ? `${record.outcome}${record.reason ? ` (${printable(record.reason)})` : ''}`
        : record.reward.toFixed(4);
    const best = Number.isFinite(this.best) ? this.best.toFixed(4) : '–';
    const left = duration(((Math.max(0, this.total - this.done) + this.later) / pace) * 60);
    console.log(`${count} ${this.metric} ${reward}  best ${best}  ${pace.toFixed(1)}/min  ${left} left`);
  }
}

/** How fast evaluations end. */
export class SearchPace {
  private readonly started: number;
  private done = 0;
  private seconds = 0;

  constructor(
    private readonly atOnce: number,
    private readonly now = () => performance.now() / 1000,
  ) {
    this.started = now();
  }

  /** @param work of an evaluation: 1, or less if it was discarded. @param seconds that it took */
  add(work: number, seconds: number): void {
    this.done += work;
    this.seconds += seconds;
  }

  /**
   * While the first ones end, those beside them are nearly done and count for nothing: then it is what evaluations take,
   * several at once. Later, it is measured from the start.
   */
  perSecond(): number {
    const measured = this.done / (this.now() - this.started);
    if (this.done >= 2 * this.atOnce || this.seconds === 0) return measured;
    return Math.max(measured, (this.atOnce * this.done) / this.seconds);
  }
}

/** The time that an evaluation took, without its time in the queue. */
function evaluationSeconds({ timing }: EvaluationRecord): number {
  const phases = ['simulate_ms', 'train_ms', 'validate_ms'];
  return phases.reduce((sum, phase) => sum + (timing[phase] ?? 0), 0) / 1000;
}

/** Seconds as `m:ss`. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
