/** Says every few seconds how far evaluations are that take hours, with their pace and the time left. */
const REPORT_EVERY_MS = 10_000;

/** Seconds as `h:mm:ss`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export class Pace {
  private readonly done = new Map<unknown, number>();
  private readonly timer = setInterval(() => this.say(), REPORT_EVERY_MS);
  /** When the first report came, and the evaluations that were there by then: most of them may be of an earlier run. */
  private first: { readonly at: number; readonly sum: number } | undefined;

  /** @param total evaluations of all parts, such as all searches */
  constructor(
    private readonly what: string,
    private readonly total: number,
  ) {}

  /** How many evaluations of a part are done. */
  reached(part: unknown, evaluations: number): void {
    this.done.set(part, evaluations);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private say(): void {
    const sum = [...this.done.values()].reduce((a, b) => a + b, 0);
    const at = performance.now();
    this.first ??= { at, sum };
    const pace = (sum - this.first.sum) / ((at - this.first.at) / 1000);
    const speed = pace > 0 ? `  ${pace.toPrecision(2)}/s  ${duration((this.total - sum) / pace)} left` : '';
    console.log(`${this.what}: evaluations ${sum}/${this.total}${speed}`);
  }
}
