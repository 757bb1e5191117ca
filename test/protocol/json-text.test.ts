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
    ['a comma after the last member', '{\n  "a": 1,\n}', ', line 3, column 1: expected a name in double quotes, got } after { "a": 1,'],
    ['a comma after the last item', '[1, 2, ]', ', line 1, column 8: expected a value, got ] after [1, 2,'],
    ['a name without quotes', '{preset: "quick"}', ', line 1, column 2: expected a name in double quotes or }, got preset: "quick"} after {'],
    ['single quotes', '{"a": \'b\'}', ', line 1, column 7: expected a value, got \'b\'} after {"a":'],
    ['a missing comma', '{"a": 1\n "b": 2}', ', line 2, column 2: expected a comma or }, got "b": 2} after {"a": 1'],
    ['a missing colon', '{"a" 1}', ', line 1, column 6: expected a colon, got 1} after {"a"'],
    ['a misspelt word', '[tru]', ', line 1, column 2: expected a value or ], got tru] after ['],
    ['a number that JSON does not have', '{"a": .5}', ', line 1, column 7: expected a value, got .5} after {"a":'],
    ['a comment', '{ // all\n}', ', line 1, column 3: expected a name in double quotes or }, got // all after {'],
    ['a missing bracket', '{"a": [1, 2}', ', line 1, column 12: expected a comma or ], got } after {"a": [1, 2'],
    ['a text that is cut off', '{"a": [1,\n', ', line 1, column 10: expected a value, got the end after {"a": [1,'],
    ['nothing', '', ', line 1, column 1: expected a value, got the end'],
    ['a second value', '{}\n{}', ', line 2, column 1: expected nothing more, got {} after {}'],
    ['a string without its end', '{"a: 1\n}', ', line 1, column 2: expected a string that ends on its line, with \\\\ for each backslash, got "a: 1 after {'],
    ['a backslash alone', '{"a": "C:\\data"}', ', line 1, column 7: expected a string that ends on its line, with \\\\ for each backslash, got "C:\\data"} after {"a":'],
  ]; // prettier-ignore
  for (const [what, text, said] of faults) {
    it(`is refused with line, column and what stands there: ${what}`, () => {
      assert.equal(complaint(text), `x.json${said}`);
    });
  }

  it('is shown in part where it is long, and without what steers a terminal', () => {
    const said = complaint(`[${'1234567, '.repeat(50)}\u001b[2J${'x'.repeat(100)}]`);
    assert.match(said, /^x\.json, line 1, column 452: expected a value, got \\u001b\[2Jx+\.\.\. after ….*1234567,$/);
    assert.equal(said.length < 150, true, said);
    assert.match(complaint(`"${'a'.repeat(1_000_000)}`), /got "a+\.\.\.$/);
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
