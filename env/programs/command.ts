/** The program behind a command: one for this process, together with what its files hold. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { FailedError } from '../failed-error.ts';
import type { ProgramRuntime, ProgramsRuntime } from '../runtime.ts';
import { fileHash } from '../streets/content.ts';
import { failing } from './call.ts';
import { coldProgram, type Program } from './program.ts';
import { checkExecutable } from './started-program.ts';
import { templateOf, type ProgramRole } from './template.ts';
import { WarmProgram } from './warm-program.ts';

export interface Command {
  /** As it was given; part of an environment's identity, as `content` is. */
  readonly line: string;
  /** A hash of the files that its words name: scripts, scenes, and a program that is named by its path. */
  readonly content: string;
  /** Its calls fail once these files have changed. */
  readonly program: Program;
  /** @throws {Error} in a sentence, when the program is missing or may not be executed */
  check(): void;
}

/** The programs of this process that stay up, by role. Experiments with other options share them. */
const warm = new Map<string, { readonly key: string; readonly program: Program }>();

function hashOf(files: readonly string[]): string {
  return createHash('sha256').update(files.map(fileHash).join()).digest('hex').slice(0, 16);
}

/** @throws {RangeError} naming what is wrong with the template; {Error} of the system, when a file cannot be read */
export function commandOf(role: ProgramRole, { command, ...how }: ProgramRuntime, runtime: ProgramsRuntime): Command {
  const words = templateOf(command, role, how.warm);
  const files = words.filter((word) => statSync(word, { throwIfNoEntry: false })?.isFile());
  const content = hashOf(files);
  const program = how.warm ? warmProgram(role, words, content, runtime) : coldProgram(words, runtime);
  return {
    line: command,
    content,
    program: {
      async call(request, file, signal) {
        const now = await failing(role, () => hashOf(files));
        if (now === content) return program.call(request, file, signal);
        throw new FailedError(`${role}: ${files.join(', ')}: changed since the session was opened; open a new one`);
      },
      close: () => program.close(),
    },
    check: () => checkExecutable(words[0]!),
  };
}

function warmProgram(role: ProgramRole, words: readonly string[], content: string, runtime: ProgramsRuntime): Program {
  const key = JSON.stringify([words, content]);
  const known = warm.get(role);
  if (known?.key === key) return known.program;
  known?.program.close();
  const program = new WarmProgram(words, runtime.callsPerStart, runtime);
  warm.set(role, { key, program });
  return program;
}
