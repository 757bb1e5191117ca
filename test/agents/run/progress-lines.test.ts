import assert from 'node:assert/strict';
import { ProgressLines, SearchPace, SparseLines } from '../../../agents/run/progress-lines.ts';

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

describe('the line of an evaluation', () => {
  /** What is printed of a record. */
  function line(lines: ProgressLines, record: object): string {
    const said: string[] = [];
    const { log } = console;
    console.log = (line: string) => void said.push(line);
    try {
      lines.show({ timing: {}, ...record } as never, false);
    } finally {
      console.log = log;
    }
    assert.equal(said.length, 1);
    return said[0]!;
  }

  it('shows a reason on one line, without what steers a terminal', () => {
    const reason = 'no\u001b[2J\u009b31m\r\n[2/2] gain 9.0000';
    const said = line(new ProgressLines('gain', 2, 1), { outcome: 'failed', reward: null, reason });
    assert.match(said, /^\[1\/2\] gain failed \(no\\u001b\[2J\\u009b31m \[2\/2\] gain 9\.0000\)  best –/);
  });

  it('tells the time until all batches after the search have ended, in which places stay empty', () => {
    let now = 0;
    const lines = new ProgressLines('gain', 4, 2, [3, 0, 1], new SearchPace(2, () => now));
    const said: string[] = [];
    // Two at once, each of 10 s. A batch of three takes 20 s, and one of one 10 s.
    for (const at of [10, 10, 20, 20]) {
      now = at;
      said.push(line(lines, { outcome: 'ok', reward: 1, timing: { train_ms: 10_000 } }));
    }
    const left = said.map((each) => / (\S+) left$/.exec(each)?.[1]);
    // 3, 2, 1 and 0 of the search are left, at 5 s each.
    assert.deepEqual(left, ['0:45', '0:40', '0:35', '0:30']);
  });
});

describe('the pace of evaluations', () => {
  it('is about right from the first evaluation on, though others run beside it', () => {
    let now = 0;
    const pace = new SearchPace(4, () => now);
    const atPace: number[] = [];
    // Four at once, each of 10 s, which end a second apart.
    for (let i = 0; i < 16; i++) {
      now = 10 * (1 + Math.floor(i / 4)) + (i % 4);
      pace.add(1, 10);
      atPace.push(pace.perSecond());
    }
    for (const each of atPace) assert.ok(each > 0.25 && each <= 0.41, `${each}, expected .4`);
  });

  it('counts a discarded evaluation by its share', () => {
    let now = 0;
    const pace = new SearchPace(1, () => now);
    now = 5;
    pace.add(0.5, 5);
    assert.equal(pace.perSecond(), 0.1);
  });
});
