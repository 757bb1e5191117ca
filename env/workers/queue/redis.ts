/** The connection to Redis (or Valkey), and what must be set there. */
import type { RedisOptions } from 'bullmq';
import { Redis } from 'ioredis';

/** Before all keys of ours, so that another program may use the same Redis. */
export const PREFIX = 'lts';

/** BullMQ's Relay asks for it. */
const OLDEST_VERSION = [6, 2] as const;
/** The time in which Redis must answer when a program starts. */
const CONNECT_MS = 5_000;
const LONGEST_RETRY_MS = 1_000;
/** Longer than any command blocks: no answer for so long means that the line is dead, though nobody has closed it. */
const SILENT_SOCKET_MS = 20_000;

/** @throws {Error} when it is no address of a Redis */
export function redisOptions(url: string): RedisOptions {
  const place = URL.canParse(url) ? new URL(url) : undefined;
  if (!place?.hostname || !/^rediss?:$/.test(place.protocol) || !/^\/?\d{0,4}$/.test(place.pathname)) {
    const rule = 'redis://host:port, or rediss:// for TLS, with user:password@ before the host and /number after it';
    throw new Error(`--queue: expected ${rule}, got ${withoutPassword(url)}`);
  }
  const { hostname, port, username, password, pathname, protocol } = place;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    db: Number(pathname.slice(1)),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: { servername: hostname } }),
    // A command waits for as long as Redis is away.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(LONGEST_RETRY_MS, 50 * times),
    keepAlive: 5_000,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENT_SOCKET_MS,
  };
}

/** An address as it may be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/)?.*@/, '$1…@');
}

/**
 * Looks whether a Redis is there, and set so that it loses and forgets nothing of its own accord.
 *
 * @returns what to warn of, in a sentence; undefined if all is well
 * @throws {Error} naming the rule that it breaks, or why it does not answer
 */
export async function checkRedis(url: string): Promise<string | undefined> {
  const options = redisOptions(url);
  const client = new Redis({ ...options, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 1 });
  let reason = `no answer within ${CONNECT_MS / 1000} s`;
  client.on('error', ({ message, code }: NodeJS.ErrnoException) => (reason = message || code || reason));
  let info: string;
  try {
    await client.connect();
    info = await client.info();
  } catch (error) {
    const said = error instanceof Error && !/Connection is closed/.test(error.message) ? error.message : reason;
    throw new Error(`--queue: expected a Redis at ${withoutPassword(url)}, got ${said || reason}`, { cause: error });
  } finally {
    client.disconnect();
  }
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = fact('redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])) {
    throw new Error(`--queue: expected Redis ${OLDEST_VERSION.join('.')} or later, got ${version}`);
  }
  const policy = fact('maxmemory_policy');
  if (policy !== 'noeviction') {
    const how = 'CONFIG SET maxmemory-policy noeviction';
    throw new Error(
      `--queue: expected a Redis with maxmemory-policy noeviction, got ${policy}, which drops jobs (${how})`,
    );
  }
  if (fact('aof_enabled') === '1') return undefined;
  return 'this Redis writes no append-only file: if it ends, evaluations that run begin again (appendonly yes)';
}

/** Waits for work, but not for longer than this: a Redis that is away may be away for ever. */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  } finally {
    clearTimeout(timer);
  }
}
