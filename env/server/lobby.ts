/** Where sockets wait until they have shown that they may come in: few of them, and not for long. */
import { existsSync, readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

const SWEEP_MS = 1000;
/**
 * The most sockets that wait. It is more than what one turn of the event loop takes in (the backlog has 511), so that a
 * client that speaks at once is heard before a flood has pushed it out.
 */
const MOST = 2048;

export class Lobby {
  /** Those that have said nothing yet, and those that are WebSockets; both the oldest first. */
  private readonly silent = new Map<Duplex, Visit>();
  private readonly upgraded = new Map<Duplex, Visit>();
  private readonly byAddress = new Map<string, number>();
  private readonly sweeping: NodeJS.Timeout;
  private ended = 0;

  private readonly most: number;

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

  /** Takes a socket in. If there are too many, in all or of its address, the oldest gives way. */
  enter(socket: Socket): void {
    const { remoteAddress: address = '', destroyed } = socket;
    if (destroyed) return;
    this.leave(socket);
    const same = (this.byAddress.get(address) ?? 0) + 1;
    this.byAddress.set(address, same);
    this.silent.set(socket, { address, since: performance.now() });
    // Half of the places, so that one address cannot push all others out.
    if (same > this.most / 2) this.endOldest(address);
    else if (this.size > this.most) this.endOldest();
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

  private endOldest(address?: string): void {
    for (const room of [this.silent, this.upgraded]) {
      for (const [socket, visit] of room) {
        if (address === undefined || visit.address === address) return this.end(socket);
      }
    }
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
}

/** The number of files and sockets that this process may have open; a cautious one where the system does not say. */
export function fileHandles(): number {
  const path = '/proc/self/limits';
  const [, most] = /^Max open files +(\d+)/m.exec(existsSync(path) ? readFileSync(path, 'latin1') : '') ?? [];
  return most === undefined ? 1024 : Number(most);
}
