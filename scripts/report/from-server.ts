/** A run of a report, from a server: what its page would be told. */
import type { EvaluationEntry, PolicyNote, RunDescription, RunEntry } from '../../env/server/dashboard/answers.ts';
import { sentenceOf } from '../../agents/run/run-program.ts';
import type { HistoryEntry } from '../../protocol/history.ts';
import type { ReportedRun } from './from-log.ts';

/** The most evaluations of a run that one request gets. */
const MOST_EVALUATIONS = 100_000;

/** @throws {Error} with what the server says, when it does not answer or has no such session */
export async function runOfServer(url: string, run: string, token: string | undefined): Promise<ReportedRun> {
  const ask = async (path: string): Promise<string> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, url.replace(/^ws/, 'http')), { headers }).catch((error: unknown) => {
      throw new Error(`${url}: expected a server, got ${sentenceOf(error)}`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${url}: expected the session ${run}, got ${response.status} ${text.trim()}`);
    return text;
  };
  const lines = async <Line>(path: string) =>
    (await ask(path))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  const description = JSON.parse(await ask(`/v1/runs/${run}`)) as RunDescription;
  const entries = await lines<HistoryEntry>(`/v1/history.jsonl?session=${run}&limit=${MOST_EVALUATIONS}`);
  const evaluations = entries.map(entryOf).sort((a, b) => a.seq - b.seq);
  const all = await lines<RunEntry>('/v1/runs.jsonl');
  return {
    entry: { ...all.find((entry) => entry.run === run)!, open: false },
    description: { ...description, shows: false }, // a file draws no samples
    evaluations,
    notes: await lines<PolicyNote>(`/v1/notes.jsonl?run=${run}`),
  };
}

/** Without what all evaluations of a run have in common. */
function entryOf(entry: HistoryEntry): EvaluationEntry {
  const { seq, step_id, outcome, reward, scores, test_scores, early_scores, reason } = entry;
  const { theta, seed, seeds, timing, accepted_at, repro } = entry;
  return {
    ...{ seq, step_id, outcome, reward, scores, theta, seed, seeds, timing, accepted_at },
    ...(test_scores && { test_scores }),
    ...(early_scores && { early_scores }),
    ...(reason !== undefined && { reason }),
    repro: { build: repro.build, ...(repro.backend !== undefined && { backend: repro.backend }) },
  };
}
