/** Where sockets wait until they have shown that they may come in: few of them, and not for long. */
import { existsSync, readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

const SWEEP_MS = 1000;
/** The most sockets that wait, where the system has handles for them. */
const MOST = 2048;

export class Lobby {
  /** Those that have said nothing yet, and those that are WebSockets; both the oldest first. */
  private readonly silent = new Map<Duplex, Visit>();
  private readonly upgraded = new Map<Duplex, Visit>();
  private readonly byAddress = new Map<string, number>();
  private readonly sweeping: NodeJS.Timeout;
  private ended = 0;
  /** Counts the turns of the event loop in which there are too many. */
  private turn = 0;
  private isTrimming = false;

  readonly most: number;

  constructor(
    private readonly options: {
      /** The time that a socket has to ask for a page, or to be welcomed. */
      readonly waitMs: number;
      /** The most sockets that wait. */
      readonly most?: number;
      /** Called now and then with the number of sockets that were ended since the last time. */
      readonly onEnded: (sockets: number) => void;
    },
  ) {
    this.most = options.most ?? Math.min(MOST, Math.floor(fileHandles() / 4));
    this.sweeping = setInterval(() => this.sweep(), Math.min(SWEEP_MS, options.waitMs)).unref();
  }

  get size(): number {
    return this.silent.size + this.upgraded.size;
  }

  /**
   * Takes a socket in. If there are too many, in all or of its address, the oldest gives way, but none before it was heard: a
   * flood that comes in one turn of the event loop does not push out a client that speaks at once.
   */
  enter(socket: Socket): void {
    const { remoteAddress: address = '', destroyed } = socket;
    if (destroyed) return;
    this.leave(socket);
    const same = (this.byAddress.get(address) ?? 0) + 1;
    this.byAddress.set(address, same);
    this.silent.set(socket, { address, since: performance.now(), turn: this.turn });
    if (this.size > 2 * this.most) this.endOldest();
    if (this.isTrimming || (same <= this.most / 2 && this.size <= this.most)) return;
    this.isTrimming = true;
    setImmediate(() => this.trim());
  }

  /** Called after the sockets of a turn were read: ends what is too many of those that came in an earlier one. */
  private trim(): void {
    const before = this.turn++;
    for (const room of [this.silent, this.upgraded]) {
      for (const [socket, { address, turn }] of room) {
        if (turn >= before) break;
        // Half of the places, so that one address cannot push all others out.
        if (this.size > this.most || this.byAddress.get(address)! > this.most / 2) this.end(socket);
      }
    }
    const tooMany = this.size > this.most || [...this.byAddress.values()].some((count) => count > this.most / 2);
    this.isTrimming = tooMany;
    if (tooMany) setImmediate(() => this.trim());
  }

  /** A socket has become a WebSocket: it gives way after those that have said nothing. */
  upgrade(socket: Duplex): void {
    const visit = this.silent.get(socket);
    if (!visit) return;
    this.silent.delete(socket);
    this.upgraded.set(socket, visit);
  }

  /** A socket was let in, or is closed. */
  leave(socket: Duplex): void {
    const visit = this.silent.get(socket) ?? this.upgraded.get(socket);
    if (!visit) return;
    this.silent.delete(socket);
    this.upgraded.delete(socket);
    const left = this.byAddress.get(visit.address)! - 1;
    if (left > 0) this.byAddress.set(visit.address, left);
    else this.byAddress.delete(visit.address);
  }

  close(): void {
    clearInterval(this.sweeping);
    for (const socket of [...this.silent.keys(), ...this.upgraded.keys()]) socket.destroy();
  }

  private endOldest(): void {
    const oldest = this.silent.keys().next().value ?? this.upgraded.keys().next().value;
    if (oldest) this.end(oldest);
  }

  private end(socket: Duplex): void {
    this.leave(socket);
    socket.destroy();
    this.ended++;
  }

  private sweep(): void {
    const before = performance.now() - this.options.waitMs;
    for (const room of [this.silent, this.upgraded]) {
      for (const [socket, { since }] of room) {
        if (since > before) break;
        this.end(socket);
      }
    }
    if (this.ended > 0) this.options.onEnded(this.ended);
    this.ended = 0;
  }
}

interface Visit {
  readonly address: string;
  /** Of `performance.now()`. */
  readonly since: number;
  readonly turn: number;
}

/** The number of files and sockets that this process may have open; a cautious one where the system does not say. */
export function fileHandles(): number {
  const path = '/proc/self/limits';
  const [, most] = /^Max open files +(\d+)/m.exec(existsSync(path) ? readFileSync(path, 'latin1') : '') ?? [];
  return most === undefined ? 1024 : Number(most);
}
