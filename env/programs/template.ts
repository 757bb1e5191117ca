/** The command line of a program as a template: words, in which `{names}` stand for what differs from call to call. */
import { shown } from '../../protocol/errors.ts';

/** What stands in braces, by the role of the program; env/programs.md says what each is. */
export const PLACEHOLDERS = {
  simulator: ['request', 'out', 'progress', 'theta', 'seed', 'first', 'count', 'width', 'height'],
  trainer: ['request', 'out', 'progress', 'data', 'validation', 'test', 'seed', 'count', 'width', 'height'],
} as const;

export type ProgramRole = keyof typeof PLACEHOLDERS;

/** Words, outside quotes, that only a shell understands. */
const OF_A_SHELL = /^(\|\|?|&&?|;|\d?>>?(&\d)?|<|~(\/.*)?|.*(`|\$[\w({]).*)$/;

/**
 * The words of a command line. Blanks separate words; '…' is taken as it stands; in "…" and outside quotes, a backslash
 * takes the next character as it stands. There are no variables, wildcards or pipes.
 *
 * @param place of the line, for the error
 * @throws {RangeError} at a quote without its end, where nothing is there, and at what only a shell would understand
 */
export function wordsOf(line: string, place: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let bare = ''; // what of the word stands outside quotes
  const end = () => {
    if (word === undefined) return;
    if (bare === word && OF_A_SHELL.test(word)) {
      throw new RangeError(
        `${place}: expected a command without a shell, got ${word} (put it into a script, or quotes)`,
      );
    }
    words.push(word);
    word = undefined;
    bare = '';
  };
  const parts = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  for (let at = 0; at < line.length; at = parts.lastIndex) {
    const [part, single, double, escaped, plain] = parts.exec(line) ?? [];
    if (part === undefined) throw new RangeError(`${place}: expected the end of each quote, got ${shown(line)}`);
    const text = single ?? double?.replace(/\\(.)/gs, '$1') ?? escaped ?? plain;
    if (text === undefined) end();
    else word = (word ?? '') + text;
    bare += plain ?? '';
  }
  end();
  if (words.length === 0) throw new RangeError(`${place}: expected the words of a command, got nothing`);
  return words;
}

const PLACEHOLDER = /\{([a-z]+)\}/g;

/**
 * The words of a template, checked.
 *
 * @param isWarm whether the program stays up and reads its requests: then nothing in its command line differs
 * @throws {RangeError} as {@link wordsOf} does, and at a name in braces that this role does not have
 */
export function templateOf(line: string, role: ProgramRole, isWarm: boolean): string[] {
  const place = `--${role}`;
  const words = wordsOf(line, place);
  const names = words.flatMap((word) => [...word.matchAll(PLACEHOLDER)].map(([, name]) => name!));
  const known: readonly string[] = PLACEHOLDERS[role];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const all = known.map((name) => `{${name}}`).join(' ');
    throw new RangeError(`${place}: expected names in braces of ${all}, got {${unknown}}`);
  }
  if (isWarm && names.length > 0) {
    throw new RangeError(`${place}: expected no {${names[0]}}: a program that stays up reads it from its input`);
  }
  if (!isWarm && !names.some((name) => name === 'request' || name === 'out')) {
    throw new RangeError(`${place}: expected {request} or {out} among its words, got ${shown(line)}`);
  }
  return words;
}

/** The words of a template with its values in place of the names in braces. */
export function filled(words: readonly string[], values: Readonly<Record<string, string>>): string[] {
  return words.map((word) => word.replace(PLACEHOLDER, (braced, name: string) => values[name] ?? braced));
}
