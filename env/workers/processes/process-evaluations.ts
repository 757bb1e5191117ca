import type { Evaluations } from '../evaluations.ts';
import { QueuedEvaluations } from '../queued-evaluations.ts';
import { WorkerProcesses, type WorkerProcessesOptions } from './worker-processes.ts';

/** Evaluations that take turns in this process, and run in child processes of it. */
export function processEvaluations(options: WorkerProcessesOptions): Evaluations {
  return new QueuedEvaluations(new WorkerProcesses(options));
}
