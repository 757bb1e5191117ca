/** A step as the journal has it: what was accepted, and the row that is kept of it. */
import type { Seed } from '../../protocol/random.ts';
import type { EpisodeStream } from '../episodes.ts';
import type { EvaluationRequest } from '../evaluate.ts';

type EpisodeState = EpisodeStream['state'];

/** A step as it was accepted. */
export interface StepRecord {
  readonly id: string;
  /** Of the request: tells the same step sent again from another one under its id. */
  readonly hash: string;
  readonly seed: Seed;
  readonly request: EvaluationRequest;
  readonly deadlineMs?: number | undefined;
  /** 1, 2, 3 … in a session, in the order of acceptance. */
  readonly number: number;
  /** Of the session, once the step was accepted: so a step is one write, not two. */
  readonly episodes: EpisodeState;
  /** Milliseconds since 1970; for people who look for an evaluation. */
  readonly acceptedAt: number;
}

/** The columns of the table `steps` but the last, the result, in their order. */
export type StepRow = readonly [
  sessionId: string,
  stepId: string,
  number: number,
  hash: string,
  seed: number,
  episodes: string,
  request: string | null,
  deadlineMs: number | null,
  test: 0 | 1,
  acceptedAt: number,
  seq: number | null,
];

/** @param seq of its result, where it has one: nobody asks for the request then */
export function rowOf(sessionId: string, step: StepRecord, seq: number | null = null): StepRow {
  const { id, number, hash, seed, request, deadlineMs = null, acceptedAt } = step;
  const episodes = JSON.stringify(step.episodes);
  const asked = seq === null ? JSON.stringify(request) : null;
  return [sessionId, id, number, hash, seed, episodes, asked, deadlineMs, request.test ? 1 : 0, acceptedAt, seq];
}

/** The inverse of rowOf, of a row of the table. */
export function stepRecord(row: Record<string, unknown>): StepRecord {
  const { step_id, hash, seed, number, episodes, request, deadline_ms, accepted_at } = row as Record<string, string>;
  return {
    id: step_id!,
    hash: hash!,
    seed: Number(seed),
    request: JSON.parse(request ?? 'null') as EvaluationRequest,
    ...(deadline_ms !== null && { deadlineMs: Number(deadline_ms) }),
    number: Number(number),
    episodes: JSON.parse(episodes!) as EpisodeState,
    acceptedAt: Number(accepted_at),
  };
}
