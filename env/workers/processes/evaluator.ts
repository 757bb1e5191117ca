/** Runs jobs, one after the other: what a worker does, in a process of its own or in the server's. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluate, type Evaluation, type EvaluationProgress } from '../../evaluate.ts';
import { createExperiment, loadDefinition } from '../../experiments/load.ts';
import type { Experiment } from '../../experiments/experiment.ts';
import type { FromWorker, Job, NumberedJob, ToWorker } from '../job.ts';

/** Progress leaves at most this often. */
const PROGRESS_EVERY_MS = 250;
/** Experiments (id and options) that are kept ready. */
const CACHE_SIZE = 4;

class Cancelled extends Error {}

export class Evaluator {
  private readonly experiments = new Map<string, Experiment>();
  /** The job before this one, whose experiment this one has too, mostly. */
  private last:
    { readonly source: string; readonly options: Job['options']; readonly experiment: Experiment } | undefined;
  private readonly cancelled = new Set<number>();
  private readonly waiting: NumberedJob[] = [];
  private busy = false;
  /** Of evaluations that have ended in this turn of the event loop: they leave together. */
  private done: Extract<FromWorker, { kind: 'done' }>['results'] = [];

  constructor(private readonly tell: (message: FromWorker) => void) {}

  hear(message: ToWorker): void {
    switch (message.kind) {
      case 'prepare':
        void this.prepare(message.sources);
        return;
      case 'evaluate':
        this.waiting.push(...message.jobs);
        if (!this.busy) void this.work();
        return;
      case 'cancel':
        this.cancelled.add(message.number);
    }
  }

  /** The experiment of a job; the least recently used beyond the cache's size is disposed of. */
  private async experimentOf(source: string, options: Job['options']): Promise<Experiment> {
    const key = JSON.stringify([source, options]);
    const experiment = this.experiments.get(key) ?? createExperiment(await loadDefinition(source), options).experiment;
    this.experiments.delete(key);
    this.experiments.set(key, experiment);
    for (const [oldest, unused] of this.experiments) {
      if (this.experiments.size <= CACHE_SIZE) break;
      this.experiments.delete(oldest);
      unused.dispose?.();
    }
    return experiment;
  }

  private async prepare(sources: readonly string[]): Promise<void> {
    try {
      const backends: Record<string, string> = {};
      for (const source of sources) {
        const { options } = createExperiment(await loadDefinition(source), {});
        const experiment = await this.experimentOf(source, options);
        const backend = await experiment.prepare?.();
        if (backend !== undefined) backends[source] = backend;
      }
      this.tell({ kind: 'ready', backends });
    } catch (error) {
      this.tell({ kind: 'unprepared', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  private async work(): Promise<void> {
    this.busy = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) await this.run(next);
    this.busy = false;
    this.cancelled.clear();
  }

  private async run({ number, job, progress }: NumberedJob): Promise<void> {
    try {
      if (this.cancelled.has(number)) throw new Cancelled();
      const { last } = this;
      const same = last?.source === job.source && last.options === job.options;
      const experiment = same ? last.experiment : await this.experimentOf(job.source, job.options);
      this.last = { source: job.source, options: job.options, experiment };
      const evaluation = await evaluate(experiment, job.request, { report: this.reporter(number, progress) });
      // After all microtasks: the quick evaluations behind this one have ended then.
      if (this.done.push({ number, evaluation: finiteScores(evaluation) }) === 1)
        process.nextTick(() => this.tellDone());
    } catch (error) {
      this.tellDone();
      if (error instanceof Cancelled) return this.tell({ kind: 'cancelled', number });
      console.error(error);
      const reason = error instanceof Error ? `${error.name}: ${error.message}${place(error)}` : String(error);
      this.waiting.length = 0;
      this.tell({ kind: 'threw', number, reason });
    }
  }

  private tellDone(): void {
    const results = this.done;
    this.done = [];
    if (results.length > 0) this.tell({ kind: 'done', results });
  }

  /** Reports at most every PROGRESS_EVERY_MS, and all scores; each report is also where a cancelled evaluation ends. */
  private reporter(number: number, wanted: boolean): (progress: EvaluationProgress) => void {
    let last = performance.now();
    return (progress) => {
      if (this.cancelled.has(number)) throw new Cancelled();
      if (!wanted || (!progress.scored && performance.now() - last < PROGRESS_EVERY_MS)) return;
      last = performance.now();
      this.tell({ kind: 'progress', number, progress });
    };
  }
}

/** Where in the project an error was thrown, such as ` (env/examples/line.ts:36)`; empty where that is unknown. */
function place({ stack = '' }: Error): string {
  const frames = stack.split('\n').map((line) => /^ +at .*?((?:file:\/\/)?\/[^()]+?):(\d+):\d+\)?$/.exec(line));
  const own = frames.find((frame) => frame && !frame[1]!.includes('/node_modules/'));
  if (!own) return '';
  const path = own[1]!.startsWith('file:') ? fileURLToPath(own[1]!) : own[1]!;
  return ` (${relative(process.cwd(), path)}:${own[2]})`;
}

/** Of a metric other than the reward that is no number there is nothing to send. */
function finiteScores(evaluation: Evaluation): Evaluation {
  const { scores, testScores } = evaluation;
  const finite = (all: Evaluation['scores']) =>
    Object.values(all).every(Number.isFinite)
      ? all
      : Object.fromEntries(Object.entries(all).filter(([, score]) => Number.isFinite(score)));
  return { ...evaluation, scores: finite(scores), ...(testScores && { testScores: finite(testScores) }) };
}
