/** What a server must not forget: sessions, their steps, and the results. */
import type { HistoryEntry } from '../../protocol/history.ts';
import type { Result } from '../../protocol/messages.ts';
import type { Seed } from '../../protocol/random.ts';
import type { EpisodeState } from '../episodes.ts';
import type { EvaluationRequest } from '../evaluate.ts';
import type { HistoryFilter } from './history.ts';

/** All of a session that outlives the server's process. */
export interface SessionRecord {
  readonly id: string;
  readonly envId: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly specHash: string;
  readonly episodes: EpisodeState;
  /** The number of steps that were accepted when this was written. */
  readonly steps: number;
  readonly epoch: number;
  /** SHA-256; the tokens themselves are the client's. */
  readonly tokenHash: string;
  readonly previousTokenHash?: string | undefined;
  readonly detachGraceMs: number;
  readonly acknowledged: number;
}

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

/** Which closed sessions are kept. */
export interface Keeping {
  /** A closed session is forgotten so long after its last step. */
  readonly maxAgeMs: number;
  /** Of all results, as JSON; beyond it the oldest closed sessions are forgotten. */
  readonly maxBytes: number;
}

/**
 * Where sessions, steps and results are kept.
 *
 * What one method has added, every other method sees at once. It is safe from the end of the process when
 * `addResult` has resolved; a session or an accepted step a few milliseconds later.
 */
export interface Store {
  saveSession(session: SessionRecord): void;
  closeSession(id: string): void;
  /** The sessions that were not closed, each with what its last steps have changed. */
  openSessions(): SessionRecord[];
  addStep(sessionId: string, step: StepRecord): void;
  /** @returns a promise that resolves when the end of the process can no longer lose the result */
  addResult(step: StepRecord, result: Result): Promise<void>;
  findStep(sessionId: string, stepId: string): { readonly hash: string; readonly result?: Result } | undefined;
  /** Steps that were accepted and have no result, in the order of acceptance. */
  unfinishedSteps(sessionId: string): StepRecord[];
  /** The results of a session after `seq`, in order. */
  resultsSince(sessionId: string, seq: number): Result[];
  /** How many results a session has, and how many of its steps look at the test set. */
  counts(sessionId: string): { readonly results: number; readonly tests: number };
  /** Finished evaluations, the latest first. */
  history(filter: HistoryFilter): HistoryEntry[];
  /**
   * Forgets closed sessions that are too old or too many.
   *
   * @param now milliseconds since 1970
   * @returns   how many
   */
  prune(now: number, keeping: Keeping): number;
  close(): void;
}
