/** Measures how many steps a second our server does, journal on, beside OpenEnv's server of the same kind. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface ProtocolBenchOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  /** How often everything is measured; medians are compared. */
  readonly rounds: number;
  /** Python that has openenv-core. */
  readonly python: string;
  readonly json?: boolean;
}

const OPENENV = 'OpenEnv, sequential';

const OURS: Readonly<Record<string, string[]>> = {
  'ours, sequential, in a worker process': ['protocol-ours.ts', 'sequential', '1'],
  'ours, sequential, in the server’s process': ['protocol-ours.ts', 'sequential', '0'],
  'ours, batches of 64, in a worker process': ['protocol-ours.ts', 'batch', '1'],
  'ours, batches of 64, in the server’s process': ['protocol-ours.ts', 'batch', '0'],
  'bare ws + msgpackr echo': ['protocol-echo.ts'],
};

async function measure(command: string, [program, ...args]: readonly string[], seconds: number): Promise<number> {
  const path = fileURLToPath(new URL(program!, import.meta.url));
  const loader = program!.endsWith('.ts') ? process.execArgv : [];
  const all = [...loader, path, ...args, String(seconds)];
  const { stdout } = await promisify(execFile)(command, all, { timeout: (seconds + 60) * 1000 });
  const value = Number(stdout.trim().split('\n').at(-1));
  if (!(value > 0)) throw new Error(`${program}: expected steps a second, got "${stdout}"`);
  return value;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Measures all in turn, round after round, and prints medians and their ratios. */
export async function benchProtocol({ seconds, rounds, python, json }: ProtocolBenchOptions): Promise<void> {
  const contenders = new Map(
    Object.entries(OURS).map(([name, args]) => [name, () => measure(process.execPath, args, seconds)]),
  );
  const openEnv = (length: number) => measure(python, ['peers/protocol_openenv.py'], length);
  try {
    await openEnv(0.1);
    contenders.set(OPENENV, () => openEnv(seconds));
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    console.log(`${OPENENV}: absent (${(stderr?.trim() || message).split('\n').at(-1)})`);
  }
  const rates = new Map([...contenders.keys()].map((name) => [name, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, run] of contenders) {
      const value = await run();
      rates.get(name)!.push(value);
      console.log(`round ${round} of ${rounds}: ${name} ${value.toFixed(0)} steps/s`);
    }
  }
  const medians = new Map([...rates].map(([name, values]) => [name, median(values)]));
  const peer = medians.get(OPENENV);
  console.log(`\nmedians of ${rounds} rounds; one connection, journal on, an environment that does nothing`);
  for (const [name, value] of medians) {
    const ratio = peer !== undefined && name.startsWith('ours') ? `   ${(value / peer).toFixed(1)} × OpenEnv` : '';
    console.log(`${name.padEnd(46)} ${value.toFixed(0).padStart(6)} steps/s${ratio}`);
  }
  if (json) {
    console.log(JSON.stringify(Object.fromEntries([...medians].map(([name, value]) => [name, Math.round(value)]))));
  }
}
