import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadDefinition } from '../../env/experiments/load.ts';
import type { Runtime } from '../../env/runtime.ts';
import { contentHash } from '../../env/experiments/identity.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import { makeFolder } from '../../protocol/make-folder.ts';
import { machine } from '../provenance.ts';
import { searchOptionsOf } from './arms.ts';
import { collect } from './collect.ts';
import type { Laboratory } from './laboratory.ts';
import { areOf, keepLogs, markLogs, readRecord, restoreLogs, writeRecord, type StudyRecord } from './logs.ts';
import { report } from './report.ts';
import { searchesOf } from './search-log.ts';
import type { EnvOptions, Preset, Study } from './study.ts';

/** The folder of the compressed logs beside the results. */
export const keptLogs = (out: string) => join(out, 'logs');
/** That of a study which was stopped: the same command goes on from them on another machine too. */
const unfinishedLogs = (out: string) => join(out, 'unfinished');

/**
 * Logs with the same identity have the same evaluations: it stands for the environment with these options.
 *
 * @param also whatever else decides the evaluations
 * @throws {Error} before anything is evaluated, when an environment does not take its options, or lacks what it needs
 */
export async function identityOf(study: Study, preset: Preset, runtime: Runtime, also: unknown): Promise<string> {
  const hashOf = async (id: string, envOptions: EnvOptions) =>
    describeExperiment(await loadDefinition(id), envOptions, runtime, undefined).spec.spec_hash;
  const hash = await hashOf(study.environment, preset.envOptions);
  const oneEach = searchesOf(study, { ...preset, searchSeeds: 1 }); // the seeds of an arm share an environment
  const others = oneEach.filter(({ environment }) => environment !== study.environment);
  const otherHashes = new Set<string>();
  for (const { environment, envOptions } of others) otherHashes.add(await hashOf(environment, envOptions));
  const differing = oneEach.filter(({ envOptions, comparedWith }) => !isDeepStrictEqual(envOptions, comparedWith));
  if ((preset.searchOptions || differing.length > 0) && !study.learned) {
    const rule = 'expected `learned`, which scores what its searches find as all else is scored, got none';
    throw new Error(`${study.name}: ${rule}`);
  }
  if (preset.searchOptions) otherHashes.add(await hashOf(study.environment, searchOptionsOf(preset)));
  for (const { environment, envOptions } of differing) otherHashes.add(await hashOf(environment, envOptions));
  return contentHash([hash, also, ...otherHashes]);
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
 * @throws {Error} when an evaluation fails, and on Ctrl-C: the logs keep what is done, after Ctrl-C also compressed beside
 *   the results (unless they are too large, `isLean`), and the same call continues
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
  const areOwn = areOf(logs, made.identity); // logs without a mark, of an earlier version, may be of something else
  for (const kept of [unfinishedLogs(out), keptLogs(out)]) {
    const restored = restoreLogs(kept, logs, made.identity);
    if (restored > 0) console.log(`${restored} logs come from ${kept}`);
  }
  if (areOwn) markLogs(logs, made.identity);
  try {
    await collect(study, preset, laboratory);
  } catch (error) {
    if (areOwn && laboratory.programs.interrupted && !study.isLean) keepUnfinished(logs, out, record);
    throw error;
  }
  rmSync(unfinishedLogs(out), { recursive: true, force: true });
  writeRecord(logs, record);
  keepLogs(logs, keptLogs(out), record, study.isLean);
  const evidence = await report(study, logs, out);
  for (const picture of study.pictures ?? []) await picture.draw(evidence, join(out, picture.file), runtime);
  console.log(`${out}  table.md, table.csv, summary.json, figures, logs`);
}

/** Keeps the logs of a study that was stopped, where that can be done. */
function keepUnfinished(logs: string, out: string, record: StudyRecord): void {
  const kept = unfinishedLogs(out);
  try {
    keepLogs(logs, kept, record);
    console.log(`${kept}  the logs so far: the same command goes on from them, on another machine too`);
  } catch (error) {
    console.error(`${kept}: the logs so far are in ${logs} alone: ${(error as Error).message}`);
  }
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
