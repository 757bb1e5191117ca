/** Reads the logs of a study; nothing is evaluated here. */
import { evaluationsByKey, type EvaluationRecord, type LogRecord } from '../../agents/run/trial-log.ts';
import { armsOf, learnedThetas, meanScores, thetasOf, trainingsOf } from './arms.ts';
import { exampleEnd, examplesOf, type ExampleEnd } from './examples.ts';
import { finishedSearch, nameOf, searchesOf, type FinishedSearch } from './search-log.ts';
import type { Arm, ArmScores, Evidence, FixedThetas, Preset, Scored, Study, TrainedArm } from './study.ts';

/** Gives the lines of a log. @throws {Error} when there is no such log */
export type ReadLog = (name: string) => LogRecord[];

export function evidenceOf(study: Study, preset: Preset, read: ReadLog): Evidence {
  let searches: Record<string, FinishedSearch[]> | undefined;
  let arms: Record<string, ArmScores> | undefined;
  const evidence: Evidence = {
    study,
    preset,
    searches: () => (searches ??= readSearches(study, preset, read)),
    learned: (arm) =>
      study.arms[arm]!.kind === 'example'
        ? readExamples(study, preset, arm, read).map(({ recommended }) => recommended)
        : evidence.searches()[arm]!.map(({ learned }) => learned.theta),
    scored: (thetas) => readScored(thetas, read),
    arms: () => (arms ??= readArms(evidence, read)),
  };
  return evidence;
}

function readSearches(study: Study, preset: Preset, read: ReadLog): Record<string, FinishedSearch[]> {
  const byArm: Record<string, FinishedSearch[]> = {};
  for (const [arm, { kind }] of Object.entries(armsOf(study, preset))) if (kind === 'search') byArm[arm] = [];
  for (const search of searchesOf(study, preset)) {
    const finished = finishedSearch(search, read(nameOf(search)));
    if (!finished) {
      throw new Error(`${nameOf(search)}: expected a search that ended after ${search.evaluations} evaluations`);
    }
    byArm[search.arm]!.push(finished);
  }
  return byArm;
}

function readExamples(study: Study, preset: Preset, arm: string, read: ReadLog): ExampleEnd[] {
  return examplesOf(study, preset)
    .filter((run) => run.arm === arm)
    .map((run) => {
      const end = exampleEnd(read(nameOf(run)));
      if (!end) throw new Error(`${nameOf(run)}: expected a run of ${run.example} that ended with θ, got none`);
      return end;
    });
}

/** The evaluations of a log with these keys, in their order. @throws {Error} naming the first that it lacks */
function readEvaluations(log: string, keys: readonly string[], read: ReadLog): EvaluationRecord[] {
  const known = evaluationsByKey(read(log));
  return keys.map((key) => {
    const record = known.get(key);
    if (!record) throw new Error(`${log}: expected an evaluation ${key}, got none`);
    return record;
  });
}

function readScored(thetas: FixedThetas, read: ReadLog): Scored[] {
  const { log, requests } = thetas;
  const records = readEvaluations(
    log,
    requests.map(({ key }) => key),
    read,
  );
  checkOutcomes(thetas, records);
  return records.map(({ outcome, scores, testScores = {} }) => ({ outcome, validation: scores, test: testScores }));
}

/** @throws {Error} naming the first θ without a score, unless a θ may have none */
export function checkOutcomes({ mayFail }: FixedThetas, records: readonly EvaluationRecord[]): void {
  const failed = mayFail ? undefined : records.find(({ outcome }) => outcome !== 'ok');
  if (!failed) return;
  throw new Error(`${failed.key}: expected a score, got ${failed.outcome} (${failed.reason})`);
}

/** One metric on validation of each θ. */
export function validationScores(evidence: Evidence, thetas: FixedThetas, metric: string): number[] {
  return evidence.scored(thetas).map(({ validation }) => validation[metric]!);
}

function readArms(evidence: Evidence, read: ReadLog): Record<string, ArmScores> {
  const scores: Record<string, ArmScores> = {};
  for (const [name, arm] of Object.entries(armsOf(evidence.study, evidence.preset)))
    scores[name] = readArm(evidence, read, name, arm, scores);
  return scores;
}

/** @param before the arms before it */
function readArm(
  evidence: Evidence,
  read: ReadLog,
  name: string,
  arm: Arm,
  before: Readonly<Record<string, ArmScores>>,
): ArmScores {
  const { study, preset } = evidence;
  switch (arm.kind) {
    case 'search': {
      const searches = evidence.searches()[name]!;
      const evaluations = preset.evaluations[name]!;
      const { title } = arm;
      const { learned } = study;
      if (learned) {
        const scored = evidence.scored(learnedThetas(name, evidence.learned(name), learned));
        return { title, evaluations, ...meansOver(learned.seeds, scored) };
      }
      const means = (set: 'validation' | 'test') => searches.map(({ learned }) => meanScores(learned[set]));
      return { title, evaluations, validation: means('validation'), test: means('test') };
    }
    case 'example': {
      const { learned } = study;
      if (!learned) throw new Error(`${name}: expected the study to say how the θ of ${arm.example} are scored`);
      const scored = evidence.scored(learnedThetas(name, evidence.learned(name), learned));
      const evaluations = readExamples(study, preset, name, read).map((end) => end.evaluations);
      return { title: arm.title, evaluations: Math.max(...evaluations), ...meansOver(learned.seeds, scored) };
    }
    case 'thetas': {
      const { title, thetas, seeds } = arm;
      const scored = evidence.scored(thetasOf(name, thetas(preset), arm));
      return { title, evaluations: 0, ...meansOver(seeds, scored) };
    }
    case 'trained':
      return readTrained(evidence, read, name, arm);
    case 'best': {
      const { validation, test } = before[arm.of]!;
      const values = validation.map((scores) => scores[study.metric]!);
      const best = values.indexOf(Math.max(...values));
      return { title: arm.title, evaluations: values.length, validation: [validation[best]!], test: [test[best]!] };
    }
  }
}

/** The means over the seeds of each θ, without those of which one has no scores. */
function meansOver(seeds: number, scored: readonly Scored[]): Pick<ArmScores, 'validation' | 'test'> {
  const groups = Array.from({ length: scored.length / seeds }, (_, i) => scored.slice(i * seeds, (i + 1) * seeds));
  const known = groups.filter((group) => group.every(({ outcome }) => outcome === 'ok'));
  const means = (set: 'validation' | 'test') => known.map((group) => meanScores(group.map((scores) => scores[set])));
  return { validation: means('validation'), test: means('test') };
}

function readTrained(evidence: Evidence, read: ReadLog, name: string, arm: TrainedArm): ArmScores {
  const keys = trainingsOf(name, arm, evidence).map(({ key }) => key);
  const records = readEvaluations(name, keys, read);
  const [header] = read(name);
  const real = header?.type === 'run' ? (header.options['real'] as number) : 0;
  return {
    title: arm.title(real),
    evaluations: 0,
    validation: records.map(({ scores }) => scores),
    test: records.map(({ testScores }) => testScores!),
  };
}
