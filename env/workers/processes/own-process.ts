import { Evaluator } from './evaluator.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { WorkerOptions, WorkerLike } from './worker-process.ts';

/** The most evaluations in one turn of the event loop; after them the sockets get a turn. */
const MOST_A_TURN = 64;

/**
 * A worker in the server's own process, for environments whose evaluations take microseconds. It saves the messages to
 * another process and back, and gives up the protection of one: an evaluation that blocks, blocks the server; one that
 * ends the process ends the server; one that hangs is abandoned, since nothing can end it, and the programs that it has
 * started end with the server.
 */
export class OwnProcess implements WorkerLike {
  readonly pid = undefined;
  readonly exited: Promise<void>;
  private readonly evaluator: Evaluator;
  private dead = false;
  private evaluationsThisTurn = 0;
  private end!: () => void;

  constructor({ sources, runtime, onMessage, onExit }: WorkerOptions) {
    this.exited = new Promise((resolve) => (this.end = resolve));
    void this.exited.then(() => onExit('the evaluation was given up'));
    this.evaluator = new Evaluator((message: FromWorker) => {
      if (this.dead) return;
      onMessage(message);
      if (message.kind === 'threw' || message.kind === 'unprepared') this.kill();
    });
    setImmediate(() => this.send({ kind: 'prepare', sources, runtime }));
  }

  send(message: ToWorker): void {
    if (this.dead) return;
    if (message.kind !== 'evaluate') return this.evaluator.hear(message);
    if (this.evaluationsThisTurn === MOST_A_TURN) return void setImmediate(() => this.send(message));
    if (this.evaluationsThisTurn++ === 0) setImmediate(() => (this.evaluationsThisTurn = 0));
    this.evaluator.hear(message);
  }

  kill(): void {
    this.dead = true;
    this.end();
  }
}
