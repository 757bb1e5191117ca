/** What a server and its workers tell each other through Redis, and whether they fit together. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { ExperimentDefinition } from '../../experiments/experiment.ts';
import { contentHash, specHashOf } from '../../experiments/identity.ts';
import { createExperiment } from '../../experiments/load.ts';
import type { BackendPreference, Runtime } from '../../runtime.ts';
import type { Evaluation, EvaluationProgress, EvaluationRequest } from '../../evaluate.ts';
import type { WorkerInfo } from '../evaluations.ts';

/** An environment that a server offers. */
export interface PoolEnvironment {
  readonly id: string;
  /** With the default options. It covers the data's content. */
  readonly specHash: string;
  /** A hash of the file of one that is a module. */
  readonly module?: string | undefined;
}

/** What all workers of a pool have in common: equal terms give equal rewards. */
export interface Terms {
  readonly build: string;
  readonly environments: readonly PoolEnvironment[];
  /** By environment id, as arithmeticOf says; `mixed`: any. Undefined until a first worker has said its own. */
  readonly backends?: Readonly<Record<string, string>> | 'mixed' | undefined;
}

/** What a server tells the workers, every second. */
export interface Offer {
  readonly server: string;
  readonly host: string;
  readonly terms: Terms;
  /** The name by which workers find the folder of images, where the server has one. */
  readonly data?: string | undefined;
  readonly backend: BackendPreference;
  readonly longestMs: number;
  readonly lockMs: number;
}

/** What a worker tells the servers, every second. */
export type WorkerRecord = Omit<WorkerInfo, 'state'> & {
  readonly state: Exclude<WorkerInfo['state'], 'silent'> | 'gone';
  readonly build: string;
};

/** One evaluation, as it lies in Redis: no path of the server's, since workers have their own. */
export interface QueuedJob {
  readonly environment: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly content?: string | undefined;
  readonly request: EvaluationRequest;
}

/** How far a job is, and on which worker. */
export interface JobProgress {
  readonly worker: string;
  readonly progress: EvaluationProgress;
}

export interface JobResult {
  readonly evaluation: Evaluation;
  /** The progress with scores, all of it: the server may have been away. */
  readonly early: readonly EvaluationProgress[];
}

/** Topics of the Relay; an id is one word of a topic. */
export const TOPICS = {
  offer: 'offer',
  workers: 'workers.*',
  worker: (id: string) => `workers.${id}`,
  cancel: (id: string) => `cancel.${id}`,
} as const;

/** A name for this program that no other one has. */
export function programId(): string {
  return `${hostname().replace(/[^A-Za-z0-9]+/g, '-')}-${process.pid}-${randomBytes(3).toString('hex')}`;
}

/** How often a worker and a server say that they are there, and after which time they count as gone. */
export const BEAT_MS = 1_000;
export const SILENT_MS = 5_000;

/**
 * The name of the queue in which jobs of these terms lie: a worker never sees a job of others.
 *
 * @returns undefined while nobody knows the backends
 */
export function queueName(terms: Terms): string | undefined {
  return terms.backends && `evaluations-${contentHash(terms)}`;
}

/** Whether two servers may use one Redis: their terms differ in nothing but backends that one of them does not know. */
export function areEqual(one: Terms, other: Terms): boolean {
  const same = (a: unknown, b: unknown) => a === undefined || b === undefined || contentHash(a) === contentHash(b);
  const core = ({ build, environments }: Terms) => [build, environments];
  return same(core(one), core(other)) && same(one.backends, other.backends);
}

/** An environment as it is here. @throws {Error} when it cannot be created */
export function poolEnvironment(source: string, definition: ExperimentDefinition, runtime: Runtime): PoolEnvironment {
  const { experiment, options } = createExperiment(definition, {}, runtime);
  return { id: definition.id, module: moduleHash(source), specHash: specHashOf(definition, experiment, options) };
}

/** A hash of the file of an environment that is a module; undefined for one of ours, which the build covers. */
function moduleHash(source: string): string | undefined {
  return existsSync(resolve(source)) ? contentHash(readFileSync(resolve(source), 'utf8')) : undefined;
}

/** Why a worker does not fit, in a sentence: its build, an environment, or a backend; undefined if it does. */
export function misfit(terms: Terms, own: Pick<Terms, 'build' | 'environments'> & Pick<WorkerInfo, 'backends'>) {
  if (own.build !== terms.build) return `build: expected ${terms.build}, got ${own.build}`;
  for (const { id, module, specHash } of terms.environments) {
    const mine = own.environments.find((one) => one.id === id);
    if (!mine) return `${id}: expected this environment (--env with its module), got none`;
    if (mine.module !== module) return `${id}: expected a module with the hash ${module}, got ${mine.module ?? 'none'}`;
    if (mine.specHash !== specHash) {
      return `${id}: expected the specification ${specHash}, got ${mine.specHash}: other data, or another simulator`;
    }
  }
  if (!own.backends || !terms.backends || terms.backends === 'mixed') return undefined;
  for (const [id, backend] of Object.entries(terms.backends)) {
    const mine = own.backends[id];
    if (mine !== backend) {
      return `${id}: expected the backend ${backend}, got ${mine ?? 'none'}; serve --mixed-backends takes both`;
    }
  }
  return undefined;
}
