/** The interface to what a server must not forget: sessions, their steps, and the results. */
import type { HistoryEntry } from '../../protocol/history.ts';
import type { Result } from '../../protocol/messages.ts';
import type { Seed } from '../../protocol/random.ts';
import type { EpisodeState } from '../episodes.ts';
import type { EvaluationRequest } from '../evaluate.ts';
import type { HistoryFilter } from './history.ts';

/** The part of a session that outlives the server's process. */
export interface SessionRecord {
  readonly id: string;
  readonly envId: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly specHash: string;
  readonly episodes: EpisodeState;
  /** The number of steps that were accepted before this record was written. */
  readonly steps: number;
  readonly epoch: number;
  /** SHA-256 of the resume token; only the client has the token itself. */
  readonly tokenHash: string;
  readonly previousTokenHash?: string | undefined;
  readonly detachGraceMs: number;
  readonly acknowledged: number;
}

/** An accepted step. */
export interface StepRecord {
  readonly id: string;
  /** Hash of the request: it tells the same step sent again from a different one under the same id. */
  readonly hash: string;
  readonly seed: Seed;
  readonly request: EvaluationRequest;
  readonly deadlineMs?: number | undefined;
  /** 1, 2, 3 … in a session, in the order in which steps are accepted. */
  readonly number: number;
  /** The session's episodes after this step was accepted: stored here, so that a step is one write, not two. */
  readonly episodes: EpisodeState;
  /** Milliseconds since 1970; for people who look for an evaluation. */
  readonly acceptedAt: number;
}

/** What a client has told about its search. */
export interface NoteRecord {
  /** Counts over all sessions, in the order in which notes were told: a later note has a higher number. */
  readonly number: number;
  readonly topic: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A session as a line of a list: open or closed. */
export interface SessionEntry {
  readonly record: SessionRecord;
  readonly open: boolean;
  /** The `seq` of its latest result, and when that step was accepted, in milliseconds since 1970; 0 for none. */
  readonly seq: number;
  readonly latestAt: number;
  /** The number of its latest note, 0 for none. */
  readonly notes: number;
}

/** Which closed sessions are kept. */
export interface Keeping {
  /** A closed session is forgotten this long after its last step was accepted. */
  readonly maxAgeMs: number;
  /** The size of all results as JSON; beyond it, the oldest closed sessions are forgotten. */
  readonly maxBytes: number;
}

/**
 * Keeps sessions, steps and results.
 *
 * Every method sees at once what another method has added. The end of the process cannot lose a result when `addResult`
 * has resolved, nor a session or an accepted step a few milliseconds after it was added.
 */
export interface Store {
  /**
   * Why nothing can be written at the moment, for example because the disk is full; undefined if it can. Meanwhile all
   * changes are kept in memory, `addResult` does not resolve, and no new work should be taken.
   */
  readonly failure: string | undefined;
  saveSession(session: SessionRecord): void;
  closeSession(id: string): void;
  /** The sessions that were not closed, each with the changes of its latest step. */
  openSessions(): SessionRecord[];
  addStep(sessionId: string, step: StepRecord): void;
  /** @returns a promise that resolves when the end of the process can no longer lose the result */
  addResult(step: StepRecord, result: Result): Promise<void>;
  findStep(sessionId: string, stepId: string): { readonly hash: string; readonly result?: Result } | undefined;
  /** Steps that were accepted and have no result, in the order of acceptance. */
  unfinishedSteps(sessionId: string): StepRecord[];
  /** The first results of a session after `seq`, in order, at most `limit`. */
  resultsSince(sessionId: string, seq: number, limit: number): Result[];
  /** The number of a session's results after `seq`, and the `seq` of the last one; `seq` itself if there is none. */
  countSince(sessionId: string, seq: number): { readonly count: number; readonly last: number };
  /** The last `seq` that a session has given, 0 if none, and the number of its steps that ask for test scores. */
  counts(sessionId: string): { readonly seq: number; readonly tests: number };
  addNote(sessionId: string, note: Omit<NoteRecord, 'number'>): void;
  /** The number of topics that a session has told about. */
  topics(sessionId: string): number;
  /** The latest note of a topic. */
  note(sessionId: string, topic: string): NoteRecord | undefined;
  /** The notes of a session after a number, in order, in small pages. */
  notes(sessionId: string, after: number): Iterable<NoteRecord[]>;
  /** Every session that is kept, in small pages, in no order that means anything. */
  sessions(): Iterable<SessionEntry[]>;
  /** One of them. */
  session(sessionId: string): SessionEntry | undefined;
  /** Finished evaluations of a session after a `seq`, in order, in small pages; damaged ones are left out. */
  evaluations(sessionId: string, after: number): Iterable<HistoryEntry[]>;
  /** One of them. */
  evaluation(sessionId: string, stepId: string): HistoryEntry | undefined;
  /** Finished evaluations, the latest first, in small pages, some of which may be empty. */
  history(filter: HistoryFilter): Iterable<HistoryEntry[]>;
  /**
   * Forgets closed sessions that are too old, and the oldest ones while all results together are too large.
   *
   * @param now milliseconds since 1970
   * @returns   the number of forgotten sessions
   */
  prune(now: number, keeping: Keeping): number;
  close(): void;
}
