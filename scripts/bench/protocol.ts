/** Measures how many steps a second our server does, journal on, beside OpenEnv's server of the same kind. */
import { fileURLToPath } from 'node:url';
import { lastWords, medians, rateOf } from './rounds.ts';

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

function measure(command: string, [program, ...args]: readonly string[], seconds: number): Promise<number> {
  const path = fileURLToPath(new URL(program!, import.meta.url));
  const loader = program!.endsWith('.ts') ? process.execArgv : [];
  return rateOf(command, [...loader, path, ...args, String(seconds)], (seconds + 60) * 1000);
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
    console.log(`${OPENENV}: absent (${lastWords(error)})`);
  }
  const rates = await medians(contenders, rounds, 'steps/s');
  const peer = rates.get(OPENENV);
  console.log(`\nmedians of ${rounds} rounds; one connection, journal on, an environment that does nothing`);
  for (const [name, value] of rates) {
    const ratio = peer !== undefined && name.startsWith('ours') ? `   ${(value / peer).toFixed(1)} × OpenEnv` : '';
    console.log(`${name.padEnd(46)} ${value.toFixed(0).padStart(6)} steps/s${ratio}`);
  }
  if (json) {
    console.log(JSON.stringify(Object.fromEntries([...rates].map(([name, value]) => [name, Math.round(value)]))));
  }
}
