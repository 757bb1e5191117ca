import assert from 'node:assert/strict';
import { filled, templateOf, wordsOf } from '../../../env/programs/template.ts';

describe('the command of a program', () => {
  it('[G1] is cut into words at blanks, with quotes and backslashes', () => {
    const words = (line: string) => wordsOf(line, 'here');
    assert.deepEqual(words('blender  -b\tcity.blend\n'), ['blender', '-b', 'city.blend']);
    assert.deepEqual(words(`a 'b  "c" \\' "d 'e' \\"f\\" \\\\"`), ['a', 'b  "c" \\', `d 'e' "f" \\`]);
    assert.deepEqual(words(`--name='two words'"s" x\\ y ''`), ['--name=two wordss', 'x y', '']);
    assert.deepEqual(words(`sh -c 'a | b > $c'`), ['sh', '-c', 'a | b > $c']);
    assert.deepEqual(words('a=b --x=1|2 {theta}'), ['a=b', '--x=1|2', '{theta}']);
  });

  it('[G1] is refused where a quote has no end, where it is empty, and where only a shell would understand it', () => {
    assert.throws(() => wordsOf(`python3 'a.py`, '--simulator'), {
      message: `--simulator: expected the end of each quote, got "python3 'a.py"`,
    });
    assert.throws(() => wordsOf('  ', '--trainer'), /--trainer: expected the words of a command, got nothing/);
    for (const word of ['|', '&&', ';', '>', '2>&1', '<', '~/draw.py', '$HOME/draw.py', '`date`', '$(date)']) {
      const rule = /expected a command without a shell, got .* \(put it into a script, or quotes\)/;
      assert.throws(() => wordsOf(`python3 draw.py ${word}`, 'x'), rule, word);
      assert.deepEqual(wordsOf(`echo '${word}'`, 'x'), ['echo', word]);
    }
  });

  it('[G2] has names in braces, each replaced wherever it stands, and nothing else is', () => {
    const words = templateOf(`a --in={request} '{out}/x' {seed}{seed} '{"json": {}}'`, 'simulator', false);
    const values = { request: '/r {out}', out: '/o p', seed: '7' };
    assert.deepEqual(filled(words, values), ['a', '--in=/r {out}', '/o p/x', '77', '{"json": {}}']);
  });

  it('[G2] is refused with a name that its role does not have, and without {request} or {out}', () => {
    assert.throws(
      () => templateOf('a {request} {data}', 'simulator', false),
      /--simulator: expected names in braces of .*\{theta\}.*, got \{data\}/,
    );
    assert.throws(() => templateOf('a {request} {theta}', 'trainer', false), /--trainer: .*, got \{theta\}/);
    assert.throws(
      () => templateOf('a {seed}', 'trainer', false),
      /expected \{request\} or \{out\} among its words, got "a \{seed\}"/,
    );
  });

  it('[G17] has no names in braces where the program stays up', () => {
    assert.deepEqual(templateOf('a b', 'simulator', true), ['a', 'b']);
    assert.throws(
      () => templateOf('a {width}', 'simulator', true),
      /expected no \{width\}: a program that stays up reads it/,
    );
  });
});
