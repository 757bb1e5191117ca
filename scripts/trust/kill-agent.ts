/**
 * The agent of kill-rounds.ts: evaluates action after action until it is told to stop, and can be killed at any time.
 *
 * Everything that it knows is in one file, one JSON object per line: tickets of its session, and results. When it is
 * started again, it continues from this file.
 */
import { existsSync } from 'node:fs';
import { LineLog, linesSoFar } from '../../agents/run/line-log.ts';
import { connect, type RemoteEnvironment, type Result, type SessionTicket } from '../../agents/client/index.ts';

/** The action of evaluation n; neighbouring evaluations have different actions. */
export function actionOf(n: number): number[] {
  const x = ((n * 37) % 200) / 100 - 1;
  return [x, 0, 0, 0, 0, -x];
}

export interface AgentLine {
  readonly ticket?: SessionTicket;
  /** This evaluation is about to be requested: its result must arrive, whatever happens now. */
  readonly begun?: number;
  readonly n?: number;
  readonly result?: Result;
}

const OPTIONS = { noise: 0.3, delayMs: 15 };
const PARALLEL = 6;

async function main(url: string, path: string, stop: string): Promise<void> {
  const lines = linesSoFar<AgentLine>(path);
  const log = new LineLog<AgentLine>(path);
  const append = (line: AgentLine) => log.append(line);
  const client = await patientConnect(url);
  const environment = await take(lines, client);
  environment.onTicket = (ticket) => append({ ticket });
  append({ ticket: environment.ticket });

  // An evaluation whose worker was killed is tried again under another name.
  const attempts = new Map<number, number>();
  const done = new Set<number>();
  for (const { n, result } of lines) {
    if (n === undefined) continue;
    if (result!.outcome === 'ok') done.add(n);
    else attempts.set(n, (attempts.get(n) ?? 0) + 1);
  }
  const lastBegun = Math.max(-1, ...lines.map(({ begun = -1 }) => begun));
  let next = 0;
  const evaluate = async () => {
    for (;;) {
      while (done.has(next)) next++;
      if (existsSync(stop) && next > lastBegun) return;
      const n = next++;
      if (n > lastBegun) append({ begun: n });
      for (let outcome = ''; outcome !== 'ok';) {
        const attempt = attempts.get(n) ?? 0;
        const result = await environment.evaluate({ action: actionOf(n), seed: n, step_id: `${n}.${attempt}` });
        append({ n, result });
        outcome = result.outcome;
        attempts.set(n, attempt + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, evaluate));
  client.loseConnection(); // not `close`: the session stays in the journal for the count
  process.exit(0);
}

/** Connects, and tries again for a minute, since the server may be down at the moment. */
async function patientConnect(url: string): ReturnType<typeof connect> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect(url, { reconnectForMs: 120_000 });
    } catch (error) {
      if (attempt === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function take(lines: AgentLine[], client: Awaited<ReturnType<typeof connect>>): Promise<RemoteEnvironment> {
  const ticket = lines.findLast((line) => line.ticket)?.ticket;
  const last_seq = Math.max(0, ...lines.map(({ result }) => result?.seq ?? 0));
  if (ticket) return client.resume({ ...ticket, last_seq: Math.max(last_seq, ticket.last_seq) });
  return client.open({ env_id: 'Bandit-v0', options: OPTIONS, seed: 5, detach_grace_ms: 3_600_000 });
}

if (process.argv[1] === import.meta.filename) {
  const [url, path, stop] = process.argv.slice(2);
  await main(url!, path!, stop!).catch((error: unknown) => {
    console.error(`kill-agent: ${(error as Error).message}`);
    process.exit(1);
  });
}
