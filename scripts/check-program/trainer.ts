/** Checks a trainer: it trains on a few images, twice, and its scores are looked at. */
import type { EvaluationSeeds } from '../../env/evaluate.ts';
import { programTask, type TrainerProgram } from '../../env/programs/trainer.ts';
import type { StoredImage } from '../../env/programs/simulator.ts';
import type { Target } from '../../env/targets/target.ts';
import { good, note, progressFinding, watched, wrong, type Say, type Seen } from './finding.ts';

export interface TrainerCheck {
  readonly trainer: TrainerProgram;
  readonly samples: readonly StoredImage[];
  readonly target: Target<StoredImage>;
  readonly seeds: EvaluationSeeds;
  /** Whether equal seeds are promised to give equal scores. */
  readonly deterministic: boolean;
}

/** Looks at a program, and says what is right and what is wrong. @throws what its calls throw */
export async function checkTrainer(check: TrainerCheck, say: Say): Promise<void> {
  const { trainer, samples, target, seeds, deterministic } = check;
  const calls: Seen[] = [];
  const task = programTask({ ...trainer, program: watched(trainer.program, calls) });
  const { validation, test } = target;
  const train = async () => {
    const model = await task.train(samples, seeds, () => {}, { validation, test, early: true });
    return [await model.score(await validation()), await model.score(await test())] as const;
  };
  const [scores, testScores] = await train();
  const [{ seconds, isScored }] = calls as [Seen];
  say(good(`trains on ${samples.length} images and scores in ${seconds.toFixed(2)} s`));
  say(good(`scores: ${shownScores(scores)}; test scores: ${shownScores(testScores)}`));
  const undefinedScores = Object.entries(scores).flatMap(([name, score]) => (Number.isFinite(score) ? [] : name));
  if (undefinedScores.length > 0) {
    say(note(`${undefinedScores.join(', ')}: no number, so the evaluation ends as diverged`));
  }
  say(progressFinding(calls[0]!));
  if (!isScored) say(note('progress: no line has "scored": true, so no agent can give up a weak θ early'));

  const [again] = await train();
  const isSame = JSON.stringify(again) === JSON.stringify(scores);
  if (isSame) say(good('equal images and seeds give equal scores'));
  else if (deterministic) say(wrong(`equal seeds: expected equal scores, as is promised, got ${shownScores(again)}`));
  else say(note('equal images and seeds give other scores, so the environment says "deterministic": false'));
  if (isSame && !deterministic) say(note('promise this by --deterministic'));
}

function shownScores(scores: Readonly<Record<string, number>>): string {
  return Object.entries(scores)
    .map(([name, score]) => `${name} ${Number.isFinite(score) ? score.toPrecision(4) : 'null'}`)
    .join(', ');
}
