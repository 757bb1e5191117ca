import { warmAnswer, type ProgramRequest } from './contract.ts';
import type { Program } from './program.ts';
import { StartedProgram, type ProgramEnd, type ProgramOptions } from './started-program.ts';

/** The call that a program is at. */
interface Pending {
  readonly id: number;
  readonly end: (end: ProgramEnd) => void;
}

/**
 * A program that stays up: it reads a request as a line of JSON, and answers with a line of JSON, call after call. It is
 * started at the first call, after it has ended, and anew after a number of calls, since some programs grow.
 */
export class WarmProgram implements Program {
  private running: StartedProgram | undefined;
  private callsOfRunning = 0;
  private pending: Pending | undefined;

  /**
   * @param words         the program and its arguments
   * @param callsPerStart it is started anew after this number of calls
   */
  constructor(
    private readonly words: readonly string[],
    private readonly callsPerStart: number,
    private readonly options: Pick<ProgramOptions, 'threads'>,
  ) {}

  async call(request: ProgramRequest, _file: string, signal: AbortSignal): Promise<ProgramEnd> {
    const program = this.started();
    this.callsOfRunning++;
    const stop = () => program.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const answered = new Promise<ProgramEnd>((end) => (this.pending = { id: request.id, end }));
    program.write(JSON.stringify(request));
    const end = await Promise.race([answered, program.ended.then(withoutAnswer)]);
    this.pending = undefined;
    signal.removeEventListener('abort', stop);
    if (signal.aborted) await program.ended; // an answer may have come while it was stopped
    if (this.callsOfRunning >= this.callsPerStart || end.code === null) await this.restart(program);
    return end;
  }

  close(): void {
    this.running?.stop();
    this.running = undefined; // experiments share it: the next call of another one starts it anew
  }

  private started(): StartedProgram {
    if (this.running?.runs) return this.running;
    this.callsOfRunning = 0;
    return (this.running = new StartedProgram(this.words, { ...this.options, onLine: (line) => this.hear(line) }));
  }

  /** Ends a program; the next call starts another one. */
  private async restart(program: StartedProgram): Promise<void> {
    program.closeInput();
    await program.ended;
  }

  private hear(line: string): void {
    const answer = this.pending && answerIn(line);
    if (!answer) return; // it is only log
    const { id, exit, reason } = answer;
    const isMeant = id === this.pending!.id;
    const wrong = `expected the answer to the call ${this.pending!.id}, got ${line}`;
    this.pending!.end(
      isMeant ? { code: exit, sentence: reason ?? `answered exit ${exit}` } : { code: null, sentence: wrong },
    );
  }
}

/** The answer that a line is; undefined where it is none. */
function answerIn(line: string) {
  if (!line.startsWith('{')) return undefined;
  try {
    return warmAnswer.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The end of a call whose program has ended: even with code 0 it has not done the call. */
function withoutAnswer({ sentence }: ProgramEnd): ProgramEnd {
  return { code: null, sentence: `${sentence} (before it answered)` };
}
