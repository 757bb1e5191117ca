/**
 * The stream of events to pages: server-sent events, one `state` whenever the state of the server has changed.
 *
 * An event tells what there is, not what has happened: how many results each run has, and what runs. A page asks for
 * the results that it lacks. So nothing has to be kept for a page: one that reads slowly gets fewer events, and one that
 * comes back, to this process or the next, goes on as if it had been there.
 */
import type { ServerResponse } from 'node:http';
import type { Server } from '../dispatch.ts';
import type { ServerState } from './answers.ts';

/** The time between two looks at the state. */
const LOOK_MS = 1000;
/** After this time without an event a comment is sent, so that a lost connection is noticed at either end. */
const BEAT_MS = 10_000;
/** The most pages that listen at once: each takes one of the answers that a server gives at a time. */
export const MOST_LISTENERS = 64;

interface Subscriber {
  readonly response: ServerResponse;
  /** The last event that it was sent. */
  sent: string;
  sentAt: number;
}

export class Feed {
  private readonly subscribers = new Set<Subscriber>();
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly frame: () => ServerState) {}

  get isFull(): boolean {
    return this.subscribers.size >= MOST_LISTENERS;
  }

  /** Sends events until the page leaves. */
  add(response: ServerResponse): void {
    const subscriber: Subscriber = { response, sent: '', sentAt: 0 };
    this.subscribers.add(subscriber);
    response.once('close', () => {
      this.subscribers.delete(subscriber);
      if (this.subscribers.size === 0) this.close();
    });
    this.looking ??= setInterval(() => this.look(), LOOK_MS);
    this.tell(subscriber, this.event());
  }

  close(): void {
    clearInterval(this.looking);
    this.looking = undefined;
  }

  private event(): string {
    return `event: state\ndata: ${JSON.stringify(this.frame())}\n\n`;
  }

  private look(): void {
    const event = this.event();
    for (const subscriber of this.subscribers) this.tell(subscriber, event);
  }

  private tell(subscriber: Subscriber, event: string): void {
    const { response, sent, sentAt } = subscriber;
    // What it has not read yet is old already: it gets the newest when there is room.
    if (response.writableNeedDrain || response.destroyed) return;
    const now = performance.now();
    const hasChanged = event !== sent;
    if (!hasChanged && now - sentAt < BEAT_MS) return;
    response.write(hasChanged ? event : ': beat\n\n');
    Object.assign(subscriber, { sent: event, sentAt: now });
  }
}

/** The state of a server at this moment. */
export function frameOf(server: Omit<Server, 'dashboard'>, startedAt: number): ServerState {
  const { sessions, evaluations, store, version, build, draining, metrics } = server;
  const { workers, readyWorkers, queued, running, restarts } = evaluations.counts;
  const all = sessions.all;
  return {
    server: {
      ...{ version, build, draining, workers, queued, running, restarts },
      started_at: startedAt,
      ready_workers: readyWorkers,
      ...(store.failure !== undefined && { failure: store.failure }),
      ...(evaluations.failure !== undefined && { queue_failure: evaluations.failure }),
      machines: evaluations.workers,
      memory_bytes: Math.round(process.memoryUsage.rss() / 2 ** 24) * 2 ** 24, // in steps, or each event would be new
      sessions: sessions.count,
      evaluated: metrics.evaluations,
    },
    runs: all.map((session) => session.watched),
    underway: all.flatMap((session) => session.underway),
  };
}
