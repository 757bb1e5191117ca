/** Classes that a data set names itself, in `classes.json`: of streets or of anything else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { shown, valueAt } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json-text.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { VOID } from './classes.ts';
import { IGNORED, packed, type LabelMaps } from './label-maps.ts';

export interface NamedClasses {
  /** The file that names them. */
  readonly path: string;
  /** The id of a class in a labelled image is its position here. */
  readonly names: readonly string[];
  /** What label images may hold. */
  readonly maps: LabelMaps;
}

const byte = z.int().min(0).max(255);
const colour = z.tuple([byte, byte, byte]);
const entry = z.union(
  [
    z.null(),
    z.string().min(1).max(100),
    z.strictObject({
      name: z.string().min(1).max(100).nullable(),
      colour: colour.optional(),
      color: colour.optional(),
    }),
  ],
  'expected a name, null for void, or {"name": …, "colour": [red, green, blue]}',
);
const id = z.string().regex(/^\d{1,5}$/, 'expected ids of 0 to 65535 as keys');
const file = z.union([z.array(entry), z.record(id, entry)], {
  error: ({ input }) =>
    typeof input === 'object' && input !== null ? undefined : 'expected a list of names, or an object of names by id',
});

/**
 * The classes that `classes.json` in a folder names; undefined where there is no such file.
 *
 * @throws {Error} naming the entry that breaks a rule
 */
export function classesIn(folder: string): NamedClasses | undefined {
  const path = join(folder, 'classes.json');
  return isRegularFile(path) ? classesOf(parsedFile(path, file), path) : undefined;
}

/**
 * What a JSON file holds.
 *
 * @throws {Error} naming the file, the place in it, the rule and the value
 */
export function parsedFile<Value>(path: string, schema: z.ZodType<Value>): Value {
  const value = parseJson(readFileSync(path, 'utf8'), path);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: at, message } = deepest(parsed.error.issues[0]!);
  throw new Error(`${path}: ${at.join('.') || 'the file'}: ${message}, got ${shown(valueAt(value, at))}`);
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union, what is wrong in the alternative that goes deepest. */
function deepest(issue: z.core.$ZodIssue): Issue {
  if (issue.code === 'invalid_key') return { path: issue.path, message: issue.issues[0]!.message };
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flatMap((issues) => issues.map(deepest));
  const below = inner.filter(({ path }) => path.length > 0);
  const best = below.sort((a, b) => b.path.length - a.path.length)[0];
  return best ? { path: [...issue.path, ...best.path], message: best.message } : issue;
}

function classesOf(entries: z.infer<typeof file>, path: string): NamedClasses {
  const names: string[] = [];
  const ids = new Map(IGNORED.map((value) => [value, VOID]));
  const palette = new Map<number, number>();
  for (const [key, given] of Object.entries(entries)) {
    const { name, colour, color } = typeof given === 'object' && given !== null ? given : { name: given };
    if (name !== null && !names.includes(name)) names.push(name);
    const position = name === null ? VOID : names.indexOf(name);
    ids.set(Number(key), position);
    const shade = colour ?? color;
    if (shade) palette.set(packed(shade), position);
  }
  return { path, names: checked(names, path), maps: { name: `classes ${names.join()}`, ids, palette } };
}

/** Names of the classes of a network. @throws {Error} naming the file, where they are too few or too many */
export function checked(names: readonly string[], path: string): readonly string[] {
  if (names.length >= 2 && names.length < VOID) return names;
  throw new Error(`${path}: expected 2 to ${VOID - 1} classes, got ${names.length}: ${shown(names)}`);
}
