/** A program that was started: in a process group of its own, without a shell, and ended with all that it has started. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { printable, shortened } from '../../protocol/errors.ts';
import { killMarked } from '../marked-processes.ts';
import { ONE_THREAD } from '../workers/processes/one-thread.ts';

/** The time between SIGTERM and SIGKILL; a worker is given 2 s to end an evaluation that is cancelled. */
const GRACE_MS = 1000;
/** After the end of a program, the time in which what it has written last is read. */
const PIPES_MS = 500;
/** Bytes that are kept from the end of stdout and of stderr. */
const TAIL = 16_384;
/** In the environment of a program and of all that it starts. */
const MARK = 'LTS_PROGRAM';
/** The longest line of stdout that is handed on; a longer one is only log. */
const LONGEST_LINE = 65_536;

export interface ProgramOptions {
  /** Threads for libraries of mathematics, where nobody has set OMP_NUM_THREADS. */
  readonly threads: number;
  /** Called with each line of stdout, and the program can be written to; otherwise its input is empty. */
  readonly onLine?: (line: string) => void;
}

/** How a program ended: a code or a signal; or neither, where it did not start. */
export interface ProgramEnd {
  readonly code: number | null;
  /** What a person should know about it, with the last lines of stderr (or else of stdout). */
  readonly sentence: string;
  /** The end of what it has written, of each stream. */
  readonly output?: Readonly<Record<'stdout' | 'stderr', Buffer>>;
}

export class StartedProgram {
  /** Never rejects. When it resolves, nothing is left of what the program has started. */
  readonly ended: Promise<ProgramEnd>;
  private readonly child: ChildProcess;
  private readonly mark = randomUUID();
  private readonly tails: Record<'stdout' | 'stderr', Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  private grace: NodeJS.Timeout | undefined;

  /** @param words the program and its arguments */
  constructor(words: readonly string[], { threads, onLine }: ProgramOptions) {
    const [program, ...rest] = words;
    this.child = spawn(program!, rest, {
      env: { ...variables(threads), [MARK]: this.mark },
      stdio: [onLine ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true, // as the leader of a group
    });
    this.child.stdin?.on('error', () => {}); // it has ended, which `ended` says
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.on('data', (bytes: Buffer) => {
        this.tails[name] = Buffer.concat([this.tails[name], bytes.subarray(-TAIL)]).subarray(-TAIL);
      });
    }
    if (onLine) this.child.stdout?.on('data', lineReader(onLine));
    this.ended = this.end(program!);
  }

  /** Whether it could be started and has not ended. */
  get runs(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  write(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Ends its input; a program that stays up ends by that. If it does not, it is stopped after a while. */
  closeInput(): void {
    if (!this.runs) return;
    this.child.stdin?.end();
    this.grace ??= setTimeout(() => {
      this.grace = undefined;
      this.stop();
    }, GRACE_MS);
  }

  /** Asks it to end, by SIGTERM to its group; what has not ended after a while is killed. */
  stop(): void {
    if (!this.runs) return;
    this.signalGroup('SIGTERM');
    this.grace ??= setTimeout(() => this.signalGroup('SIGKILL'), GRACE_MS);
  }

  private async end(program: string): Promise<ProgramEnd> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      this.child.once('exit', () => resolve(undefined));
      this.child.once('error', (error) => {
        if (this.child.pid === undefined) resolve(error);
      });
    });
    clearTimeout(this.grace);
    if (failure) return { code: null, sentence: notStarted(program, failure) };
    // What it has left running holds its pipes.
    this.signalGroup('SIGKILL');
    killMarked(MARK, this.mark);
    let patience: NodeJS.Timeout | undefined;
    await Promise.race([closed, new Promise((resolve) => (patience = setTimeout(resolve, PIPES_MS)))]);
    clearTimeout(patience);
    for (const stream of this.child.stdio) stream?.destroy();
    const { exitCode, signalCode } = this.child;
    const how = signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
    const said = this.lastLines();
    return { code: exitCode, sentence: `ended with ${how}${said && `: ${said}`}`, output: this.tails };
  }

  private signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.child.pid!, signal);
    } catch {
      // no process of the group is left
    }
  }

  private lastLines(): string {
    const { stdout, stderr } = this.tails;
    const linesOf = (bytes: Buffer) =>
      bytes
        .toString('utf8')
        .split('\n')
        .filter((line) => /[^\s^~]/.test(line)); // Python underlines a fault, which takes the place of where it is
    const lines = [stderr, stdout].map(linesOf).find((some) => some.length > 0) ?? [];
    const words = lines.slice(-3).join(' | ');
    return printable(words.length > 500 ? `…${words.slice(-499)}` : words);
  }
}

/** @throws {Error} in a sentence, when there is no such program, or it may not be executed */
export function checkExecutable(program: string): void {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  const files = folders.map((folder) => join(folder, program)).filter((path) => isFile(path));
  if (files.length === 0) throw new Error(notStarted(program, { code: 'ENOENT' }));
  if (!files.some(isExecutable)) throw new Error(notStarted(program, { code: 'EACCES' }));
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The environment of a program: this process's own, without what is meant for a worker alone. */
function variables(threads: number): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !Object.hasOwn(ONE_THREAD, name));
  return { ...Object.fromEntries(own), OMP_NUM_THREADS: String(threads) };
}

function notStarted(program: string, { code, message }: Partial<NodeJS.ErrnoException>): string {
  const name = shortened(printable(program), 200);
  if (code === 'ENOENT') {
    return `expected a program to start, found no ${name}${program.includes('/') ? '' : ' in the folders of PATH'}`;
  }
  if (code === 'EACCES') {
    return `expected a program that may be executed, got ${name} (chmod +x, or put its interpreter before it)`;
  }
  if (code === 'E2BIG')
    return 'expected words that the system takes, got longer ones ({request} has all that {theta} has)';
  return `expected ${name} to start, got ${code ?? message}`;
}

/** Makes a function of pieces of text that calls with each whole line; what is longer than any answer is passed over. */
function lineReader(onLine: (line: string) => void): (bytes: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let line = '';
  let isTooLong = false;
  return (bytes) => {
    decoder
      .write(bytes)
      .split('\n')
      .forEach((part, i) => {
        if (i > 0) {
          if (!isTooLong) onLine(line);
          line = '';
          isTooLong = false;
        }
        isTooLong ||= line.length + part.length > LONGEST_LINE;
        line = isTooLong ? '' : line + part;
      });
  };
}
