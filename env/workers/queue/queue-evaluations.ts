import { DEFAULT_RUNTIME } from '../../runtime.ts';
import type { Evaluations } from '../evaluations.ts';
import { WorkerProcesses, type WorkerProcessesOptions } from '../processes/worker-processes.ts';
import { QueuedEvaluations, type Workers } from '../queued-evaluations.ts';
import { arithmeticOf } from './arithmetic.ts';
import { JoinedWorkers } from './joined-workers.ts';
import type { PoolEnvironment } from './pool.ts';
import { QueueWorkers } from './queue-workers.ts';

/** Where the workers of other machines are found, and which are taken. */
export interface QueueOptions {
  /** Of Redis: `redis://host:port`. */
  readonly url: string;
  /** Names the build, to the last change of a file: a worker of another one is refused. */
  readonly build: string;
  /** The name by which workers find their folder of images; undefined where the server has none. */
  readonly data?: string | undefined;
  /** Whether workers of different backends may take part, though their rewards differ. */
  readonly mixedBackends: boolean;
  /** The time without a sign of life after which an evaluation is taken from its worker. */
  readonly lockMs?: number;
}

export interface QueueEvaluationsOptions extends WorkerProcessesOptions {
  readonly queue: QueueOptions;
  /** By source; those of `sources`. */
  readonly environments: Readonly<Record<string, PoolEnvironment>>;
  readonly longestMs: number;
  /** Whether evaluations that run go on when the server stops, since the next one takes them up. */
  readonly outlives: boolean;
}

/** BullMQ's own; a machine may sleep, and a virtual one be moved, for so long. */
const LOCK_MS = 30_000;
/** What a worker's answer to a cancel may take beyond the time that its process has to stop. */
const ANSWER_MS = 3_000;

/** Evaluations that wait in this process and run in its child processes, if it has any, and on all workers of a Redis. */
export function queueEvaluations(options: QueueEvaluationsOptions): Evaluations {
  const { queue, environments, size, sources, runtime = DEFAULT_RUNTIME, longestMs, outlives, log } = options;
  const { graceMs = 2_000 } = options;
  const offered = Object.values(environments).sort((a, b) => (a.id < b.id ? -1 : 1));
  const remote = new QueueWorkers({
    url: queue.url,
    idOf: Object.fromEntries(Object.entries(environments).map(([source, { id }]) => [source, id])),
    offer: {
      terms: { build: queue.build, environments: offered, backends: queue.mixedBackends ? 'mixed' : undefined },
      data: queue.data,
      backend: runtime.backend,
      longestMs,
      lockMs: queue.lockMs ?? LOCK_MS,
    },
    outlives,
    graceMs: graceMs + ANSWER_MS,
    ...(log && { log }),
  });
  const local = size > 0 ? new WorkerProcesses(options) : undefined;
  const start = async () => {
    await local?.ready;
    await remote.start(local && backendsBy((id) => local.backendOf(sourceOf(id))));
  };
  const sourceOf = (id: string) => sources.find((source) => environments[source]!.id === id)!;
  const backendsBy = (of: (id: string) => string | undefined) =>
    backendsOf(
      offered.map(({ id }) => id),
      of,
    );
  return new QueuedEvaluations(new JoinedWorkers([...(local ? [local] : []), remote] as Workers[], start()));
}

/** The backends of environments by id, without those that report none. */
export function backendsOf(ids: readonly string[], of: (id: string) => string | undefined): Record<string, string> {
  const known = ids
    .map((id) => [id, of(id)] as const)
    .filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([id, backend]) => [id, arithmeticOf(backend)]));
}
