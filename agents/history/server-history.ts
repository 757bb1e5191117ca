/** The evaluations that a server has made: its page of the history, and their environments, opened again. */
import type { HistoryEntry } from '../../protocol/history.ts';
import { connect, type Client, type RemoteEnvironment } from '../client/index.ts';
import { secretOf } from '../run/flags.ts';
import { sentenceOf } from '../run/run-program.ts';
import type { PastEvaluation } from '../run/trial-log.ts';

/** The flags that say which server, and who asks. */
export interface ServerFlags {
  readonly url: string;
}

/**
 * The lines of the history that match a query, the latest first.
 *
 * @throws {Error} with the server's answer when it refuses
 */
export async function historyLines(
  flags: ServerFlags,
  query: Readonly<Record<string, string | number | undefined>>,
): Promise<string> {
  const { url } = flags;
  if (!URL.canParse(url)) throw new Error(`--url: expected an address such as ws://127.0.0.1:7077, got ${url}`);
  const page = new URL('/v1/history.jsonl', url.replace(/^ws/, 'http'));
  for (const [key, value] of Object.entries(query)) if (value !== undefined) page.searchParams.set(key, String(value));
  const token = secretOf(flags, 'token');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(page, { headers }).catch((error: unknown) => {
    const hint = '; npm run serve -- --env … starts one';
    throw new Error(`${url}: expected a server, got ${sentenceOf(error)}${hint}`, { cause: error });
  });
  const text = await response.text();
  if (response.status === 401) {
    throw new Error(
      `${url}: expected a token of this server (--token or LTS_TOKEN), got ${token === undefined ? 'none' : 'another one'}`,
    );
  }
  if (!response.ok) throw new Error(`${page.href}: expected the history, got ${response.status} ${text.trim()}`);
  return text;
}

export function entriesOf(text: string): HistoryEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEntry);
}

/** Lends a client, and closes it. */
export async function withClient<T>(flags: ServerFlags, use: (client: Client) => Promise<T>): Promise<T> {
  const token = secretOf(flags, 'token');
  const client = await connect(flags.url, {
    name: 'history',
    say: console.error,
    ...(token !== undefined && { token }),
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** The environment of an evaluation. @throws {Error} when it has changed (another `spec_hash`) */
export async function openAgain(
  client: Client,
  { env_id, options, repro }: PastEvaluation,
): Promise<RemoteEnvironment> {
  const environment = await client.open({ env_id, options: { ...options } });
  const [was, is] = [repro.spec_hash, environment.spec.spec_hash];
  if (was !== is) throw new Error(`${env_id}: expected spec ${was}, as in the history, got ${is}`);
  return environment;
}
