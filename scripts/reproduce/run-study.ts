import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadDefinition } from '../../env/experiments/load.ts';
import type { Runtime } from '../../env/runtime.ts';
import { contentHash } from '../../env/experiments/identity.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import { makeFolder } from '../../protocol/make-folder.ts';
import { machine } from '../provenance.ts';
import { collect } from './collect.ts';
import type { Laboratory } from './laboratory.ts';
import { keepLogs, readRecord, restoreLogs, writeRecord, type StudyRecord } from './logs.ts';
import { report } from './report.ts';
import type { Preset, Study } from './study.ts';

/** The folder of the compressed logs beside the results. */
export const keptLogs = (out: string) => join(out, 'logs');
/** That of a study which was stopped: the same command goes on from them on another machine too. */
const unfinishedLogs = (out: string) => join(out, 'unfinished');

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
 * Makes the folders of a study: an error comes now, not when all is evaluated.
 *
 * @throws {Error} when the logs would be their own copies, or a folder cannot be made
 */
export function prepareFolders(logs: string, out: string): void {
  if ([keptLogs(out), unfinishedLogs(out)].some((kept) => resolve(logs) === resolve(kept))) {
    throw new Error(`--logs: expected another folder than that of the logs beside the results, got ${logs}`);
  }
  for (const folder of [out, logs]) makeFolder(folder);
}

/**
 * Makes the evaluations that the logs of a study lack, keeps the logs beside the results, and writes tables, figures and
 * pictures.
 *
 * @param out the folder of the results; {@link prepareFolders} has made it, and that of the logs
 * @throws {Error} when an evaluation fails, and on Ctrl-C: the logs keep what is done, also compressed beside the results,
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
  const record: StudyRecord = { study: study.name, ...made, machine: machine(), preset };
  for (const kept of [unfinishedLogs(out), keptLogs(out)]) {
    const restored = restoreLogs(kept, logs, made.identity);
    if (restored > 0) console.log(`${restored} logs come from ${kept}`);
  }
  try {
    await collect(study, preset, laboratory);
  } catch (error) {
    if (readdirSync(logs).length === 0) throw error;
    keepLogs(logs, unfinishedLogs(out), record);
    console.log(`${unfinishedLogs(out)}  the logs so far: the same command goes on from them, on another machine too`);
    throw error;
  }
  rmSync(unfinishedLogs(out), { recursive: true, force: true });
  writeRecord(logs, record);
  keepLogs(logs, keptLogs(out), record, study.isLean);
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
