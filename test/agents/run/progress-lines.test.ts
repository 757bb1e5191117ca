import assert from 'node:assert/strict';
import { SparseLines } from '../../../agents/run/progress-lines.ts';

describe('the lines of progress', () => {
  const shown = (total: number, all: boolean) => {
    const lines = new SparseLines(total, all);
    return Array.from({ length: total }, (_, i) => i + 1).filter((done) => lines.isDue(done));
  };

  it('are all shown on a terminal', () => assert.equal(shown(1600, true).length, 1600));

  it('are all shown where they are few', () => assert.equal(shown(100, false).length, 100));

  it('are a hundred in a file where they are many, with the first and the last', () => {
    const lines = shown(1600, false);
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [101, 1, 1600]);
  });
});
