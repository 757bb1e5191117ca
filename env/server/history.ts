/** The evaluations that a server has made, as `/v1/history.jsonl` lists them. */
import type { Outcome, Result } from '../../protocol/messages.ts';

/** What is asked of the history; all that is given must hold. */
export interface HistoryFilter {
  readonly session?: string | undefined;
  readonly env?: string | undefined;
  readonly step?: string | undefined;
  readonly outcome?: Outcome | undefined;
  /** Accepted at or after this time, in milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly test?: boolean | undefined;
  readonly limit: number;
}

/** A finished evaluation, with what it takes to open its environment again. */
export interface HistoryEntry extends Omit<Result, 't' | 're'> {
  readonly env_id: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly accepted_at: string;
}
