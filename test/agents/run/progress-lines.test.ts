import assert from 'node:assert/strict';
import { SparseLines } from '../../../agents/run/progress-lines.ts';

describe('the lines of progress', () => {
  const shown = (total: number, all: boolean) => {
    const lines = new SparseLines(total, all);
    return Array.from({ length: total }, (_, i) => i + 1).filter((done) => lines.isDue(done));
  };

  it('are all shown on a terminal', () => assert.equal(shown(1600, true).length, 1600));

  it('are all shown where they are few', () => assert.equal(shown(100, false).length, 100));

  it('are the first ten and a hundred in a file where they are many, with the last', () => {
    const lines = shown(1600, false);
    assert.deepEqual(lines.slice(0, 12), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 26, 42]);
    assert.deepEqual([lines.length, lines.at(-1)], [110, 1600]);
  });
});
