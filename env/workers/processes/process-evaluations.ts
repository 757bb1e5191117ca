import type { Evaluations } from '../evaluations.ts';
import { QueuedEvaluations } from '../queued-evaluations.ts';
import { WorkerProcesses, type WorkerProcessesOptions } from './worker-processes.ts';

/** Evaluations that wait in a queue in this process and run in its child processes. */
export function processEvaluations(options: WorkerProcessesOptions): Evaluations {
  return new QueuedEvaluations(new WorkerProcesses(options));
}
