/** JSON that a person may have written: what is wrong in it is told with its line and column. */
import { printable, shortened } from './errors.ts';

/** Blanks, and the next token: a string, another scalar, or a sign. */
const TOKEN =
  /[ \t\n\r]*(?:(?<string>"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*")|(?<scalar>(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))|(?<sign>[{}[\],:]))/y;
const NOT_BLANK = /[^ \t\n\r]/g;

/** The states of a reader, and how an error names what each expects. */
const EXPECTED = {
  value: 'a value',
  firstItem: 'a value or ]',
  firstName: 'a name in double quotes or }',
  name: 'a name in double quotes',
  colon: 'a colon',
  inObject: 'a comma or }',
  inList: 'a comma or ]',
  end: 'nothing more',
};
type State = keyof typeof EXPECTED;

/** The state after each token that a state takes; `done`: a value is complete, and what follows depends on what it is in. */
const VALUE: Readonly<Record<string, State | 'done'>> = {
  string: 'done',
  scalar: 'done',
  '{': 'firstName',
  '[': 'firstItem',
};
const NEXT: Readonly<Record<State, typeof VALUE>> = {
  value: VALUE,
  firstItem: { ...VALUE, ']': 'done' },
  firstName: { string: 'colon', '}': 'done' },
  name: { string: 'colon' },
  colon: { ':': 'value' },
  inObject: { ',': 'name', '}': 'done' },
  inList: { ',': 'value', ']': 'done' },
  end: {},
};

/** Where a text stops being JSON, and what should stand there; undefined if the text is JSON. */
function faultIn(text: string): { readonly at: number; readonly expected: string } | undefined {
  const around: State[] = [];
  let state: State = 'value';
  for (let end = 0; ;) {
    NOT_BLANK.lastIndex = TOKEN.lastIndex = end;
    const at = NOT_BLANK.exec(text)?.index;
    if (at === undefined) return state === 'end' ? undefined : { at: end, expected: EXPECTED[state] };
    const { string, scalar, sign } = TOKEN.exec(text)?.groups ?? {};
    end = TOKEN.lastIndex;
    const kind = string !== undefined ? 'string' : scalar !== undefined ? 'scalar' : (sign ?? '');
    const next: State | 'done' | undefined = NEXT[state][kind];
    if (next === undefined) {
      const isBrokenString = kind === '' && text[at] === '"' && 'string' in NEXT[state];
      const expected = 'a string that ends on its line, with \\\\ for each backslash';
      return { at, expected: isBrokenString ? expected : EXPECTED[state] };
    }
    if (kind === '{') around.push('inObject');
    else if (kind === '[') around.push('inList');
    else if (kind === '}' || kind === ']') around.pop();
    state = next === 'done' ? (around.at(-1) ?? 'end') : next;
  }
}

/**
 * The value of a JSON text, which may begin with the byte order mark that some editors write.
 *
 * @param place where the text is from, for the error: the path of a file, or the name of a flag
 * @throws {SyntaxError} with place, line, column, what was expected, what stands there, and what stands before it
 */
export function parseJson(text: string, place: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (cause) {
    const fault = faultIn(json);
    if (fault === undefined) throw new SyntaxError(`${place}: ${(cause as Error).message}`, { cause });
    const { at, expected } = fault;
    const [before, after] = [json.slice(0, at), json.slice(at)];
    const lines = before.split('\n');
    const [line, column] = [lines.length, lines.at(-1)!.length + 1];
    const got = after.trim() === '' ? 'the end' : shortened(printable(/^.*/.exec(after)![0].trimEnd()), 30);
    const context = printable(before.trim());
    const last = context.length > 40 ? `…${context.slice(-40)}` : context;
    const sentence = `expected ${expected}, got ${got}${last === '' ? '' : ` after ${last}`}`;
    throw new SyntaxError(`${place}, line ${line}, column ${column}: ${sentence}`, { cause });
  }
}
