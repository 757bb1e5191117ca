/** What a check of a program has found, in sentences. */
import { printable } from '../../protocol/errors.ts';
import { ProgressFile } from '../../env/programs/progress-file.ts';
import type { Program } from '../../env/programs/program.ts';

/** `note`: it works, and could be better. */
export interface Finding {
  readonly kind: 'good' | 'note' | 'wrong';
  readonly sentence: string;
}

export type Say = (finding: Finding) => void;

export const good = (sentence: string): Finding => ({ kind: 'good', sentence });
export const note = (sentence: string): Finding => ({ kind: 'note', sentence });
export const wrong = (sentence: string): Finding => ({ kind: 'wrong', sentence: printable(sentence) });

/** What was seen of a call. */
export interface Seen {
  readonly seconds: number;
  /** The number of lines of progress, and the first of them that cannot be read. */
  readonly lines: number;
  readonly unreadable: string | undefined;
  /** Whether a line had scores of the unfinished model. */
  readonly isScored: boolean;
}

/** A program whose calls are watched. @param calls gets what was seen of each */
export function watched(program: Program, calls: Seen[]): Program {
  return {
    async call(request, file, signal) {
      const began = performance.now();
      const end = await program.call(request, file, signal);
      const progress = new ProgressFile(request.progress);
      const lines = await progress.read();
      calls.push({
        seconds: (performance.now() - began) / 1000,
        lines: lines.length,
        unreadable: progress.unreadable,
        isScored: lines.some(({ scored }) => scored),
      });
      return end;
    },
    close: () => program.close(),
  };
}

/** What there is to say about the progress of a call. */
export function progressFinding({ lines, unreadable }: Seen): Finding {
  if (unreadable !== undefined) {
    const rule = 'expected lines as {"fraction": 0.4, "metrics": {"loss": 0.3}}';
    return wrong(`progress: ${rule}, got ${unreadable.slice(0, 120)}`);
  }
  if (lines === 0) return note('progress: it writes none, so clients see nothing until its end');
  return good(`progress: ${lines} line${lines === 1 ? '' : 's'}`);
}
