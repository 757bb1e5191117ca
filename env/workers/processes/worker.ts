/**
 * The child process in which evaluations run, one at a time: one thread, no socket, no clock in a result.
 *
 * It lives no longer than its parent: the closed channel ends it. If an evaluation blocks the event loop when the
 * parent vanishes, a watchdog thread ends it. The same thread tells the parent that the process still runs, on a pipe of
 * its own (file 4). Either way it takes along what its evaluations have started: all of them
 * are one process group (worker-process.ts).
 */
import { Worker } from 'node:worker_threads';
import { killMarked } from '../../marked-processes.ts';
import { WORKER_VARIABLE } from '../../programs/working-folder.ts';
import { Evaluator } from './evaluator.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const evaluator = new Evaluator((message: FromWorker) => {
  // After an error the state of the process is unknown, so it ends.
  const last = message.kind === 'threw' || message.kind === 'unprepared';
  process.send!(message, undefined, undefined, last ? () => process.exit(1) : undefined);
});

process.on('message', (message: ToWorker) => evaluator.hear(message));
process.on('disconnect', () => {
  killMarked(WORKER_VARIABLE, process.env[WORKER_VARIABLE]!); // before the folders are removed in which they work
  process.once('exit', () => process.kill(-process.pid, 'SIGKILL'));
  process.exit(0);
});
// Ctrl-C on the terminal reaches the whole process group, but the server decides when a worker stops.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

// A blocked event loop never sees `disconnect`. Plain JavaScript in a string, so that the thread needs no loader.
const watchdog = new Worker(
  `const { writeSync } = require('node:fs');
   const parent = process.ppid;
   let gone = 0; // looks: at the first one, the process may be about to end by itself
   setInterval(() => process.ppid === parent || ++gone < 2 || process.kill(-process.pid, 'SIGKILL'), 500);
   setInterval(() => { try { writeSync(4, '.'); } catch {} }, 1000);`,
  { eval: true, execArgv: [] },
);
watchdog.unref();
