import { join, resolve } from 'node:path';
import { loadDefinition } from '../../env/experiments/load.ts';
import type { Runtime } from '../../env/runtime.ts';
import { contentHash } from '../../env/experiments/identity.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import { machine } from '../provenance.ts';
import { collect } from './collect.ts';
import type { Laboratory } from './laboratory.ts';
import { keepLogs, readRecord, restoreLogs, writeRecord, type StudyRecord } from './logs.ts';
import { report } from './report.ts';
import type { Preset, Study } from './study.ts';

/** The folder of the compressed logs beside the results. */
export const keptLogs = (out: string) => join(out, 'logs');

/**
 * Logs with the same identity have the same evaluations: it stands for the environment with these options.
 *
 * @param also whatever else decides the evaluations
 */
export async function identityOf(study: Study, preset: Preset, runtime: Runtime, also: unknown): Promise<string> {
  const definition = await loadDefinition(study.environment);
  const { spec } = describeExperiment(definition, preset.envOptions, runtime, undefined);
  return contentHash([spec.spec_hash, also]);
}

/**
 * Makes the evaluations that the logs of a study lack, keeps the logs beside the results, and writes tables, figures and
 * pictures.
 *
 * @param out the folder of the results
 * @throws {Error} when the logs would be their own copies, or an evaluation fails, and on Ctrl-C: the logs keep what is done,
 *   and the same call continues
 */
export async function runStudy(
  study: Study,
  preset: Preset,
  laboratory: Laboratory,
  made: Pick<StudyRecord, 'command' | 'commit' | 'backend' | 'identity'>,
  out: string,
): Promise<void> {
  const { logs, runtime } = laboratory;
  if (resolve(logs) === resolve(keptLogs(out))) {
    throw new Error(`--logs: expected another folder than that of the logs beside the results, got ${logs}`);
  }
  const restored = restoreLogs(keptLogs(out), logs, made.identity);
  if (restored > 0) console.log(`${restored} logs come from ${keptLogs(out)}`);
  await collect(study, preset, laboratory);
  writeRecord(logs, { study: study.name, ...made, machine: machine(), preset });
  keepLogs(logs, keptLogs(out), study.isLean);
  const evidence = await report(study, logs, out);
  for (const picture of study.pictures ?? []) await picture.draw(evidence, join(out, picture.file), runtime);
  console.log(`${out}  table.md, table.csv, summary.json, figures, logs`);
}

/**
 * Writes the tables and figures of a study again, from logs alone.
 *
 * @param folders the first one that has complete logs is used
 * @param command the command that makes the logs, for the error
 * @throws {Error} when no folder has complete logs
 */
export async function redraw(study: Study, folders: readonly string[], out: string, command: string): Promise<void> {
  const logs = folders.find((folder) => readRecord(folder));
  if (logs === undefined) {
    throw new Error(`${out} has no logs: expected them in ${folders.join(' or ')}; \`${command}\` makes them`);
  }
  await report(study, logs, out);
  console.log(`${out}  table.md, table.csv, summary.json, figures: from ${logs}`);
  for (const { file, needs } of study.pictures ?? []) {
    console.log(`${join(out, file)}  stays as it is: it needs ${needs}`);
  }
}
