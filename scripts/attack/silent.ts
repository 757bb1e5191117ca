/** Sockets that say nothing, beside a client that works, all of one address; the server has few file handles. */
import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../agents/client/index.ts';
import { end, serveWithHandles } from '../trust/serving.ts';
import { requestOf, type Found } from './round.ts';

/** Fewer than there are silent sockets. */
const HANDLES = 1024;
/** So that the evaluations, not the processor that all share, are what takes time. */
const DELAY_MS = 40;
const PARALLEL = 4;
/** The time after which a socket that was ended comes again. */
const AWAY_MS = 10_000;
/** Clients that come while the doors are full. */
const NEWCOMERS = 10;

export async function silent(count: number, windowMs: number, mostFall: number): Promise<Found> {
  const server = await serveWithHandles(HANDLES, 0, '--workers', '2');
  const client = await connect(server.url, { reconnectForMs: 0 });
  const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: DELAY_MS } });
  let evaluated = 0;
  let failed = 0;
  let working = true;
  const lane = async () => {
    for (let n = 0; working; n++) {
      const { action } = requestOf(n);
      await environment.evaluate({ action }).then(
        ({ outcome }) => (outcome === 'ok' ? evaluated++ : failed++),
        () => failed++,
      );
      if (failed > 100) return;
    }
  };
  const lanes = Array.from({ length: PARALLEL }, lane);
  const perMinute = async () => {
    const before = evaluated;
    await pause(windowMs);
    return Math.round(((evaluated - before) * 60_000) / windowMs);
  };
  await pause(1000);
  const before = await perMinute();
  const crowd = new Crowd(server.port, count);
  await crowd.full(10_000);
  const during = await perMinute();
  const most = crowd.most;
  let turnedAway = 0;
  for (let i = 0; i < NEWCOMERS; i++) {
    await connect(server.url, { reconnectForMs: 0 }).then(
      (newcomer) => newcomer.close(),
      () => turnedAway++,
    );
  }
  crowd.leave();
  working = false;
  await Promise.all(lanes);
  await client.close();
  await end(server.process, 'SIGTERM');
  const fall = Math.max(0, 1 - during / before);
  const figures = {
    'silent sockets': most,
    'handles of the server': HANDLES,
    'evaluations a minute before': before,
    during,
    'fall in %': Math.round(1000 * fall) / 10,
    'evaluations that failed': failed,
    'newcomers turned away': turnedAway,
  };
  return { wrong: failed + turnedAway + (fall > mostFall ? 1 : 0), figures };
}

/** Sockets that say nothing, and come again when the server ends them. */
class Crowd {
  private readonly sockets = new Set<Socket>();
  private leaving = false;
  /** Connected at once, as this side sees it. */
  most = 0;

  constructor(
    private readonly port: number,
    private readonly count: number,
  ) {
    for (let i = 0; i < count; i++) this.come();
  }

  /** Waits until all have tried to come in. */
  async full(patienceMs: number): Promise<void> {
    const until = performance.now() + patienceMs;
    while (this.came < this.count && performance.now() < until) await pause(50);
  }

  leave(): void {
    this.leaving = true;
    this.sockets.forEach((socket) => socket.destroy());
  }

  private came = 0;

  private come(): void {
    if (this.leaving) return;
    const socket = connectSocket(this.port, '127.0.0.1');
    this.sockets.add(socket);
    this.most = Math.max(this.most, this.sockets.size);
    socket.once('connect', () => this.came++);
    socket.on('error', () => {});
    socket.resume();
    socket.once('close', () => {
      this.sockets.delete(socket);
      setTimeout(() => this.come(), AWAY_MS).unref();
    });
  }
}
