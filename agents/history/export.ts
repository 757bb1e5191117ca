/** `history export`: the evaluations of a run or of a server, in the form that another program reads. */
import { existsSync, statSync } from 'node:fs';
import type { Parameter } from '../../protocol/parameters.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { isTrial, oldestFirst, readPast } from '../run/past-evaluations.ts';
import { sentenceOf } from '../run/run-program.ts';
import type { PastEvaluation, RunHeader } from '../run/trial-log.ts';
import { csvTable } from './csv-table.ts';
import { optunaJournal, trialStates, type OptunaStudy } from './optuna-journal.ts';
import { entriesOf, historyLines, openAgain, withClient, type ServerFlags } from './server-history.ts';

export const EXPORT_FORMATS = ['jsonl', 'csv', 'optuna-journal'] as const;

export interface ExportFlags extends ServerFlags {
  readonly format: (typeof EXPORT_FORMATS)[number];
  /** The log of a run, or exported JSON lines, in place of the server's history. */
  readonly log?: string;
}

/** What is exported. */
interface Source {
  /** The oldest first. */
  readonly evaluations: readonly PastEvaluation[];
  /** As JSON lines. */
  readonly lines: string;
  readonly run?: RunHeader | undefined;
  /** When the latest of them were written down. */
  readonly time: Date;
}

/** What θ and the reward mean, under one specification. */
interface Meaning {
  readonly parameters: readonly Parameter[];
  readonly metric: string;
}

/**
 * Writes evaluations to a file, as a whole or not at all, or to standard output.
 *
 * @param query selects them, where they are a server's
 * @throws {Error} naming the file that is there already (a journal), or what is missing
 */
export async function exportEvaluations(
  file: string | undefined,
  flags: ExportFlags,
  query: Readonly<Record<string, string | number | undefined>>,
): Promise<void> {
  if (file !== undefined && flags.format === 'optuna-journal' && existsSync(file)) {
    throw new Error(`${file}: expected no file yet, got one; Optuna may have gone on in it, so move it away`);
  }
  const source = await read(flags, query);
  const { text, told } = await exported(source, flags);
  if (file === undefined) return void process.stdout.write(text);
  writeWhole(file, text);
  console.log(`${file}: ${told}`);
}

async function read(flags: ExportFlags, query: Readonly<Record<string, string | number | undefined>>): Promise<Source> {
  if (flags.log !== undefined) {
    const { evaluations, run } = readPast(flags.log);
    const lines = evaluations.map((evaluation) => `${JSON.stringify(evaluation)}\n`).join('');
    return { lines, evaluations, run, time: statSync(flags.log).mtime };
  }
  const lines = await historyLines(flags, query);
  return { lines, evaluations: oldestFirst(entriesOf(lines)), time: new Date() };
}

/** The text in its format, and a few words about it. */
async function exported(source: Source, flags: ExportFlags): Promise<{ text: string; told: string }> {
  const { evaluations, lines, run } = source;
  const told = `${evaluations.length} evaluations`;
  if (flags.format === 'jsonl') return { text: lines, told };
  if (evaluations.length === 0) throw new Error('export: expected an evaluation, got none');
  const meanings = await meaningsOf(source, flags);
  if (flags.format === 'csv') {
    // What a run began with has its parameters, though another specification.
    const known = ({ repro }: PastEvaluation) => meanings.get(run?.environment.specHash ?? repro.spec_hash);
    return { text: csvTable(evaluations, (evaluation) => known(evaluation)?.parameters ?? []), told };
  }
  const studies = studiesOf(source, meanings);
  const words = studies.map((study) => {
    const { failed, pruned } = trialStates(study);
    return `study "${study.name}" of ${study.evaluations.length} trials, ${failed} failed, ${pruned} pruned`;
  });
  return { text: optunaJournal(studies), told: words.join('; ') };
}

/**
 * The meaning of each specification, by its hash: from the first line of a run's log, or from its environment, which is
 * opened on the server.
 *
 * @throws {Error} when a server lacks one; a table does without it, and that is said
 */
async function meaningsOf({ evaluations, run }: Source, flags: ExportFlags): Promise<Map<string, Meaning>> {
  const own = run?.environment;
  if (own?.parameters && own.metric !== undefined) {
    return new Map([[own.specHash, { parameters: own.parameters, metric: own.metric }]]);
  }
  const ours = evaluations.filter(({ repro }) => !own || repro.spec_hash === own.specHash);
  const samples = new Map(ours.map((evaluation) => [evaluation.repro.spec_hash, evaluation]));
  const meanings = new Map<string, Meaning>();
  for (const [hash, sample] of samples) {
    try {
      const { parameters, reward } = await withClient(flags, async (client) => (await openAgain(client, sample)).spec);
      meanings.set(hash, { parameters, metric: reward.metric });
    } catch (error) {
      const told = `expected a server that has the environment of the evaluations, got: ${sentenceOf(error)}`;
      if (flags.format !== 'csv') throw new Error(`${flags.log ?? 'export'}: ${told}`, { cause: error });
      console.error(`history: the classes of θ are numbered: ${told}`);
    }
  }
  return meanings;
}

/** A study for each specification: only under one do rewards compare. */
function studiesOf({ evaluations, time }: Source, meanings: ReadonlyMap<string, Meaning>): OptunaStudy[] {
  const trials = evaluations.filter(isTrial);
  const left = trials.filter(({ repro }) => !meanings.has(repro.spec_hash)).length;
  if (left > 0) {
    console.error(
      `history: ${left} trials that the run began with are left out, since they are of another specification`,
    );
  }
  return [...meanings].flatMap(([hash, meaning]): OptunaStudy[] => {
    const own = trials.filter(({ repro }) => repro.spec_hash === hash);
    const [first] = own;
    return first ? [{ ...meaning, name: `${first.env_id} ${hash}`, evaluations: own, time: time.toISOString() }] : [];
  });
}
