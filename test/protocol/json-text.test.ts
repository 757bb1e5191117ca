import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseJson } from '../../protocol/json-text.ts';

describe('JSON that a person has written', () => {
  const complaint = (text: string): string => {
    try {
      parseJson(text, 'x.json');
    } catch (error) {
      return (error as Error).message;
    }
    return 'none';
  };

  it('is read as JSON.parse does, also after a byte order mark', () => {
    fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parseJson(text, ''), JSON.parse(text))));
    assert.deepEqual(parseJson('\uFEFF{"a": [1]}', ''), { a: [1] });
  });

  const faults: [what: string, text: string, said: string][] = [
    ['a comma after the last member', '{\n  "a": 1,\n}', 'line 3, column 1: expected JSON, got } after { "a": 1, (property name expected)'],
    ['a comma after the last item', '[1, 2, ]', 'line 1, column 8: expected JSON, got ] after [1, 2, (value expected)'],
    ['a name without quotes', '{preset: "quick"}', 'line 1, column 2: expected JSON, got preset: "quick"} after { (invalid symbol)'],
    ['single quotes', '{"a": \'b\'}', 'line 1, column 7: expected JSON, got \'b\'} after {"a": (invalid symbol)'],
    ['a missing comma', '{"a": 1\n "b": 2}', 'line 2, column 2: expected JSON, got "b": 2} after {"a": 1 (comma expected)'],
    ['a missing colon', '{"a" 1}', 'line 1, column 6: expected JSON, got 1} after {"a" (colon expected)'],
    ['a misspelt word', '[tru]', 'line 1, column 2: expected JSON, got tru] after [ (invalid symbol)'],
    ['a number that JSON does not have', '{"a": .5}', 'line 1, column 7: expected JSON, got .5} after {"a": (invalid symbol)'],
    ['a comment', '{ // all\n}', 'line 1, column 3: expected JSON, got // all after { (invalid comment token)'],
    ['a missing bracket', '{"a": [1, 2}', 'line 1, column 12: expected JSON, got } after {"a": [1, 2 (comma expected)'],
    ['a text that is cut off', '{"a": [1,\n', 'line 2, column 1: expected JSON, got the end after {"a": [1, (value expected)'],
    ['nothing', '', 'line 1, column 1: expected JSON, got the end (value expected)'],
    ['a second value', '{}\n{}', 'line 2, column 1: expected JSON, got {} after {} (end of file expected)'],
    ['a string without its end', '{"a: 1\n}', 'line 1, column 2: expected JSON, got "a: 1 after { (unexpected end of string)'],
    ['a backslash alone', '{"a": "C:\\data"}', 'line 1, column 7: expected JSON, got "C:\\data"} after {"a": (invalid escape character)'],
  ]; // prettier-ignore
  for (const [what, text, said] of faults) {
    it(`is refused with line, column and what stands there: ${what}`, () => {
      assert.equal(complaint(text), `x.json, ${said}`);
    });
  }

  it('is shown in part where it is long, and without what steers a terminal', () => {
    const said = complaint(`[${'1234567, '.repeat(50)}\u001b[2J${'x'.repeat(100)}]`);
    assert.match(
      said,
      /^x\.json, line 1, column 452: expected JSON, got \\u001b\[2Jx+\.\.\. after ….*1234567, \(invalid symbol\)$/,
    );
    assert.equal(said.length < 160, true, said);
    assert.match(complaint(`"${'a'.repeat(1_000_000)}`), /got "a+\.\.\. \(unexpected end of string\)$/);
  });

  it('has its fault where no text begins that can still become JSON', () => {
    const edited = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom('', ',', ':', '"', '}', ']', '{', '1', '-', 'e', '\\', '\n', 'x'),
      )
      .map(([text, at, cut, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + cut);
      });
    fc.assert(
      fc.property(edited, (text) => {
        let theirs: string;
        try {
          JSON.parse(text);
          return;
        } catch (error) {
          theirs = (error as Error).message;
        }
        const [, column] = /^x\.json, line \d+, column (\d+): expected/.exec(complaint(text)) ?? [];
        assert.notEqual(column, undefined, `${text}: ${complaint(text)}`);
        const [, position] = / at position (\d+)/.exec(theirs) ?? [];
        if (position === undefined || text.includes('\n')) return;
        assert.equal(Number(column) <= Number(position) + 1, true, `${text}: ${complaint(text)}; ${theirs}`);
      }),
      { numRuns: 2000 },
    );
  });
});
