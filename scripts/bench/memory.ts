/** Measures the memory of a worker over many evaluations: it must not grow. */
import * as tf from '@tensorflow/tfjs-core';
import { evaluationSeeds } from '../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { processEvaluations } from '../../env/workers/processes/process-evaluations.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import { runtimeOf } from '../runtime-flags.ts';
import type { EvaluateBenchOptions } from './evaluate.ts';

/** The number of times that memory is read. */
const READINGS = 20;

interface Reading {
  readonly evaluations: number;
  /** Memory of the whole process, with libtensorflow, in MB. */
  readonly rss: number;
  /** Memory of JavaScript's objects, in MB; `arrays`: of its array buffers. */
  readonly heap: number;
  readonly arrays: number;
  /** The number of tensors that tfjs holds; `nativeTensors`: that libtensorflow holds. */
  readonly tensors: number;
  readonly nativeTensors: number;
}

function read(evaluations: number): Reading {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  const { binding } = tf.backend() as { binding?: { getNumOfTensors(): number } };
  return {
    evaluations,
    rss: megabytes(rss),
    heap: megabytes(heapUsed),
    arrays: megabytes(arrayBuffers),
    tensors: tf.memory().numTensors,
    nativeTensors: binding?.getNumOfTensors() ?? 0,
  };
}

/** Runs `count` evaluations as a worker does, but in this process, whose memory can be read. */
export async function benchMemory({ env, preset, envOptions, json, ...flags }: EvaluateBenchOptions, count: number) {
  const runtime = runtimeOf(flags);
  const definition = await loadDefinition(env);
  const { experiment, options } = createExperiment(definition, { ...(preset && { preset }), ...envOptions }, runtime);
  const theta = completeTheta(experiment.simulator.parameters, experiment.start);
  const evaluations = processEvaluations({ size: 0, sources: [env], runtime });
  const readings: Reading[] = [];
  try {
    await evaluations.ready;
    for (let done = 1; done <= count; done++) {
      const request = { theta, seeds: evaluationSeeds(done), test: false };
      const { outcome, reason } = await evaluations.submit(
        { id: `bench-${done}`, source: env, options, runtime, request },
        { owner: 'bench' },
      );
      if (outcome !== 'ok') throw new Error(`evaluate: expected outcome ok, got ${outcome} (${reason})`);
      if (done % Math.ceil(count / READINGS) !== 0 && done !== 1 && done !== count) continue;
      const reading = read(done);
      readings.push(reading);
      const { rss, heap, arrays, tensors, nativeTensors } = reading;
      console.log(
        `${String(done).padStart(6)} evaluations: rss ${rss} MB, heap ${heap} MB, arrays ${arrays} MB; ` +
          `tensors ${tensors} in tfjs, ${nativeTensors} in libtensorflow`,
      );
    }
  } finally {
    await evaluations.close();
  }
  if (json) console.log(JSON.stringify(readings));
}
