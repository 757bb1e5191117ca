/** Readers of command-line values: each turns a word into a value, or throws an InvalidArgumentError with a sentence. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { isRegularFile } from '../../protocol/regular-file.ts';

/** A finite number, at least `low` and at most `high`. */
export function number(low = -Infinity, high = Infinity): (word: string) => number {
  return (word) => {
    const value = word.trim() === '' ? Number.NaN : Number(word);
    if (!Number.isFinite(value) || value < low || value > high) {
      throw new InvalidArgumentError(`Expected a number ${between(low, high)}, got "${word}".`);
    }
    return value;
  };
}

function between(low: number, high: number): string {
  if (high < Number.MAX_SAFE_INTEGER) return `from ${low} to ${high}`;
  return low > -Infinity ? `of at least ${low}` : 'that is finite';
}

/** A whole number, at least `low` and at most `high`. */
export function integer(low: number, high = Number.MAX_SAFE_INTEGER): (word: string) => number {
  const read = number(low, high);
  return (word) => {
    const value = read(word);
    if (!Number.isInteger(value)) throw new InvalidArgumentError(`Expected a whole number, got "${word}".`);
    return value;
  };
}

const MOST_SEED = 0xffffffff;

/** A seed: a whole number from 0 to 2³² − 1. */
export const seed = integer(0, MOST_SEED);

const MOST_RUNS = 1000;

/** Seeds one after the other: `1..5`. */
export function seedRange(word: string): number[] {
  const [, first, last] = (/^(\d+)\.\.(\d+)$/.exec(word) ?? []).map(Number);
  if (first === undefined || last === undefined || last < first || last > MOST_SEED || last - first >= MOST_RUNS) {
    throw new InvalidArgumentError(
      `Expected the first and the last of at most ${MOST_RUNS} seeds, as 1..5, got "${word}".`,
    );
  }
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): (word: string) => T {
  return (word) => {
    const found = words.find((known) => known === word);
    if (found === undefined) throw new InvalidArgumentError(`Expected one of ${words.join(', ')}, got "${word}".`);
    return found;
  };
}

/** A word as it is typed in a shell. */
export const typed = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** A word that names something: a server, an environment, a secret. An empty one, from an unset variable, is refused. */
export const word = nonEmpty('a word');

/** Words of a flag that may be repeated, in their order. */
export const words = (text: string, before: readonly string[] = []): string[] => [...before, word(text)];

/** The path of a file or a folder; not empty. */
export const filePath = nonEmpty('a path');

function nonEmpty(what: string): (text: string) => string {
  return (text) => {
    if (text.trim() === '') throw new InvalidArgumentError(`Expected ${what}, got nothing (an unset variable?).`);
    return text;
  };
}

/** The same as an absolute path. */
export const absolutePath = (word: string): string => resolve(filePath(word));

/**
 * Adds the flags of a secret, which {@link secretOf} reads: `--<name>` (`ps` and npm print it), the variable, and
 * `--<name>-file`.
 */
export function withSecret(command: Command, name: string, meaning: string, variable: string): Command {
  return command
    .addOption(new Option(`--${name} <secret>`, meaning).env(variable).argParser(word))
    .addOption(
      new Option(`--${name}-file <file>`, 'the same, from a file, so that no list of processes shows it')
        .argParser(filePath)
        .conflicts(camelCase(name)),
    );
}

/**
 * A secret of the flags that {@link withSecret} has added; undefined if none is given.
 *
 * @throws {Error} when its file cannot be read or is empty
 */
export function secretOf(options: object, name: string): string | undefined {
  const given = (key: string) => (options as Readonly<Record<string, string | undefined>>)[camelCase(key)];
  const file = given(`${name}-file`);
  if (file === undefined) return given(name);
  try {
    isRegularFile(file, 'file or pipe');
    return nonEmpty('a secret')(readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
  } catch (error) {
    throw new Error(`--${name}-file: expected a secret in ${file}, got: ${(error as Error).message}`, { cause: error });
  }
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The options as they may be shown: without secrets. */
export function withoutSecrets(options: object): string {
  return JSON.stringify(options, (key, value: unknown) => (/(token|queue)$/i.test(key) ? '…' : value));
}

/** The help text of options that take θ; {@link jsonObject} reads them. */
export const THETA_HELP = 'θ by name, as JSON or a file of it; parameters that are left out take their defaults';

/** A JSON object, given directly or as the path of a file. */
export function jsonObject(word: string): Record<string, unknown> {
  const inline = word.trim().startsWith('{');
  const text = inline ? word : textOf(word, '{…} or a readable file of it');
  const value = parsed(text, `a JSON object${inline ? '' : ` in ${word}`}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`Expected a JSON object, got "${text.slice(0, 60)}".`);
  }
  return value as Record<string, unknown>;
}

/** Any JSON value, from a file. */
export function jsonFile(path: string): unknown {
  return parsed(textOf(path, 'a readable file of JSON'), `JSON in ${path}`);
}

function textOf(path: string, expected: string): string {
  try {
    isRegularFile(path, 'file or pipe');
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, ''); // without the byte order mark that some editors write
  } catch (error) {
    throw new InvalidArgumentError(`Expected ${expected}, got "${path}" (${(error as Error).message}).`);
  }
}

function parsed(text: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`Expected ${expected}, got "${text.slice(0, 60)}" (${(error as Error).message}).`);
  }
}

/** Whether the module of this `import.meta.url` is the program that was started. */
export function isProgram(url: string): boolean {
  return process.argv[1] === fileURLToPath(url);
}
