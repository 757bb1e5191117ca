/** What the client of the Python package adds to a step, beside websockets alone. */
import { join } from 'node:path';
import { figuresOf, lastWords, median } from './rounds.ts';

export interface PythonClientBenchOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  /** The number of measurements of each; medians are compared. */
  readonly rounds: number;
  /** A Python with what the package needs. */
  readonly python: string;
  readonly json?: boolean;
}

const BATCH = 64;
const ECHO = 'bare websockets, an echo';
const BARE = 'bare websockets, our server';
const CLIENT = 'our client, our server';
/** A way of Python to the server, and the number of steps that it sends at once. */
const CONTENDERS = ([1, BATCH] as const).flatMap((count) =>
  Object.entries({ [ECHO]: 'echo', [BARE]: 'bare', [CLIENT]: 'client' }).map(([name, mode]) => ({ name, mode, count })),
);

/** Milliseconds a step: all, and those in which Python's process computes. */
interface Cost {
  readonly took: number;
  readonly computed: number;
}

/** Measures all contenders in turn, round after round, and prints medians and what the client adds. */
export async function benchPythonClient({ seconds, rounds, python, json }: PythonClientBenchOptions): Promise<void> {
  const program = join(import.meta.dirname, 'peers', 'python_client.py');
  const costs = CONTENDERS.map((): Cost[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [i, { name, mode, count }] of CONTENDERS.entries()) {
      const words = ['-B', program, mode, String(count), String(seconds)];
      const [took, computed] = await figuresOf(python, words, (seconds + 120) * 1000).catch((error: unknown) => {
        const told = `--python: expected one that has what agents/python needs, got ${lastWords(error)}`;
        throw new Error(`${told}; npm run setup:python makes one`, { cause: error });
      });
      costs[i]!.push({ took: took!, computed: computed! });
      console.log(`round ${round} of ${rounds}: ${name}, ${count} at once: ${took!.toFixed(3)} ms a step`);
    }
  }
  const medians = costs.map((all): Cost => ({
    took: median(all.map(({ took }) => took)),
    computed: median(all.map(({ computed }) => computed)),
  }));
  console.log(`\nmedians of ${rounds} rounds; milliseconds a step, with an environment that does nothing`);
  const figures: Record<string, number> = {};
  for (const [i, { name, count }] of CONTENDERS.entries()) {
    const title = `${name}, ${count === 1 ? 'one by one' : `batches of ${count}`}`;
    const { took, computed } = medians[i]!;
    let line = `${title.padEnd(44)} ${took.toFixed(3).padStart(7)}   computing ${computed.toFixed(3)}`;
    figures[title] = took;
    if (name === CLIENT) {
      const bare = medians[CONTENDERS.findIndex((other) => other.name === BARE && other.count === count)]!;
      line += `   adds ${(took - bare.took).toFixed(3)}, computing ${(computed - bare.computed).toFixed(3)}`;
      figures[`${title}: adds`] = took - bare.took;
    }
    console.log(line);
  }
  if (json) console.log(JSON.stringify(figures));
}
