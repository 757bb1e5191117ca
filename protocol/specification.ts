/** The description of an environment that a client receives: its spaces, the parameters of θ, its metrics. */
import { z } from 'zod';
import { parameter, theta } from './parameters.ts';

/** Gymnasium's Box in Minari's encoding (`minari.serialization.deserialize_space`), with the names of its components. */
const box = z.object({
  type: z.literal('Box'),
  dtype: z.literal('float32'),
  shape: z.array(z.int()),
  low: z.array(z.number()),
  high: z.array(z.number()),
  names: z.array(z.string()),
});

const metric = z.object({
  name: z.string(),
  meaning: z.string(),
  /** `low` and `high` are null where there is no bound. */
  low: z.number().nullable(),
  high: z.number().nullable(),
});

/** Everything that a client needs to know about an environment. */
export const specification = z.object({
  env_id: z.string(),
  title: z.string(),
  /** Covers everything that decides a score: two scores can be compared only if their hashes are equal. */
  spec_hash: z.string(),
  /** The options of `open`, completed with the defaults. */
  options: z.record(z.string(), z.unknown()),
  spaces: z.object({ action: box, observation: box }),
  parameters: z.array(parameter),
  /** In the order of the observation. */
  metrics: z.array(metric),
  reward: z.object({ metric: z.string(), direction: z.literal('maximize') }),
  /** The θ where a search starts: plausible, but poor. */
  start: theta,
  /** θ with the default of every parameter. */
  default: theta,
  /**
   * The renderer of a simulator that draws images, and what draws for it where that decides the images too. Another
   * renderer, another version of it or another driver draws other images.
   */
  renderer: z.object({ name: z.string(), version: z.int(), driver: z.string().optional() }).optional(),
  /** The number of samples that a model is trained on. */
  training_samples: z.int(),
  /** Whether equal θ and seeds give equal rewards; they do where it is left out. A program of somebody's may not. */
  deterministic: z.boolean().optional(),
  /** Whether samples of a θ can be drawn as pictures (rule W9). */
  pictures: z.literal(true).optional(),
  /** The backend of the evaluations, if the server knows it. Equal builds and backends give rewards equal to the bit. */
  backend: z.string().optional(),
});

export type Box = z.infer<typeof box>;
export type Specification = z.infer<typeof specification>;
