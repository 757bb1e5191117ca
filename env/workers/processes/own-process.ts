import { Evaluator } from './evaluator.ts';
import type { FromWorker, ToWorker } from '../job.ts';
import type { WorkerOptions, WorkerLike } from './worker-process.ts';

/**
 * A worker in the server's own process, for environments whose evaluation takes microseconds: it saves the way to
 * another process and back, and gives up what that is good for. An evaluation that blocks, blocks the server; one that
 * ends the process ends the server; one that hangs is given up, since nothing can end it.
 */
export class OwnProcess implements WorkerLike {
  readonly pid = undefined;
  readonly exited: Promise<void>;
  private readonly evaluator: Evaluator;
  private dead = false;
  /** It was given evaluations in this turn of the event loop: the next ones wait for another, and the sockets go first. */
  private served = false;
  private end!: () => void;

  constructor({ sources, runtime, onMessage, onExit }: WorkerOptions) {
    this.exited = new Promise((resolve) => (this.end = resolve));
    void this.exited.then(() => onExit('the evaluation was given up'));
    this.evaluator = new Evaluator((message: FromWorker) => {
      if (this.dead) return;
      onMessage(message);
      if (message.kind === 'threw' || message.kind === 'unprepared') this.kill();
    });
    setImmediate(() => this.evaluator.hear({ kind: 'prepare', sources, runtime }));
  }

  send(message: ToWorker): void {
    if (message.kind !== 'evaluate') return this.hear(message);
    if (this.served) return void setImmediate(() => this.send(message));
    this.served = true;
    setImmediate(() => (this.served = false));
    this.hear(message);
  }

  private hear(message: ToWorker): void {
    if (!this.dead) this.evaluator.hear(message);
  }

  kill(): void {
    this.dead = true;
    this.end();
  }
}
