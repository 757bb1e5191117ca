/**
 * Runs graphs on the native backend: all of a graph's operations in one call, scheduled and fused by TensorFlow.
 *
 * The same operations one by one through tfjs take twice the time.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Graph, Value } from './graph.ts';
import { savedModel, TAG } from './graph-def.ts';

/** The part of tfjs-node's binding that we call; tensors go by number. */
interface Binding {
  readonly TF_FLOAT: number;
  createTensor(shape: readonly number[], type: number, numbers: Float32Array): number;
  tensorDataSync(tensor: number): Float32Array;
  deleteTensor(tensor: number): void;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(session: number, inputs: readonly number[], inputNames: string, outputNames: string): { id: number }[];
}

/** A tensor that libtensorflow holds until it is deleted. */
export type Handle = number;

/** How many graphs are kept ready: loading one takes as long as some ten steps of training. */
const CACHE_SIZE = 4;
const cache = new Map<string, Session>();

/** The session of a graph; an equal graph has the same one. The least recently used beyond the cache's size end. */
export function sessionOf(graph: Graph): Session {
  const key = createHash('sha256').update(Buffer.concat(graph.nodes)).digest('hex');
  const session = cache.get(key) ?? new Session(graph);
  cache.delete(key);
  cache.set(key, session);
  for (const [oldest, unused] of cache) {
    if (cache.size <= CACHE_SIZE) break;
    cache.delete(oldest);
    unused.dispose();
  }
  return session;
}

const namesOf = (values: readonly Value[]) => values.map(({ name }) => name).join();

/** A graph that is ready to run. */
class Session {
  private readonly binding = (tf.backend() as tf.KernelBackend & { binding: Binding }).binding;
  private readonly id: number;

  constructor(graph: Graph) {
    const folder = mkdtempSync(join(tmpdir(), 'graph-')); // TensorFlow reads graphs from nowhere else
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel(graph.nodes));
      this.id = this.binding.loadSavedModel(folder + sep, TAG);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Computes the values that are asked for from those that are given, which may stand anywhere in the graph. */
  run(given: readonly Value[], handles: readonly Handle[], wanted: readonly Value[]): Handle[] {
    return this.binding.runSavedModel(this.id, handles, namesOf(given), namesOf(wanted)).map(({ id }) => id);
  }

  write({ shape }: Value, numbers: Float32Array): Handle {
    return this.binding.createTensor(shape, this.binding.TF_FLOAT, numbers);
  }

  read(handle: Handle): Float32Array {
    return this.binding.tensorDataSync(handle);
  }

  /** Deletes what `use` has told it to keep until its end. */
  scope<Result>(use: (keep: (handles: Handle[]) => Handle[]) => Result): Result {
    const kept: Handle[] = [];
    try {
      return use((handles) => {
        kept.push(...handles);
        return handles;
      });
    } finally {
      for (const handle of kept) this.binding.deleteTensor(handle);
    }
  }

  dispose(): void {
    this.binding.deleteSavedModel(this.id);
  }
}
