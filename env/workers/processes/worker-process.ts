import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { killMarked } from '../../marked-processes.ts';
import { removeFolderOf, WORKER_VARIABLE } from '../../programs/working-folder.ts';
import type { Runtime } from '../../runtime.ts';
import type { Code, FromWorker, ToWorker } from './messages.ts';
import { ONE_THREAD } from './one-thread.ts';

/** The loader that lets node run TypeScript, whatever folder the server was started in. */
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** The number of characters that are kept from the end of a worker's stderr. */
const STDERR_TAIL = 16_384;

/** Lines that libtensorflow prints when it is loaded: the instructions that it uses, where its log goes. */
const CHATTER =
  /oneDNN|cpu_feature_guard|rebuild TensorFlow|absl::InitializeLog|^[IW]\d{4} .*\b(?:tsl|xla|tensorflow)\b/;

/** Whether a line of a worker interests only developers of TensorFlow. */
export function isChatter(line: string): boolean {
  return CHATTER.test(line);
}

export interface WorkerOptions {
  /** The experiments that are loaded before the worker is ready. */
  readonly sources: readonly string[];
  readonly runtime: Runtime;
  /** What this process runs, which must still be on the disk; not for this process itself. */
  readonly code?: Code;
  /** Environment variables in addition to those of this process. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly onMessage: (message: FromWorker) => void;
  /** Called when the process is dead, and what it has said last may still come; not for this process itself. */
  readonly onDeath?: () => void;
  /** Called once, with the reason in a sentence, when the process has ended. */
  readonly onExit: (reason: string) => void;
  /** Called with each line that the worker writes to stdout or stderr. */
  readonly onLine: (line: string) => void;
  /** Called every second while the process runs, whatever it computes; not for this process itself. */
  readonly onBeat: () => void;
}

/** A worker: a child process, or this process itself. */
export interface WorkerLike {
  readonly pid: number | undefined;
  /** Resolves after `onExit` was called. */
  readonly exited: Promise<void>;
  send(message: ToWorker): void;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
}

/** After the end of a process, the time in which whoever else has its stdout or stderr must close them. */
const PIPES_MS = 1000;

/**
 * A child process that runs worker.ts, in a process group of its own: the programs that an evaluation has started end with
 * its process, however it ends. So do those that have left the group: they have its name in their environment.
 */
export class WorkerProcess implements WorkerLike {
  private readonly child: ChildProcess;
  private readonly name = randomUUID();
  private stderr = '';
  readonly exited: Promise<void>;

  constructor(options: WorkerOptions) {
    this.child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), [], {
      execArgv: ['--import', TSX],
      env: { ...process.env, ...ONE_THREAD, ...options.variables, [WORKER_VARIABLE]: this.name },
      serialization: 'json',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      detached: true, // as the leader of a group
    });
    this.listen(options);
    this.exited = new Promise((resolve) => {
      this.child.once('exit', () => {
        options.onDeath?.();
        this.killGroup();
        killMarked(WORKER_VARIABLE, this.name);
        setTimeout(() => this.child.stdio.slice(1).forEach((pipe) => pipe?.destroy()), PIPES_MS).unref();
      });
      // `close` comes after the last byte of stderr; `exit` may come before it.
      this.child.once('close', (code, signal) => {
        if (this.child.pid === undefined) return; // `error` has said that it could not start
        options.onExit(this.reason(code, signal));
        void this.tidy(options.runtime).then(resolve);
      });
      this.child.once('error', (error) => {
        if (this.child.pid !== undefined) return;
        options.onExit(`the worker could not start: ${error.message}`);
        resolve();
      });
    });
    const { sources, runtime, code } = options;
    this.send({ kind: 'prepare', sources, runtime, ...(code && { code }) });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  send(message: ToWorker): void {
    // The death of a worker is reported by `close`; messages to a dead worker can be lost.
    if (this.child.connected) this.child.send(message, () => {});
  }

  kill(): void {
    this.child.kill('SIGKILL');
    this.killGroup();
  }

  /** Ends what the process has started, with itself; nothing where all of them have ended. */
  private killGroup(): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // no process of the group is left, or the system has no process groups
    }
  }

  /** Removes what its programs have left on the disk. */
  private async tidy({ programs }: Runtime): Promise<void> {
    if (programs) await removeFolderOf(programs.work, this.name).catch(() => {}); // the next worker tries again
  }

  private listen({ onMessage, onLine, onBeat }: WorkerOptions): void {
    this.child.stdio[4]?.on('data', onBeat);
    this.child.on('message', (message) => onMessage(message as FromWorker));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (!stream) continue; // it could not start, for want of file handles: `error` says so
      let line = '';
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        if (stream === this.child.stderr) this.stderr = (this.stderr + text).slice(-STDERR_TAIL);
        const lines = (line + text).split('\n');
        line = lines.pop()!;
        lines.filter((full) => full.trim() !== '').forEach(onLine);
      });
    }
  }

  /** How the worker ended, with the most useful lines of stderr: the lines of an error, otherwise the last lines. */
  private reason(code: number | null, signal: string | null): string {
    const end = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const lines = this.stderr.split('\n').filter((line) => line.trim() !== '');
    const telling = lines.filter((line) => /^(FATAL ERROR|(Uncaught )?\w*Error\b)/.test(line));
    const words = (telling.length > 0 ? telling : lines).slice(-3).join(' | ');
    return `the worker ended with ${end}${words && `: ${words.slice(-500)}`}`;
  }
}
