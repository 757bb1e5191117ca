/** What a client is told about an environment: its spaces, the parameters of θ, its metrics. */
import { z } from 'zod';
import { parameter, theta } from './parameters.ts';

/** Gymnasium's Box in the encoding of Minari (`minari.serialization.deserialize_space`), with names beside it. */
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
  /** Null where there is no bound. */
  low: z.number().nullable(),
  high: z.number().nullable(),
});

/** All that a client needs to know of an environment. */
export const specification = z.object({
  env_id: z.string(),
  title: z.string(),
  /** Changes whenever two scores under it could no longer be compared. */
  spec_hash: z.string(),
  /** What `open` asked for, completed with the defaults. */
  options: z.record(z.string(), z.unknown()),
  spaces: z.object({ action: box, observation: box }),
  parameters: z.array(parameter),
  /** In the order of the observation. */
  metrics: z.array(metric),
  reward: z.object({ metric: z.string(), direction: z.literal('maximize') }),
  /** θ where a search starts: plausible, but poor. */
  start: theta,
  /** θ where no one has said anything. */
  default: theta,
  /** What draws the images, where the simulator draws any: another renderer, or version, gives other images. */
  renderer: z.object({ name: z.string(), version: z.int() }).optional(),
  /** How many samples a model is trained on. */
  training_samples: z.int(),
  /** What the evaluations run on, where the server knows it. Rewards are equal to the bit on equal builds and backends. */
  backend: z.string().optional(),
});

export type Box = z.infer<typeof box>;
export type Specification = z.infer<typeof specification>;
