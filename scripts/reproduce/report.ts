import { makeFolder } from '../../protocol/make-folder.ts';
import { restartIds } from '../figures/chart.ts';
import { evidenceOf } from './evidence.ts';
import { readLog, readRecord } from './logs.ts';
import type { Evidence, Study } from './study.ts';
import { summariseArms, writeSummary } from './summary.ts';

/**
 * Writes the table, the summary and the figures of a study, from its logs alone: the same bytes for the same logs.
 *
 * @param logs the folder of the complete logs, plain or compressed
 * @param out  the folder of the results
 * @returns the content of the logs, for pictures that need more than that
 * @throws {Error} naming what the logs lack
 */
export async function report(study: Study, logs: string, out: string): Promise<Evidence> {
  const record = readRecord(logs);
  if (!record) throw new Error(`${logs}: expected the complete logs of ${study.name}, got none`);
  const evidence = evidenceOf(study, record.preset, (log) => readLog(logs, log));
  makeFolder(out);
  const { study: experiment, command, commit, backend, machine } = record;
  const arms = evidence.arms();
  const summary = summariseArms({ experiment, command, commit, backend }, arms, study);
  writeSummary(out, summary, { arms, study, machine, searchOptions: record.preset.searchOptions });
  restartIds();
  for (const figure of study.figures) await figure.draw(evidence, out);
  return evidence;
}
