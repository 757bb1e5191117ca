import { join } from 'node:path';
import { loadDefinition } from '../../env/experiments/load.ts';
import type { Runtime } from '../../env/runtime.ts';
import { contentHash, describeExperiment } from '../../env/server/describe.ts';
import { machine } from '../provenance.ts';
import { collect } from './collect.ts';
import type { Laboratory } from './laboratory.ts';
import { keepLogs, readRecord, restoreLogs, writeRecord, type StudyRecord } from './logs.ts';
import { report } from './report.ts';
import type { Preset, Study } from './study.ts';

/** Where the logs of a study lie beside its results, compressed. */
export const keptLogs = (out: string) => join(out, 'logs');

/**
 * What tells the logs of a study from others that are no part of it: what its environment is with these options.
 *
 * @param also what else decides its evaluations
 */
export async function identityOf(study: Study, preset: Preset, runtime: Runtime, also: unknown): Promise<string> {
  const definition = await loadDefinition(study.environment);
  const { spec } = describeExperiment(definition, preset.envOptions, runtime, undefined);
  return contentHash([spec.spec_hash, also]);
}

/**
 * Evaluates what the logs of a study lack, keeps them beside its results, and writes tables, figures and pictures.
 *
 * @param out where all that goes
 * @throws {Error} when an evaluation fails, or Ctrl-C came: then what is done is kept, and the same call goes on
 */
export async function runStudy(
  study: Study,
  preset: Preset,
  laboratory: Laboratory,
  made: Pick<StudyRecord, 'command' | 'commit' | 'backend' | 'identity'>,
  out: string,
): Promise<void> {
  const { logs, runtime } = laboratory;
  const restored = restoreLogs(keptLogs(out), logs, made.identity);
  if (restored > 0) console.log(`${restored} logs are taken from ${keptLogs(out)}`);
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
 * @param folders that may have its logs; the first that has them counts
 * @param command makes them
 * @throws {Error} when none has, or what they have is not whole
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
