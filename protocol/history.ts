import type { Result } from './messages.ts';

/** A line of `/v1/history.jsonl`: a finished evaluation, with the id and options that open its environment again. */
export interface HistoryEntry extends Omit<Result, 't' | 're'> {
  readonly env_id: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** In ISO 8601. */
  readonly accepted_at: string;
}
