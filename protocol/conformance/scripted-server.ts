/**
 * A server that follows a fixed script: it loses its connection twice, repeats itself, answers out of order, sends
 * fields and messages that no client knows, and records what the client does.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { decode, encode } from '../codec.ts';
import { clientMessages, parseMessage, SUBPROTOCOLS, type Codec, type MessageId } from '../messages.ts';
import {
  actionToTheta,
  componentNames,
  defaultTheta,
  defineParameters,
  type Parameter,
  type Theta,
} from '../parameters.ts';

export const ENV_ID = 'Conformance-v0';
export const ACTIONS = Array.from({ length: 12 }, (_, i) => [i / 12, -i / 12]);

/** The reward that a correct client reports for an action. */
export function rewardOf(action: readonly number[]): number {
  return 100 * action[0]! + action[1]!;
}

/** A step as it arrived, alone or in a batch. */
interface SeenStep {
  readonly connection: number;
  readonly re: MessageId;
  readonly stepId: string;
  readonly action: readonly number[];
  /** Everything in the request that decides the result, as JSON. */
  readonly content: string;
}

/** What the client has done. */
export interface ClientRecord {
  readonly connections: { first: string; resumedBeforeSteps: boolean; lastSeq?: number; token?: string }[];
  readonly steps: SeenStep[];
  /** Errors about messages that break their schema, and about frames that are no messages. */
  readonly malformed: string[];
  acknowledged: number;
  closed: boolean;
}

export const CONTINUOUS = defineParameters([
  { kind: 'continuous', name: 'x', meaning: '', low: 0, high: 1, scale: 'linear', default: 0.5, unit: '1' },
  { kind: 'continuous', name: 'y', meaning: '', low: 0, high: 1, scale: 'linear', default: 0.5, unit: '1' },
]);

/** Parameters of other kinds, in environments whose actions have two numbers as well. */
export const OTHER_KINDS = [
  defineParameters([
    { kind: 'integer', name: 'x', meaning: '', low: 1, high: 6, scale: 'linear', default: 3, unit: '1' },
    { kind: 'boolean', name: 'y', meaning: '', default: false },
  ]),
  defineParameters([{ kind: 'categorical', name: 'x', meaning: '', choices: ['a', 'b'], default: 'a' }]),
];

const box = (names: string[], low: number, high: number) => ({
  type: 'Box',
  dtype: 'float32',
  shape: [names.length],
  low: names.map(() => low),
  high: names.map(() => high),
  names,
});

const TITLE = 'A scripted environment';
const SPEC_HASH = 'scripted';

const specOf = (parameters: readonly Parameter[]) => ({
  env_id: ENV_ID,
  title: TITLE,
  spec_hash: SPEC_HASH,
  options: {},
  spaces: { action: box(parameters.flatMap(componentNames), -1, 1), observation: box(['score'], -1000, 1000) },
  parameters,
  metrics: [{ name: 'score', meaning: '100 times the first component and the second', low: null, high: null }],
  reward: { metric: 'score', direction: 'maximize' },
  start: defaultTheta(parameters),
  default: defaultTheta(parameters),
  training_samples: 1,
});

const LIMITS = {
  workers: 4,
  max_payload_bytes: 1024 * 1024,
  max_in_flight: 64,
  max_unacknowledged: 1024,
  max_batch: 64,
  max_sessions: 4,
  queue_depth: 64,
  max_detach_grace_ms: 60_000,
  max_messages_per_s: 1000,
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export class ScriptedServer {
  readonly record: ClientRecord = { connections: [], steps: [], malformed: [], acknowledged: 0, closed: false };
  private readonly server: WebSocketServer;
  /** Results by step id, in the order in which they were made: the last result has the highest seq. */
  private readonly results = new Map<string, object>();
  /** The step that was refused with BUSY once. */
  private turnedAway: string | undefined;

  constructor(
    private readonly codec: Codec,
    private readonly parameters: readonly Parameter[],
  ) {
    this.server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: (offers) => (offers.has(SUBPROTOCOLS[codec]) ? SUBPROTOCOLS[codec] : false),
    });
    this.server.on('connection', (socket) => this.serve(socket));
  }

  async url(): Promise<string> {
    if (!this.server.address()) await once(this.server, 'listening');
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.clients.forEach((socket) => socket.terminate());
    this.server.close();
  }

  private serve(socket: WebSocket): void {
    const number = this.record.connections.push({ first: '', resumedBeforeSteps: false });
    const send = (message: object) => {
      if (socket.readyState === socket.OPEN) socket.send(encode(this.codec, message));
    };
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      try {
        const message = parseMessage(clientMessages, decode(this.codec, data as Buffer, isBinary));
        this.answer(message, number, send, socket);
      } catch (error) {
        this.record.malformed.push((error as Error).message);
      }
    });
  }

  private answer(
    message: ReturnType<typeof parseMessage<typeof clientMessages>>,
    number: number,
    send: (message: object) => void,
    socket: WebSocket,
  ): void {
    const connection = this.record.connections[number - 1]!;
    connection.first ||= message.t;
    switch (message.t) {
      case 'hello':
        send({ ...welcome(message.id), colour: 'a field that no client knows' });
        return send({ t: 'news', text: 'a message that no client knows' });
      case 'open': {
        const opened = { session_id: 'scripted', resume_token: 'token-1', epoch: 1, detach_grace_ms: 60_000, seed: 7 };
        return send({ t: 'opened', re: message.id, ...opened, spec: specOf(this.parameters) });
      }
      case 'resume': {
        Object.assign(connection, { lastSeq: message.last_seq, token: message.resume_token });
        connection.resumedBeforeSteps = !this.record.steps.some((step) => step.connection === number);
        const again = [...this.results.values()].slice(message.last_seq);
        const place = { session_id: 'scripted', resume_token: `token-${number}`, epoch: number };
        const rest = { replayed: again.length, in_flight: [], seed: 7, spec: specOf(this.parameters) };
        send({ t: 'resumed', re: message.id, ...place, ...rest });
        return again.forEach((result) => send({ ...result, re: null, replayed: true }));
      }
      case 'step':
        return this.take([message], message.id, number, send, socket);
      case 'step_batch':
        return this.take(message.items, message.id, number, send, socket);
      case 'ack':
        this.record.acknowledged = message.seq;
        return;
      case 'note':
        return;
      case 'close':
        this.record.closed = true;
        return send({ t: 'closed', re: message.id, session_id: 'scripted' });
      case 'reset':
        return send({ t: 'reset_done', re: message.id, session_id: 'scripted', observation: [0], seed: 7 });
      case 'cancel':
        return send({
          t: 'cancelling',
          re: message.id,
          session_id: 'scripted',
          step_id: message.step_id,
          state: 'running',
        });
      case 'ping':
        return send({ t: 'pong', re: message.id });
    }
  }

  /** Records steps. The first of a connection starts its part of the script, which waits for the other steps to arrive. */
  private take(
    items: readonly { step_id: string; action?: readonly number[] | undefined }[],
    re: MessageId,
    number: number,
    send: (message: object) => void,
    socket: WebSocket,
  ): void {
    const session_id = 'scripted';
    const state = 'queued';
    const first = !this.record.steps.some((step) => step.connection === number);
    for (const { step_id: stepId, action = [], ...rest } of items) {
      const content: Record<string, unknown> = { ...rest };
      for (const key of ['id', 't', 'progress']) delete content[key];
      this.record.steps.push({ connection: number, re, stepId, action, content: JSON.stringify([action, content]) });
    }
    send({ t: 'accepted', re, session_id, steps: items.map(({ step_id }) => ({ step_id, state })) });
    if (first) void this.play(number, send, socket);
    else if (number > 2)
      void pause(20).then(() =>
        this.finish(
          items.map(({ step_id }) => step_id),
          number,
          send,
        ),
      );
    const busy = items.find(({ step_id }) => !this.results.has(step_id))?.step_id;
    if (number !== 2 || this.turnedAway !== undefined || busy === undefined) return;
    this.turnedAway = busy;
    const refusal = { code: 'BUSY', message: 'step: expected fewer in flight', retryable: true, retry_after_ms: 30 };
    send({ t: 'error', re, step_id: busy, ...refusal });
  }

  private async play(number: number, send: (message: object) => void, socket: WebSocket): Promise<void> {
    await pause(200);
    const open = this.unanswered().filter((stepId) => number !== 2 || stepId !== this.turnedAway);
    if (number === 1) {
      // Some results, in reverse order; then the connection breaks.
      this.finish(open.slice(0, 4).reverse(), number, send);
      await pause(50);
      return socket.terminate();
    }
    if (number === 2) {
      // A result that the client already has, then three new ones. Two more are made but not sent: the connection breaks.
      const [old] = this.results.values();
      if (old) send({ ...old, replayed: true });
      this.finish(open.slice(0, 3), number, send);
      this.finish(open.slice(3, 5), number, () => {});
      send({ t: 'draining', deadline_ms: 10 });
      await pause(50);
      return socket.close(1012, 'restart');
    }
    this.finish(open, number, send);
  }

  private unanswered(): string[] {
    return [...new Set(this.record.steps.map(({ stepId }) => stepId))].filter((stepId) => !this.results.has(stepId));
  }

  private finish(stepIds: readonly string[], number: number, send: (message: object) => void): void {
    for (const stepId of stepIds) {
      const asked = this.record.steps.findLast((step) => step.stepId === stepId && step.connection === number);
      const { action, re } = asked ?? this.record.steps.find((step) => step.stepId === stepId)!;
      const place = { re: asked ? re : null, session_id: 'scripted', step_id: stepId };
      send({ t: 'progress', ...place, phase: 'train', fraction: 1 });
      let result = this.results.get(stepId);
      if (!result) {
        const theta = actionToTheta(this.parameters, action);
        this.results.set(stepId, (result = resultOf(place, action, theta, this.results.size + 1)));
      }
      send(result);
    }
  }
}

function welcome(re: MessageId) {
  return {
    t: 'welcome',
    re,
    protocol: 1,
    server: { name: 'conformance', version: '1', build: '1' },
    connection_id: 'scripted',
    capabilities: ['progress', 'resume', 'batch'],
    limits: LIMITS,
    heartbeat: { interval_ms: 15_000, timeout_ms: 30_000 },
    envs: [{ env_id: ENV_ID, title: TITLE, spec_hash: SPEC_HASH }],
  };
}

function resultOf(place: object, action: readonly number[], theta: Theta, seq: number): object {
  const reward = rewardOf(action);
  return {
    t: 'result',
    ...place,
    seq,
    outcome: 'ok',
    reward,
    observation: [reward],
    terminated: true,
    truncated: false,
    scores: { score: reward },
    theta,
    seed: seq,
    seeds: { simulation: 1, initialisation: 2, order: 3 },
    test_evaluations: 0,
    timing: { queue_ms: 0, simulate_ms: 0, train_ms: 0, validate_ms: 0 },
    repro: { spec_hash: SPEC_HASH, build: '1' },
  };
}
