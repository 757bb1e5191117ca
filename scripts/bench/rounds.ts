/** Contenders that run in turn, round after round, each in its own process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The Python that measures peers where no other is asked for. */
export const DEFAULT_PYTHON = 'python3';

/** Measures once and returns the rate per second. */
export type Contender = () => Promise<number>;

/** Runs a program that prints its rate as the last line. */
export async function rateOf(command: string, args: readonly string[], timeoutMs: number): Promise<number> {
  const [rate] = await figuresOf(command, args, timeoutMs);
  return rate!;
}

/**
 * The numbers in the last line that a program prints: its rate, and other measurements.
 *
 * @throws {Error} when the program fails, or its last line is not positive numbers
 */
export async function figuresOf(command: string, args: readonly string[], timeoutMs: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: timeoutMs }).catch((error: unknown) => {
    throw new Error(`${command}: ${lastWords(error)}`, { cause: error });
  });
  const figures = stdout.trim().split('\n').at(-1)!.split(' ').map(Number);
  if (!figures.every((figure) => figure > 0))
    throw new Error(`${args.join(' ')}: expected a rate as the last line, got "${stdout}"`);
  return figures;
}

/**
 * Says that a peer cannot be measured.
 *
 * @param python the Python that was to run it
 * @throws {Error} when this Python was asked for: only the default one may lack it
 */
export function absent(peer: string, python: string, error: unknown): void {
  if (python !== DEFAULT_PYTHON) throw new Error(`--python: expected one that runs ${peer}, got ${lastWords(error)}`);
  console.log(`${peer}: absent (${lastWords(error)})`);
}

/** The last line of a failed program's error output. */
export function lastWords(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n').at(-1)!;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of each contender over the rounds. */
export async function medians(
  contenders: ReadonlyMap<string, Contender>,
  rounds: number,
  unit: string,
): Promise<Map<string, number>> {
  const rates = new Map([...contenders.keys()].map((name) => [name, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of contenders) {
      const value = await measure();
      rates.get(name)!.push(value);
      console.log(`round ${round} of ${rounds}: ${name} ${value.toFixed(0)} ${unit}`);
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)]));
}

/** Seconds of CPU time of this process, and seconds of the clock: what a GPU does takes no CPU time. */
export const CLOCKS = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  wall: () => performance.now() / 1000,
};

/** How often a second is enough for the work, after a tenth of the time to warm up. */
export async function perSecond(
  work: () => void | Promise<void>,
  seconds: number,
  now: () => number = CLOCKS.cpu,
): Promise<number> {
  const measure = async (length: number) => {
    const start = now();
    for (let count = 0; ;) {
      await work();
      count++;
      const used = now() - start;
      if (used >= length) return count / used;
    }
  };
  await measure(seconds / 10);
  return measure(seconds);
}
