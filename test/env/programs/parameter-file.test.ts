import assert from 'node:assert/strict';
import { parametersOf } from '../../../env/programs/parameter-file.ts';
import { TRAFFIC } from '../../../env/simulators/traffic/traffic.ts';

describe('a file of parameters', () => {
  const x = { name: 'x', low: 0, high: 2, default: 1 };

  it('is a list of parameters, in which what is natural may be left out', () => {
    const { parameters, start, deterministic } = parametersOf(
      [x, { name: 'w', kind: 'simplex', labels: ['a', 'b'], default: [0.5, 0.5] }],
      'θ.json',
    );
    assert.deepEqual(parameters, [
      { ...x, kind: 'continuous', meaning: '', scale: 'linear', unit: '1', slice: [0, 1] },
      {
        name: 'w',
        kind: 'simplex',
        labels: ['a', 'b'],
        default: [0.5, 0.5],
        meaning: '',
        unit: 'probability',
        slice: [1, 3],
      },
    ]);
    assert.deepEqual(start, { x: 1, w: [0.5, 0.5] });
    assert.equal(deterministic, false);
  });

  it('has parameters of every kind', () => {
    const drafts = [
      { name: 'lanes', kind: 'integer', low: 1, high: 4, default: 2 },
      { name: 'night', kind: 'boolean', default: false },
      { name: 'town', kind: 'categorical', choices: ['old', 'new'], default: 'old' },
    ];
    const { parameters, start } = parametersOf(drafts, 'θ.json');
    assert.deepEqual(parameters[0], { ...drafts[0], meaning: '', scale: 'linear', unit: '1', slice: [0, 1] });
    assert.deepEqual(parameters[1], { ...drafts[1], meaning: '', slice: [1, 2] });
    assert.deepEqual(parameters[2], { ...drafts[2], meaning: '', slice: [2, 4] });
    assert.deepEqual(start, { lanes: 2, night: false, town: 'old' });
  });

  it('[G10] is an object too, which says where a search starts and whether equal seeds give equal images', () => {
    const said = parametersOf({ parameters: [x], start: { x: 0.5 }, deterministic: true }, 'θ.json');
    assert.deepEqual([said.start, said.deterministic], [{ x: 0.5 }, true]);
  });

  it('takes what a server publishes as `spec.parameters`', () => {
    assert.deepEqual(parametersOf(TRAFFIC.parameters, 'θ.json').parameters, TRAFFIC.parameters);
  });

  it('is refused with its place, the rule and the value', () => {
    const wrong: [value: unknown, message: RegExp][] = [
      [[], /^θ\.json: parameters: .*got \[\]$/],
      [7, /^θ\.json: .*, got 7$/],
      [[{ ...x, low: 'a' }], /^θ\.json: parameters\.0\.low: .*got "a"$/],
      [[{ ...x, lo: 1 }], /^θ\.json: parameters\.0: .*lo/],
      [[{ ...x, kind: 'list' }], /^θ\.json: parameters\.0\.kind: .*got "list"$/],
      [[x, x], /^θ\.json: parameter x: expected a name of its own, got it twice$/],
      [[{ ...x, default: 3 }], /^θ\.json: default of parameter x: expected 0\.\.2, got 3$/],
      [{ parameters: [x], start: { y: 1 } }, /^θ\.json: start: y: expected one of x; no parameter has this name$/],
      [{ parameters: [x], begin: {} }, /^θ\.json: .*begin/],
    ];
    for (const [value, message] of wrong)
      assert.throws(() => parametersOf(value, 'θ.json'), { message }, JSON.stringify(value));
  });
});
