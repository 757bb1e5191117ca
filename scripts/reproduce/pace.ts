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
  private readonly began = performance.now();
  private readonly timer = setInterval(() => this.say(), REPORT_EVERY_MS);
  /** Evaluations that were there when the first report came: they took no time now. */
  private first: number | undefined;

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
    this.first ??= sum;
    const pace = (sum - this.first) / ((performance.now() - this.began) / 1000);
    const left = pace > 0 ? `${duration((this.total - sum) / pace)} left` : '';
    console.log(`${this.what}: evaluations ${sum}/${this.total}  ${pace.toFixed(1)}/s  ${left}`);
  }
}
