import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Evaluation } from '../evaluate.ts';
import type { Evaluations } from '../workers/evaluations.ts';

/** The figures that `GET /metrics` reports to Prometheus. */
export interface Metrics {
  readonly registry: Registry;
  /** The number of evaluations that have ended. */
  readonly evaluations: number;
  evaluated(evaluation: Evaluation): void;
  received(bytes: number): void;
  sent(bytes: number): void;
  refused(code: string): void;
}

/** From a millisecond to an hour. */
const SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const outcomes = counter('lts_evaluations_total', 'Evaluations that ended, by outcome.', ['outcome']);
  const bytes = { received: 0, sent: 0 };
  for (const way of ['received', 'sent'] as const) {
    new Counter({
      name: `lts_${way}_bytes_total`,
      help: `Bytes of messages ${way === 'received' ? 'from' : 'to'} clients.`,
      registers,
      // Counted in a plain number with every message, and copied only when the page is read.
      collect() {
        this.reset();
        this.inc(bytes[way]);
      },
    });
  }
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the server’s process, without its workers.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const errors = counter('lts_errors_total', 'Requests that were refused, by code.', ['code']);
  const help = 'How long evaluations waited and ran, by phase.';
  const seconds = new Histogram({
    name: 'lts_evaluation_seconds',
    help,
    labelNames: ['phase'],
    buckets: SECONDS,
    registers,
  });
  let evaluations = 0;
  return {
    registry,
    get evaluations() {
      return evaluations;
    },
    evaluated({ outcome, timing }) {
      evaluations++;
      outcomes.inc({ outcome });
      seconds.observe({ phase: 'queue' }, timing.queueMs / 1000);
      if (outcome !== 'ok') return;
      seconds.observe({ phase: 'simulate' }, timing.simulateMs / 1000);
      seconds.observe({ phase: 'train' }, timing.trainMs / 1000);
      seconds.observe({ phase: 'validate' }, timing.validateMs / 1000);
    },
    received: (count) => void (bytes.received += count),
    sent: (count) => void (bytes.sent += count),
    refused: (code) => errors.inc({ code }),
  };
}

/** Adds the figures that are read only when the page is: sessions, connections, the queue, the workers. */
export function observe(
  { registry }: Metrics,
  evaluations: Evaluations,
  count: { readonly sessions: () => number; readonly connections: () => number },
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('lts_sessions', 'Open sessions, attached or waiting for their client.', count.sessions);
  gauge('lts_connections', 'Open sockets.', count.connections);
  gauge('lts_queue_depth', 'Evaluations that wait for a worker.', () => evaluations.counts.queued);
  gauge('lts_in_flight', 'Evaluations that run.', () => evaluations.counts.running);
  gauge('lts_workers_ready', 'Workers that can take an evaluation.', () => evaluations.counts.readyWorkers);
  gauge('lts_workers', 'Workers, with those that start or are silent.', () => evaluations.counts.workers);
  gauge('lts_workers_refused', 'Worker programs on other machines that were refused.', () => {
    return evaluations.workers.filter(({ state }) => state === 'refused').length;
  });
  gauge(
    'lts_workers_wanted',
    'Workers that would all have an evaluation: those that wait and those that run.',
    () => evaluations.counts.queued + evaluations.counts.running,
  );
  gauge('lts_queue_oldest_seconds', 'How long the evaluation that has waited longest has waited.', () => {
    return evaluations.longestWaitMs / 1000;
  });
  gauge('lts_queue_reached', 'Whether the queue of other machines can be reached: 1 or 0; 1 without one.', () =>
    evaluations.failure === undefined ? 1 : 0,
  );
  gauge(
    'lts_worker_restarts',
    'Workers that ended without being asked to, since the start.',
    () => evaluations.counts.restarts,
  );
  gauge('lts_memory_bytes', 'Resident memory of the server’s process, without its workers.', () =>
    process.memoryUsage.rss(),
  );
}
