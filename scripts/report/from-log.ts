/** A run of a report, from the log of an agent. */
import type { ExperimentDefinition } from '../../env/experiments/experiment.ts';
import { BUILT_IN } from '../../env/experiments/index.ts';
import { loadDefinition } from '../../env/experiments/load.ts';
import type { Runtime } from '../../env/runtime.ts';
import { columnsOf } from '../../env/server/dashboard/analysis/columns.ts';
import type { EvaluationEntry, PolicyNote, ReportedRuns } from '../../env/server/dashboard/answers.ts';
import { policyNote } from '../../env/server/dashboard/policy.ts';
import { knownDescription, unknownDescription } from '../../env/server/dashboard/runs.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import { readTrialLog, type EvaluationRecord, type LogRecord, type RunHeader } from '../../agents/run/trial-log.ts';
import type { Parameter } from '../../protocol/parameters.ts';

export type ReportedRun = ReportedRuns['runs'][number];

interface Known {
  /** Environments that are not built in. */
  readonly own: readonly ExperimentDefinition[];
  readonly runtime: Runtime;
  /** Whether the hidden θ is shown. */
  readonly reveal: boolean;
}

/** @throws {Error} naming the file that is no log of a run, or has no evaluation */
export async function runOfLog(path: string, known: Known): Promise<ReportedRun> {
  const { header, records } = readTrialLog(path);
  const evaluations = records.filter((record) => record.type === 'evaluation');
  const entries = evaluations.map((record, i) => entryOf(header, record, i + 1));
  if (entries.length === 0) throw new Error(`${path}: expected the log of a run, got one without evaluations`);
  const { description, parameters } = await describe(header, entries[0]!, known);
  const columns = columnsOf(description.parameters);
  const same = {
    run: header.runId,
    env_id: header.environment.id,
    spec_hash: header.environment.specHash,
    about: { agent: header.agent, run_id: header.runId, options: header.options },
  };
  return {
    entry: { ...same, open: false, seq: entries.length, latest_at: 0, notes: records.length },
    description: { ...same, options: header.environment.options, ...description },
    evaluations: entries,
    notes: policyOf(records, (number, evaluations, { mu, sigma, deviations = sigma }) =>
      policyNote({ number, evaluations, mean: mu, spread: deviations }, columns, parameters),
    ),
  };
}

function entryOf(
  { runId, environment: { metric = 'early' } }: RunHeader,
  { key, outcome, reward, scores, testScores, early, reason, theta, seeds, timing }: EvaluationRecord,
  seq: number,
): EvaluationEntry {
  return {
    ...{
      seq,
      step_id: `${runId}/${key}`,
      outcome: outcome as EvaluationEntry['outcome'],
      reward,
      scores,
      seeds,
      timing,
    },
    theta: theta,
    ...(testScores && { test_scores: testScores }),
    ...(early && { early_scores: early.map(({ fraction, score }) => ({ fraction, scores: { [metric]: score } })) }),
    ...(reason !== undefined && { reason }),
  };
}

/** What is known of a run's environment: of its specification, if that is still the same. */
async function describe(
  { environment: { id, specHash, options } }: RunHeader,
  first: EvaluationEntry,
  { own, runtime, reveal }: Known,
): Promise<{
  description: ReturnType<typeof knownDescription> | ReturnType<typeof unknownDescription>;
  parameters?: readonly Parameter[];
}> {
  const unknown = (why: string) => ({ description: unknownDescription(id, first, why) });
  const definition =
    own.find((one) => one.id === id) ?? (Object.hasOwn(BUILT_IN, id) ? await loadDefinition(id) : undefined);
  if (!definition) return unknown(`${id} is not built in; --env names its module`);
  try {
    const { experiment, spec } = describeExperiment(definition, options, runtime, undefined);
    if (spec.spec_hash !== specHash) return unknown(`${id} is another environment now than it was then`);
    const truth = reveal ? experiment.target.truth : undefined;
    // A file draws no samples.
    return { description: knownDescription(spec, { truth, shows: false }), parameters: spec.parameters };
  } catch (error) {
    return unknown((error as Error).message);
  }
}

/** The notes of the iterations of a log: each says how many evaluations of the search came before it. */
function policyOf(
  records: readonly LogRecord[],
  noteOf: (number: number, evaluations: number, state: Readonly<Record<string, unknown>>) => PolicyNote,
): PolicyNote[] {
  let told = 0;
  return records.flatMap((record, i) => {
    if (record.type === 'evaluation' && record.key.startsWith('search/')) told++;
    return record.type === 'iteration' ? [noteOf(i + 1, told, record.state)] : [];
  });
}
