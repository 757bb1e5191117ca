import { armsOf, learnedThetas, thetasOf } from './arms.ts';
import { evidenceOf } from './evidence.ts';
import { examplesOf, runExamples } from './examples.ts';
import { scoreThetas } from './fixed-thetas.ts';
import type { Laboratory } from './laboratory.ts';
import { readLog } from './logs.ts';
import { searchesOf } from './search-log.ts';
import { runSearches } from './searches.ts';
import type { FixedThetas, Preset, Study } from './study.ts';
import { trainArm } from './trainings.ts';

/**
 * Makes all evaluations that the logs of a study lack.
 *
 * @throws {Error} when an evaluation fails, when a log has other evaluations, or on Ctrl-C; the logs keep what is done
 */
export async function collect(study: Study, preset: Preset, laboratory: Laboratory): Promise<void> {
  const evidence = evidenceOf(study, preset, (log) => readLog(laboratory.logs, log));
  const score = async (what: string, thetas: FixedThetas) => {
    console.log(`${what}: ${thetas.requests.length} evaluations`);
    const envOptions = { ...preset.envOptions, ...thetas.envOptions };
    await scoreThetas(laboratory, study.environment, envOptions, thetas);
  };
  const arms = Object.entries(armsOf(study, preset));
  for (const [name, arm] of arms) {
    if (arm.kind !== 'thetas') continue;
    await score(arm.title, thetasOf(name, arm.thetas(preset), arm));
  }
  const searches = searchesOf(study, preset);
  if (searches.length > 0) await runSearches(laboratory, searches);
  const examples = examplesOf(study, preset);
  if (examples.length > 0) await runExamples(laboratory, study.environment, examples);
  for (const [name, arm] of arms) {
    if ((arm.kind !== 'search' && arm.kind !== 'example') || !study.learned) continue;
    await score(arm.title, learnedThetas(name, evidence.learned(name), study.learned));
  }
  for (const [name, arm] of arms) if (arm.kind === 'trained') await trainArm(laboratory, name, arm, evidence);
  for (const { needs = [] } of study.figures) {
    for (const step of needs) for (const thetas of step(evidence)) await score(thetas.log, thetas);
  }
}
