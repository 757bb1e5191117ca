/**
 * The lower problem on one page: θ and seeds go in, samples are simulated, a model is trained, its score comes out.
 *
 *     R(θ) = score(train(simulate(θ)), validation)      (Ruiz et al. 2019, eq. 1 and Fig. 1)
 */
import { shown } from '../protocol/errors.ts';
import type { Outcome } from '../protocol/messages.ts';
import { deriveSeed, type Seed } from '../protocol/random.ts';
import type { Theta } from '../protocol/parameters.ts';
import { earlyScorer } from './early-scores.ts';
import type { Experiment } from './experiments/experiment.ts';
import { FailedError } from './failed-error.ts';
import { encodedStrips, type EncodedStrip } from './pictures.ts';
import { withSamples } from './simulators/draw-samples.ts';
import { InfeasibleError } from './simulators/simulator.ts';
import type { Scores, Task, TrainedModel, TrainingProgress } from './tasks/task.ts';
import type { Target } from './targets/target.ts';

/** The three sources of noise in an evaluation. */
export interface EvaluationSeeds {
  /** Draws the scenes. */
  readonly simulation: Seed;
  /** Draws the network's first weights. */
  readonly initialisation: Seed;
  /** Draws the order of the batches and the augmentation. */
  readonly order: Seed;
}

/** The seeds of an evaluation: those that are pinned, and `deriveSeed(seed, 'simulation')` and so on for the others. */
export function evaluationSeeds(seed: Seed, pinned: Partial<EvaluationSeeds> = {}): EvaluationSeeds {
  return {
    simulation: pinned.simulation ?? deriveSeed(seed, 'simulation'),
    initialisation: pinned.initialisation ?? deriveSeed(seed, 'initialisation'),
    order: pinned.order ?? deriveSeed(seed, 'order'),
  };
}

/** What an evaluation is asked to do. */
export interface EvaluationRequest {
  readonly theta: Theta;
  readonly seeds: EvaluationSeeds;
  /** Whether the untouched test set is scored as well; the reward comes from validation either way. */
  readonly test: boolean;
  /** Whether progress also has scores of the unfinished model; the final scores do not depend on it. */
  readonly earlyScores?: boolean | undefined;
  /** Whether the trained model also shows what it predicts for validation samples; no score depends on it. */
  readonly pictures?: boolean | undefined;
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** `queue` while it waits for a worker. */
  readonly phase: 'queue' | 'simulate' | 'train' | 'validate';
  /** Share of the phase that is done, 0 to 1. */
  readonly fraction: number;
  /** The loss, and the task's metrics where `scored` is set. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** `metrics` has scores of the unfinished model: such progress is never left out. */
  readonly scored?: true;
  /** Time left, in milliseconds; absent where no evaluation of the same kind has been timed. */
  readonly etaMs?: number;
}

/** The result of an evaluation. `reward` is finite when the outcome is `ok` and null otherwise, never NaN. */
export interface Evaluation {
  /** `deadline`, `cancelled`, and `failed` where the evaluation threw an error, are set by workers/evaluations.ts. */
  readonly outcome: Outcome;
  readonly reward: number | null;
  readonly scores: Scores;
  readonly testScores?: Scores;
  /** Why the outcome is not `ok`. */
  readonly reason?: string;
  /** What the model predicts, of the first replicate, where that was asked for; or why it cannot be shown. */
  readonly pictures?: readonly EncodedStrip[] | string;
  readonly timing: Timing;
  /** The worker that made it, and its backend, where workers are also elsewhere; set by workers/queue/. */
  readonly worker?: string;
  readonly backend?: string;
  /**
   * Set beside `failed` where nothing was evaluated: the experiment could not be created as the server has created it. A
   * worker that has other files may be able to.
   */
  readonly uncreated?: true;
}

/** How long an evaluation waited, and how long each of its phases took, in milliseconds. */
export interface Timing {
  readonly queueMs: number;
  readonly simulateMs: number;
  readonly trainMs: number;
  readonly validateMs: number;
}

export interface EvaluationOptions {
  /** Called with the progress of each phase. An error that it throws ends the evaluation. */
  readonly report?: (progress: EvaluationProgress) => void;
  /** Ends the evaluation when it is aborted: soon while it simulates, at the next step while it trains. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One evaluation: the mean over the experiment's replicates. The first replicate has the seeds of the request, the
 * others have seeds derived from them. A replicate without a reward ends the evaluation with its outcome.
 *
 * @throws the signal's reason when it is aborted; what `report`, simulator, task and target throw, except
 *   InfeasibleError and FailedError, which are the outcomes `infeasible` and `failed`
 */
export async function evaluate<Sample>(
  experiment: Experiment<Sample>,
  request: EvaluationRequest,
  { report = () => {}, signal }: EvaluationOptions = {},
): Promise<Evaluation> {
  const { replicates = 1 } = experiment;
  const done: Evaluation[] = [];
  for (let index = 0; index < replicates; index++) {
    const seeds = replicateSeeds(request.seeds, index);
    const share = (fraction: number) => (index + fraction) / replicates;
    const reportShare = (progress: EvaluationProgress) => report({ ...progress, fraction: share(progress.fraction) });
    const one = await evaluateOnce(experiment, { ...request, seeds }, reportShare, signal);
    done.push(one);
    if (one.outcome !== 'ok') return { ...one, timing: sumOf(done.map(({ timing }) => timing)) };
  }
  const [first] = done;
  if (replicates === 1) return first!;
  const timing = sumOf(done.map((one) => one.timing));
  const scores = meanOf(done.map((one) => one.scores));
  const testScores = request.test ? meanOf(done.map((one) => one.testScores!)) : undefined;
  const reward = scores[experiment.task.reward]!;
  const { pictures } = first!;
  return { outcome: 'ok', reward, scores, ...(testScores && { testScores }), ...(pictures && { pictures }), timing };
}

function replicateSeeds(seeds: EvaluationSeeds, index: number): EvaluationSeeds {
  if (index === 0) return seeds;
  const own = (seed: Seed) => deriveSeed(seed, 'replicate', index);
  return {
    simulation: own(seeds.simulation),
    initialisation: own(seeds.initialisation),
    order: own(seeds.order),
  };
}

/** Sums by name. */
function sumOf<Name extends string>(records: readonly Readonly<Record<Name, number>>[]): Record<Name, number> {
  const names = Object.keys(records[0]!) as Name[];
  const sum = (name: Name) => records.reduce((total, record) => total + record[name], 0);
  return Object.fromEntries(names.map((name) => [name, sum(name)])) as Record<Name, number>;
}

function meanOf(records: readonly Scores[]): Scores {
  const sums = Object.entries(sumOf(records));
  return Object.fromEntries(sums.map(([name, sum]) => [name, sum / records.length]));
}

async function evaluateOnce<Sample>(
  experiment: Experiment<Sample>,
  request: EvaluationRequest,
  report: (progress: EvaluationProgress) => void,
  signal: AbortSignal | undefined,
): Promise<Evaluation> {
  const { simulator, task, target, trainingSamples } = experiment;
  const { theta, seeds } = request;
  const timing = { queueMs: 0, simulateMs: 0, trainMs: 0, validateMs: 0 };
  let clock = performance.now();
  const lap = () => -clock + (clock = performance.now());
  const without = (outcome: Outcome, reason: string) => ({ outcome, reward: null, scores: {}, reason, timing });

  // Simulate: D(θ) = {s ~ P(· | θ)}
  const drawing = { report: (fraction: number) => report({ phase: 'simulate', fraction }), signal };
  try {
    return await withSamples(simulator, theta, seeds.simulation, trainingSamples, drawing, async (samples) => {
      timing.simulateMs = lap();

      // Train: h* = argmin over h of the loss on D(θ)
      const early = request.earlyScores === true;
      const scoreEarly = early ? earlyScorer(target, signal) : () => undefined;
      const watch: TrainingProgress<Sample> = async ({ fraction, loss, model, ...own }) => {
        signal?.throwIfAborted(); // an aborted training ends here
        const scores = own.scores ?? (await scoreEarly(fraction, model));
        const metrics = { ...(loss !== undefined && { loss }), ...own.metrics, ...scores };
        report({ phase: 'train', fraction, metrics, ...(scores && { scored: true }) });
      };
      const { validation, test } = target;
      const scoring = { validation, ...(request.test && { test }), early, signal };
      const model = await task.train(samples, seeds, watch, scoring);
      timing.trainMs = lap();

      // Score: R(θ) is always taken on validation
      try {
        signal?.throwIfAborted();
        report({ phase: 'validate', fraction: 0 });
        const scores = await model.score(await target.validation(signal));
        signal?.throwIfAborted();
        const testScores = request.test ? await scoreTestSets(model, target, signal) : undefined;
        timing.validateMs = lap();
        const reward = scores[task.reward];
        if (reward === undefined) {
          throw new Error(
            `${task.name}: expected scores with ${task.reward}, got ${Object.keys(scores).join(', ') || 'none'}`,
          );
        }
        if (!Number.isFinite(reward)) {
          return without('diverged', `${task.name}: expected a finite ${task.reward}, got ${shown(reward)}`);
        }
        checkBounds(task, scores);
        if (testScores) checkBounds(task, testScores);
        const pictures = request.pictures && (await picturesOf(model, target, signal));
        return {
          outcome: 'ok',
          reward,
          scores,
          ...(testScores && { testScores }),
          ...(pictures && { pictures }),
          timing,
        };
      } finally {
        model.dispose();
      }
    });
  } catch (error) {
    signal?.throwIfAborted(); // what goes wrong while it is stopped is no outcome
    if (error instanceof InfeasibleError) return without('infeasible', error.message);
    if (error instanceof FailedError) return without('failed', error.message);
    throw error;
  }
}

/** What a model predicts for validation samples, as pictures. An error here is no error of the evaluation. */
async function picturesOf<Sample>(
  model: TrainedModel<Sample>,
  target: Target<Sample>,
  signal: AbortSignal | undefined,
): Promise<readonly EncodedStrip[] | string> {
  if (!model.pictures) return 'its model does not show what it predicts';
  try {
    return await encodedStrips(await model.pictures(await target.validation(signal)));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @throws {Error} naming a score that is finite and beyond the bounds of its metric, except by rounding */
function checkBounds<Sample>({ name: task, metrics }: Task<Sample>, scores: Scores): void {
  for (const [name, score] of Object.entries(scores)) {
    // The score of a further test set is `<set>.<metric>`.
    const metric = metrics.find((one) => name === one.name || name.endsWith(`.${one.name}`));
    if (!metric || !Number.isFinite(score)) continue;
    const { low, high } = metric;
    const beyond = score < low ? low - score : score > high ? score - high : 0;
    if (beyond <= 1e-9 * Math.max(1, Math.abs(score))) continue;
    throw new Error(`${task}: expected ${name} from ${low} to ${high}, as its metric says, got ${shown(score)}`);
  }
}

/** Scores of the test set by metric, and of each further set by `<set>.<metric>`. */
export async function scoreTestSets<Sample>(
  model: TrainedModel<Sample>,
  target: Target<Sample>,
  signal: AbortSignal | undefined,
): Promise<Scores> {
  const scores: Record<string, number> = { ...(await model.score(await target.test(signal))) };
  for (const [name, samples] of Object.entries(target.alsoTest ?? {})) {
    const set = await samples(signal);
    if (set.length === 0) continue;
    for (const [metric, score] of Object.entries(await model.score(set))) scores[`${name}.${metric}`] = score;
  }
  return scores;
}
