/**
 * The child process in which evaluations run, one at a time: one thread, no socket, no clock in a result.
 *
 * It lives as long as its parent: a closed channel ends it, and so does a watchdog thread when the parent vanishes
 * while an evaluation blocks the event loop.
 */
import { Worker } from 'node:worker_threads';
import { Evaluator } from './evaluator.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const evaluator = new Evaluator((message: FromWorker) => {
  // Nobody knows in what state an evaluation that threw has left the process.
  const last = message.kind === 'threw' || message.kind === 'unprepared';
  process.send!(message, undefined, undefined, last ? () => process.exit(1) : undefined);
});

process.on('message', (message: ToWorker) => evaluator.hear(message));
process.on('disconnect', () => process.exit(0));
// The server decides when a worker stops; a Ctrl-C on the terminal reaches the whole process group.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

// A blocked event loop never sees `disconnect`. Plain JavaScript in a string: a thread of its own needs no loader.
const watchdog = new Worker(
  `const parent = process.ppid;
   setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 500);`,
  { eval: true, execArgv: [] },
);
watchdog.unref();
