/** A program that is called: started anew for each call, or kept up (warm-program.ts). */
import { StartedProgram, type ProgramEnd, type ProgramOptions } from './started-program.ts';
import type { ProgramRequest } from './contract.ts';
import { filled } from './template.ts';

export interface Program {
  /**
   * Makes a call, and waits for its end.
   *
   * @param file   where the request lies
   * @param signal ends the call, and what runs for it
   * @throws {FailedError} where the program is no longer the one that was meant
   */
  call(request: ProgramRequest, file: string, signal: AbortSignal): Promise<ProgramEnd>;
  /** Ends what still runs. */
  close(): void;
}

/** A program that is started for each call. @param words of its template */
export function coldProgram(words: readonly string[], options: Pick<ProgramOptions, 'threads'>): Program {
  return {
    async call(request, file, signal) {
      const program = new StartedProgram(filled(words, valuesOf(request, file)), options);
      const stop = () => program.stop();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const end = await program.ended;
      signal.removeEventListener('abort', stop);
      return end;
    },
    close() {},
  };
}

/** What stands in a template's braces, by name: see PLACEHOLDERS of template.ts. */
function valuesOf(request: ProgramRequest, file: string): Record<string, string> {
  const { out, progress, width, height, count } = request;
  const common = { request: file, out, progress, width: `${width}`, height: `${height}`, count: `${count}` };
  if (request.kind === 'train') {
    const { data, validation, test = '', seeds } = request;
    return { ...common, data, validation, test, seed: `${seeds.initialisation}` };
  }
  return { ...common, theta: JSON.stringify(request.theta), seed: `${request.seed}`, first: `${request.first}` };
}
