/** The evaluations that a server has made: listed, filtered, and forgotten in the end. */
import type { HistoryEntry } from '../../protocol/history.ts';
import type { Journal } from './journal.ts';

/** What is asked of the history; all that is given must hold. */
export interface HistoryFilter {
  readonly session?: string | undefined;
  readonly env?: string | undefined;
  readonly step?: string | undefined;
  readonly outcome?: string | undefined;
  /** Accepted at or after this time, in milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly test?: boolean | undefined;
  readonly limit: number;
}

/** Finished evaluations, the latest first. */
export function history(journal: Journal, filter: HistoryFilter): HistoryEntry[] {
  const { session, env, step, outcome, since, test, limit } = filter;
  const conditions: [sql: string, value: string | number | undefined][] = [
    ['steps.session_id = ?', session],
    ['env_id = ?', env],
    ['step_id = ?', step],
    ["json_extract(result, '$.outcome') = ?", outcome],
    ['accepted_at >= ?', since],
    ['test = ?', test === undefined ? undefined : Number(test)],
  ];
  const given = conditions.filter(([, value]) => value !== undefined);
  const sql = `SELECT env_id, json_extract(sessions.record, '$.options') AS options, accepted_at,
    json_remove(result, '$.t', '$.re') AS result
    FROM steps JOIN sessions USING (session_id)
    WHERE ${['seq IS NOT NULL', ...given.map(([condition]) => condition)].join(' AND ')}
    ORDER BY steps.rowid DESC LIMIT ?`;
  return journal.query(sql, [...given.map(([, value]) => value!), limit]).map((row) => {
    const result = JSON.parse(row['result'] as string) as HistoryEntry;
    const options = JSON.parse(row['options'] as string) as Record<string, unknown>;
    const accepted_at = new Date(Number(row['accepted_at'])).toISOString();
    const where = { env_id: row['env_id'] as string, options, accepted_at };
    return { ...where, ...result };
  });
}

export interface Keeping {
  /** A closed session is forgotten so long after its last step. */
  readonly maxAgeMs: number;
  /** Of all results, as JSON; beyond it the oldest closed sessions are forgotten. */
  readonly maxBytes: number;
}

/**
 * Forgets closed sessions that are too old or too many. Their space is used again; the file does not shrink.
 *
 * @returns how many
 */
export function prune(journal: Journal, now: number, { maxAgeMs, maxBytes }: Keeping): number {
  const closed = journal.query(
    `SELECT session_id AS id, coalesce(max(accepted_at), 0) AS last, coalesce(sum(length(result)), 0) AS bytes
     FROM sessions LEFT JOIN steps USING (session_id) WHERE closed = 1 GROUP BY session_id ORDER BY last`,
  );
  let bytes = Number(journal.query('SELECT coalesce(sum(length(result)), 0) AS bytes FROM steps')[0]!['bytes']);
  const forgotten: string[] = [];
  for (const { id, last, bytes: own } of closed) {
    if (Number(last) >= now - maxAgeMs && bytes <= maxBytes) break;
    forgotten.push(id as string);
    bytes -= Number(own);
  }
  journal.forget(forgotten);
  return forgotten.length;
}
