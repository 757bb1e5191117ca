import type { Outcome } from '../../protocol/messages.ts';

/** Selects finished evaluations: those that match every field that is given. */
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
