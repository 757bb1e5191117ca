/**
 * The files by which a program and this environment talk, as schemas: the source of their types, of the checks, and of
 * the JSON Schemas that a server publishes. env/programs.md says what they mean together.
 */
import { z } from 'zod';
import { theta } from '../../protocol/parameters.ts';

/** Raised when a program that keeps to the earlier contract would no longer work. */
export const CONTRACT = 1;

const size = z.int().min(1);
const path = z.string().min(1);

const common = {
  contract: z.literal(CONTRACT),
  /** The number of the call; the answer of a program that stays up repeats it. */
  id: z.int(),
  /** Where the program's files go. The folder is there. */
  out: path,
  /** The file that the program may append its progress to. */
  progress: path,
  /** The file that the program writes a reason to before it ends with code 3. */
  failure: path,
  /** Size of the images, in pixels. */
  width: size,
  height: size,
  /** The client's own options for this program. */
  options: z.record(z.string(), z.json()),
};

/** `request.json` of a simulator. */
export const simulatorRequest = z.object({
  ...common,
  kind: z.literal('simulate'),
  theta,
  seed: z.int(),
  /** The images are number `first`, `first` + 1, …, `count` of them. */
  first: z.int().min(0),
  count: size,
});
export type SimulatorRequest = z.infer<typeof simulatorRequest>;

/** `request.json` of a trainer. */
export const trainerRequest = z.object({
  ...common,
  kind: z.literal('train'),
  /** The folder of the training images, as a simulator writes it. */
  data: path,
  /** The number of training images. */
  count: size,
  /** The folder that the scores are taken on. */
  validation: path,
  /** The folder that the test scores are taken on; left out where nobody asked for them. */
  test: path.optional(),
  seeds: z.object({ initialisation: z.int(), order: z.int() }),
  /** The names of the scores; the first is the reward. */
  metrics: z.array(z.string()).min(1),
  /** Whether scores of the unfinished model are wanted, as progress. */
  early_scores: z.boolean(),
});
export type TrainerRequest = z.infer<typeof trainerRequest>;

export type ProgramRequest = SimulatorRequest | TrainerRequest;

/** Null: the training diverged. */
const scores = z.record(z.string(), z.number().nullable());

/** `result.json` of a trainer. */
export const trainerResult = z.object({ scores, test_scores: scores.optional() });
export type TrainerResult = z.infer<typeof trainerResult>;

/** A line of the file of progress. */
export const progressLine = z.object({
  fraction: z.number().min(0).max(1),
  metrics: z.record(z.string(), z.number()).optional(),
  /** Whether `metrics` are scores of the unfinished model. */
  scored: z.boolean().optional(),
});
export type ProgressLine = z.infer<typeof progressLine>;

/** A line of standard output of a program that stays up: the end of the call with this id. */
export const warmAnswer = z.object({
  id: z.int(),
  /** The code that it would have ended with, if it did not stay up. */
  exit: z.int(),
  /** Where the code is neither 0 nor 3: what went wrong. */
  reason: z.string().optional(),
});

/** The files and lines as JSON Schema (2020-12), by what they are. */
export function programSchemas() {
  const files = { simulatorRequest, trainerRequest, trainerResult, progressLine, warmAnswer };
  const schemas = Object.entries(files).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: 'input' })]);
  return { contract: CONTRACT, ...(Object.fromEntries(schemas) as Record<keyof typeof files, object>) };
}
