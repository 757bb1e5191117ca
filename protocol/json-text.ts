/** JSON that a person may have written: what is wrong in it is told with its line and column. */
import jsonc, { type ParseError } from 'jsonc-parser';
import { printable, shortened } from './errors.ts';

/**
 * The value of a JSON text, which may begin with the byte order mark that some editors write.
 *
 * @param place where the text is from, for the error: the path of a file, or the name of a flag
 * @throws {SyntaxError} with place, line, column, what is wrong, what stands there, and what stands before it
 */
export function parseJson(text: string, place: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (cause) {
    const faults: ParseError[] = [];
    jsonc.parse(json, faults, { disallowComments: true });
    const [fault] = faults;
    if (fault === undefined) throw new SyntaxError(`${place}: ${(cause as Error).message}`, { cause });
    const [before, after] = [json.slice(0, fault.offset), json.slice(fault.offset)];
    const lines = before.split('\n');
    const [line, column] = [lines.length, lines.at(-1)!.length + 1];
    const got = after.trim() === '' ? 'the end' : shortened(printable(/^.*/.exec(after)![0].trimEnd()), 30);
    const context = printable(before.trim());
    const last = context.length > 40 ? `…${context.slice(-40)}` : context;
    const where = `${got}${last === '' ? '' : ` after ${last}`}`;
    // Such as PropertyNameExpected.
    const what = jsonc
      .printParseErrorCode(fault.error)
      .replace(/\B[A-Z]/g, (letter) => ` ${letter}`)
      .toLowerCase();
    throw new SyntaxError(`${place}, line ${line}, column ${column}: expected JSON, got ${where} (${what})`, { cause });
  }
}
