/** A proxy between client and server that delays and doubles messages, and drops connections. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { connect } from '../../agents/client/index.ts';
import { SUBPROTOCOLS } from '../../protocol/messages.ts';
import type { Random } from '../../protocol/random.ts';
import { end, serveBandit } from '../trust/serving.ts';
import { evaluateAll, truthOf } from './kills.ts';
import { Ledger, type Found } from './round.ts';

const LONGEST_DELAY_MS = 15;
/** A message of a client that may come twice, as a client sends it that has lost its connection. */
const REPEATABLE = /^\{"t":"(step|step_batch|ack|ping|cancel)"/;

class Proxy {
  readonly server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOLS.json });
  doubled = 0;

  constructor(
    private readonly url: string,
    private readonly random: Random,
  ) {
    this.server.on('connection', (client) => this.serve(client));
  }

  get address(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends all connections at once, on both sides, in the middle of whatever they do. */
  cut(): number {
    const { size } = this.server.clients;
    this.server.clients.forEach((client) => client.terminate());
    return size;
  }

  private serve(client: WebSocket): void {
    const upstream = new WebSocket(this.url, SUBPROTOCOLS.json);
    const opened = once(upstream, 'open').catch(() => {});
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.terminate());
      from.on('close', () => to.terminate());
      let before: Promise<unknown> = opened;
      from.on('message', (data: RawData) => {
        const text = (data as Buffer).toString();
        const twice = from === client && REPEATABLE.test(text) && this.random.chance(0.2);
        if (twice) this.doubled++;
        const delay = this.random.uniform(0, LONGEST_DELAY_MS);
        before = before.then(async () => {
          await pause(delay);
          for (let i = twice ? 0 : 1; i < 2; i++) if (to.readyState === WebSocket.OPEN) to.send(text);
        });
      });
    }
  }
}

export async function cuts(results: number, count: number, random: Random): Promise<Found> {
  const truth = await truthOf(results);
  const server = await serveBandit(0, '--workers', '0');
  const proxy = new Proxy(server.url, random);
  await once(proxy.server, 'listening');
  const client = await connect(proxy.address, { protocol: 'json', reconnectForMs: 300_000 });
  const environment = await client.open({ env_id: 'Bandit-v0', options: { noise: 0.3 } });
  const ledger = new Ledger(truth);
  let arrived = 0;
  let cut = 0;
  const evaluating = evaluateAll(environment, results, (result) => {
    arrived++;
    ledger.add(result);
  });
  while (cut < count && arrived < results) {
    while (arrived < results - 1 && arrived < ((cut + 0.5) / count) * results) await pause(2);
    await pause(random.uniform(0, 60));
    cut += proxy.cut();
  }
  await evaluating;
  const last = await environment.evaluate({ action: [0, 0, 0, 0, 0, 0] });
  await client.close();
  proxy.cut();
  proxy.server.close();
  await end(server.process, 'SIGTERM');
  const { changed, doubled, missing } = ledger;
  const evaluatedTwice = Math.abs(last.seq - results - 1);
  const figures = {
    cuts: cut,
    'messages sent twice': proxy.doubled,
    results: arrived,
    changed,
    doubled,
    lost: missing,
    'evaluated twice': evaluatedTwice,
  };
  return { wrong: changed + doubled + missing + evaluatedTwice, figures };
}
