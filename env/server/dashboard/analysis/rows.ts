/** An evaluation as a row of the list of its run. */
import type { EvaluationEntry, EvaluationRow } from '../answers.ts';
import { flatTheta, type Column } from './columns.ts';

/** @param metrics the names of the scores, in their order */
export function evaluationRow(
  entry: EvaluationEntry,
  columns: readonly Column[],
  metrics: readonly string[],
): EvaluationRow {
  const { seq, step_id, outcome, reward, accepted_at, theta, scores, seed = null, test_scores, timing } = entry;
  const ms = ['simulate_ms', 'train_ms', 'validate_ms'].reduce((sum, phase) => sum + (timing[phase] ?? 0), 0);
  const at = accepted_at === undefined ? 0 : Date.parse(accepted_at);
  return {
    ...{ seq, step_id, outcome, reward, seed },
    ...{ at, ms: Math.round(ms), end: at === 0 ? 0 : Math.round(at + (timing['queue_ms'] ?? 0) + ms) },
    theta: flatTheta(columns, theta),
    scores: metrics.map((name) => scores[name] ?? null),
    ...(test_scores && { test: test_scores }),
  };
}
