/** Compares the steps per second of our server, with its journal, and of OpenEnv's server. */
import { fileURLToPath } from 'node:url';
import { absent, figuresOf, median, medians } from './rounds.ts';

export interface ProtocolBenchOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  /** The number of measurements of each; medians are compared. */
  readonly rounds: number;
  /** A Python that has openenv-core. */
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

function measure(command: string, [program, ...args]: readonly string[], seconds: number): Promise<number[]> {
  const path = fileURLToPath(new URL(program!, import.meta.url));
  const loader = program!.endsWith('.ts') ? process.execArgv : [];
  return figuresOf(command, [...loader, path, ...args, String(seconds)], (seconds + 60) * 1000);
}

/** Measures all contenders in turn, round after round, and prints medians and ratios. */
export async function benchProtocol({ seconds, rounds, python, json }: ProtocolBenchOptions): Promise<void> {
  const cpu = new Map<string, { server: number[]; client: number[] }>();
  const contender = (name: string, args: readonly string[]) => async () => {
    const [rate, server, client] = await measure(process.execPath, args, seconds);
    if (server === undefined || client === undefined) return rate!;
    const costs = cpu.get(name) ?? { server: [], client: [] };
    cpu.set(name, costs);
    costs.server.push(server);
    costs.client.push(client);
    return rate!;
  };
  const contenders = new Map(Object.entries(OURS).map(([name, args]) => [name, contender(name, args)]));
  const openEnv = async (length: number) => (await measure(python, ['peers/protocol_openenv.py'], length))[0]!;
  try {
    await openEnv(0.1);
    contenders.set(OPENENV, () => openEnv(seconds));
  } catch (error) {
    absent(OPENENV, python, error);
  }
  const rates = await medians(contenders, rounds, 'steps/s');
  const peer = rates.get(OPENENV);
  const figures: Record<string, number> = {};
  console.log(`\nmedians of ${rounds} rounds; one connection, journal on, an environment that does nothing`);
  for (const [name, value] of rates) {
    figures[name] = Math.round(value);
    let line = `${name.padEnd(46)} ${value.toFixed(0).padStart(6)} steps/s`;
    const costs = cpu.get(name);
    if (costs) {
      const [server, client] = [median(costs.server), median(costs.client)];
      figures[`${name}: CPU µs a step, server`] = Math.round(server);
      figures[`${name}: CPU µs a step, client`] = Math.round(client);
      line += `   CPU µs a step: server ${server.toFixed(0)}, client ${client.toFixed(0)}`;
    }
    if (peer !== undefined && name.startsWith('ours')) line += `   ${(value / peer).toFixed(1)} × OpenEnv`;
    console.log(line);
  }
  if (json) console.log(JSON.stringify(figures));
}
