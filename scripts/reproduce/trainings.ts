/** Models that are trained in this process on given samples: real ones, drawn ones, or both. */
import { runAll } from '../../agents/run/runner.ts';
import type { EvaluationRecord } from '../../agents/run/trial-log.ts';
import { scoreTestSets } from '../../env/evaluate.ts';
import type { Experiment } from '../../env/experiments/experiment.ts';
import { loadDefinition } from '../../env/experiments/load.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import { deriveSeed } from '../../protocol/random.ts';
import { goOn, openEvaluationLog, type Laboratory } from './laboratory.ts';
import { logPath } from './logs.ts';
import { trainingsOf, type TrainingRequest } from './arms.ts';
import type { Evidence, TrainedArm } from './study.ts';

/**
 * Trains and scores every model of an arm that its log lacks, one after the other.
 *
 * @throws {Error} when interrupted between two trainings, a model diverges, or the log has another θ under the same key
 */
export async function trainArm(
  laboratory: Laboratory,
  name: string,
  arm: TrainedArm,
  evidence: Evidence,
): Promise<void> {
  const { study, preset } = evidence;
  const definition = await loadDefinition(study.environment);
  const options = { ...preset.envOptions, ...arm.envOptions };
  const { experiment, spec } = describeExperiment(definition, options, laboratory.runtime, undefined);
  const realOf = async (number: number) => (await arm.real?.(experiment, number)) ?? [];
  const path = logPath(laboratory.logs, name);
  const { log, known } = await openEvaluationLog(path, 'trained', spec, async () => ({
    real: (await realOf(1)).length,
  }));
  try {
    await runAll(trainingsOf(name, arm, evidence), {
      log,
      known,
      atOnce: 1,
      evaluate: async (training) => {
        goOn(laboratory);
        console.log(`${name}: training ${training.number}`);
        return train(experiment, training, await realOf(training.number));
      },
      differs: ({ theta = {} }, logged) =>
        JSON.stringify(theta) === JSON.stringify(logged.theta)
          ? undefined
          : 'expected the θ of this command, got another; move it away',
    });
  } finally {
    log.close();
  }
}

async function train(
  { simulator, task, target, trainingSamples }: Experiment,
  { key, number, theta }: TrainingRequest,
  real: readonly unknown[],
): Promise<EvaluationRecord> {
  const simulation = deriveSeed(number, 'synthetic training');
  const drawn = theta ? await drawSamples(simulator, theta, simulation, trainingSamples) : [];
  const seed = deriveSeed(number, 'real training');
  const seeds = { initialisation: deriveSeed(seed, 'initialisation'), order: deriveSeed(seed, 'order') };
  const model = await task.train([...drawn, ...real], seeds, () => {});
  try {
    const scores = await model.score(await target.validation());
    const reward = scores[task.reward]!;
    if (!Number.isFinite(reward)) throw new Error(`${key}: expected a finite ${task.reward}, got ${reward}`);
    const testScores = await scoreTestSets(model, target, undefined);
    return {
      ...{ type: 'evaluation', key, action: [], theta: theta ?? {}, outcome: 'ok', reward, scores, testScores },
      ...{ seeds: { ...(theta && { simulation }), ...seeds }, timing: {} },
    };
  } finally {
    model.dispose();
  }
}
