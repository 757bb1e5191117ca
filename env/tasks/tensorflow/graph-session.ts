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

/** The part of tfjs-node's binding that we call; it knows tensors by number. */
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

/** The number of graphs that stay loaded: loading one takes as long as about ten steps of training. */
const MOST_LOADED = 4;
/** The sessions that TensorFlow has loaded, by graph, the least recently run first. */
const loaded = new Map<string, number>();

const namesOf = (values: readonly Value[]) => values.map(({ name }) => name).join();

/** Runs a graph. Equal graphs are loaded once. The least recently run ones are unloaded until they run again. */
export class GraphSession {
  private readonly binding = (tf.backend() as tf.KernelBackend & { binding: Binding }).binding;
  private readonly key: string;

  constructor(private readonly graph: Graph) {
    this.key = createHash('sha256').update(Buffer.concat(graph.nodes)).digest('hex');
  }

  private loaded(): number {
    const session = loaded.get(this.key) ?? this.load();
    loaded.delete(this.key);
    loaded.set(this.key, session);
    for (const [oldest, unused] of loaded) {
      if (loaded.size <= MOST_LOADED) break;
      loaded.delete(oldest);
      this.binding.deleteSavedModel(unused);
    }
    return session;
  }

  private load(): number {
    const folder = mkdtempSync(join(tmpdir(), 'graph-')); // TensorFlow reads graphs from folders only
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModel(this.graph.nodes));
      return this.binding.loadSavedModel(folder + sep, TAG);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Computes the wanted values from the given ones, which may be anywhere in the graph. */
  run(given: readonly Value[], handles: readonly Handle[], wanted: readonly Value[]): Handle[] {
    return this.binding.runSavedModel(this.loaded(), handles, namesOf(given), namesOf(wanted)).map(({ id }) => id);
  }

  write({ shape }: Value, numbers: Float32Array): Handle {
    return this.binding.createTensor(shape, this.binding.TF_FLOAT, numbers);
  }

  read(handle: Handle): Float32Array {
    return this.binding.tensorDataSync(handle);
  }

  /** Calls `use`; at its end, deletes the tensors that it passed to `keep`. */
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
}
