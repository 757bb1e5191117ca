/** Runs jobs, one at a time: the work of a worker, in a child process or in the server's process. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluate, type Evaluation, type EvaluationProgress } from '../../evaluate.ts';
import { createExperiment, loadDefinition } from '../../experiments/load.ts';
import { filesOf, type Experiment } from '../../experiments/experiment.ts';
import { codeHashWith } from '../code-hash.ts';
import type { Job } from '../evaluations.ts';
import { encodedStrips } from '../../pictures.ts';
import { withSamples } from '../../simulators/draw-samples.ts';
import type { DrawJob, FromWorker, ToWorker } from './messages.ts';

/** The least time between two progress messages. */
const PROGRESS_EVERY_MS = 250;
/** The number of experiments (source, options and runtime) that are kept ready. */
const CACHE_SIZE = 4;

export class Evaluator {
  private readonly experiments = new Map<string, Experiment>();
  /** The evaluation that is running. */
  private current: { readonly number: number; readonly stop: AbortController } | undefined;

  constructor(private readonly tell: (message: FromWorker) => void) {}

  hear(message: ToWorker): void {
    switch (message.kind) {
      case 'prepare':
        return void this.prepare(message);
      case 'evaluate':
        return void this.run(message.number, message.job);
      case 'draw':
        return void this.draw(message.number, message.job);
      case 'cancel':
        if (this.current?.number === message.number) this.current.stop.abort();
    }
  }

  /**
   * The experiment of a job. Beyond the cache's size, the least recently used experiments are disposed of.
   *
   * @throws {Error} when the files that it reads are not those that the job is about
   */
  private async experimentOf({ source, options, runtime, content }: Omit<Job, 'id' | 'request'>): Promise<Experiment> {
    const key = JSON.stringify([source, options, runtime]);
    const isMeant = (one: Experiment) => content === undefined || filesOf(one) === content;
    let experiment = this.experiments.get(key);
    this.experiments.delete(key);
    if (!experiment || !isMeant(experiment)) {
      experiment?.dispose?.();
      experiment = createExperiment(await loadDefinition(source), options, runtime).experiment;
    }
    if (!isMeant(experiment)) throw new Error(`${source}: its files have changed since the session was opened`);
    this.experiments.set(key, experiment);
    for (const [oldest, unused] of this.experiments) {
      if (this.experiments.size <= CACHE_SIZE) break;
      this.experiments.delete(oldest);
      unused.dispose?.();
    }
    return experiment;
  }

  private async prepare({ sources, runtime, code }: Extract<ToWorker, { kind: 'prepare' }>): Promise<void> {
    try {
      if (code && code.hash !== codeHashWith(code.sources)) {
        throw new Error('the code: expected what it was when the program started, got changed files; start it again');
      }
      for (const source of code?.sources ?? []) await loadDefinition(source); // what is loaded does not change any more
      const backends: Record<string, string> = {};
      for (const source of sources) {
        const { options } = createExperiment(await loadDefinition(source), {}, runtime);
        const experiment = await this.experimentOf({ source, options, runtime });
        const backend = await experiment.prepare?.();
        if (backend !== undefined) backends[source] = backend;
      }
      this.tell({ kind: 'ready', backends });
    } catch (error) {
      this.tell({ kind: 'unprepared', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  private async run(number: number, job: Job): Promise<void> {
    const stop = new AbortController();
    this.current = { number, stop };
    let experiment: Experiment | undefined;
    try {
      experiment = await this.experimentOf(job);
      const options = { report: this.reporter(number), signal: stop.signal };
      const evaluation = await evaluate(experiment, job.request, options);
      this.tell({ kind: 'done', number, evaluation: finiteScores(evaluation) });
    } catch (error) {
      if (stop.signal.aborted) return this.tell({ kind: 'cancelled', number });
      console.error(error);
      const reason = error instanceof Error ? `${error.name}: ${error.message}${place(error)}` : String(error);
      this.tell({ kind: 'threw', number, reason, ...(!experiment && { uncreated: true }) });
    }
  }

  private async draw(number: number, { theta, seed, ...about }: DrawJob): Promise<void> {
    try {
      const { pictures, simulator } = await this.experimentOf(about);
      if (!pictures) throw new Error(`${about.source}: expected an environment whose samples can be shown`);
      const drawn = await withSamples(simulator, theta, seed, pictures.samples, {}, async (samples) =>
        encodedStrips(await pictures.draw(samples)),
      );
      this.tell({ kind: 'drawn', number, drawn });
    } catch (error) {
      this.tell({ kind: 'drawn', number, drawn: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Sends progress at most every PROGRESS_EVERY_MS, but always progress with scores. */
  private reporter(number: number): (progress: EvaluationProgress) => void {
    let last = performance.now();
    return (progress) => {
      if (!progress.scored && performance.now() - last < PROGRESS_EVERY_MS) return;
      last = performance.now();
      this.tell({ kind: 'progress', number, progress });
    };
  }
}

/** The place in the project where an error was thrown, such as ` (env/examples/line.ts:36)`; empty if unknown. */
function place({ stack = '' }: Error): string {
  const frames = stack.split('\n').map((line) => /^ +at .*?((?:file:\/\/)?\/[^()]+?):(\d+):\d+\)?$/.exec(line));
  const own = frames.find((frame) => frame && !frame[1]!.includes('/node_modules/'));
  if (!own) return '';
  const path = own[1]!.startsWith('file:') ? fileURLToPath(own[1]!) : own[1]!;
  return ` (${relative(process.cwd(), path)}:${own[2]})`;
}

/** Drops scores that are not finite: the protocol cannot carry them. The reward has been checked by `evaluate`. */
function finiteScores(evaluation: Evaluation): Evaluation {
  const { scores, testScores } = evaluation;
  const finite = (all: Evaluation['scores']) =>
    Object.values(all).every(Number.isFinite)
      ? all
      : Object.fromEntries(Object.entries(all).filter(([, score]) => Number.isFinite(score)));
  return { ...evaluation, scores: finite(scores), ...(testScores && { testScores: finite(testScores) }) };
}
