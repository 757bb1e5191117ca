import assert from 'node:assert/strict';
import { runAll, type Runner } from '../../../agents/run/runner.ts';

interface Request {
  readonly key: string;
  readonly x: number;
}
interface Line {
  readonly key: string;
  readonly x: number;
  readonly reward: number;
}

const request = (x: number): Request => ({ key: `key/${x}`, x });
const requests = [0, 1, 2, 3, 4, 5].map(request);
const line = ({ key, x }: Request): Line => ({ key, x, reward: x * x });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A runner that writes into an array, and evaluates at once. */
function runner(own: Partial<Runner<Request, Line>> = {}) {
  const written: Line[] = [];
  const asked: number[] = [];
  const all: Runner<Request, Line> = {
    log: { path: 'some.jsonl', append: (each) => written.push(each) },
    known: new Map(),
    atOnce: 2,
    evaluate: async (each) => {
      asked.push(each.x);
      return line(each);
    },
    ...own,
  };
  return { all, written, asked };
}

describe('the runner of evaluations', () => {
  it('returns the evaluations in the order of the requests, and logs them in the order in which they end', async () => {
    const ends = new Map<number, () => void>();
    const { all, written } = runner({
      atOnce: 6,
      evaluate: async (each) => {
        await new Promise<void>((end) => ends.set(each.x, end));
        return line(each);
      },
    });
    const done = runAll(requests, all);
    for (const x of [3, 0, 5, 1, 4, 2]) {
      ends.get(x)!();
      await turn();
    }
    assert.deepEqual(await done, requests.map(line));
    assert.deepEqual(
      written.map(({ x }) => x),
      [3, 0, 5, 1, 4, 2],
    );
  });

  it('runs as many at once as it may, and no more', async () => {
    let [now, most] = [0, 0];
    const { all } = runner({
      atOnce: 3,
      evaluate: async (each) => {
        most = Math.max(most, ++now);
        await turn();
        now--;
        return line(each);
      },
    });
    await runAll(requests, all);
    assert.equal(most, 3);
  });

  it('takes known evaluations from the log, makes the others, and says which come from the log', async () => {
    const logged = { ...line(requests[1]!), reward: 77 };
    const heard: [x: number, past: boolean][] = [];
    const known = new Map([[logged.key, logged]]);
    const { all, written, asked } = runner({ known, onLine: ({ x }, past) => heard.push([x, past]) });
    const rewards = (await runAll(requests.slice(0, 3), all)).map(({ reward }) => reward);
    assert.deepEqual(
      [rewards, asked],
      [
        [0, 77, 4],
        [0, 2],
      ],
    );
    assert.deepEqual(
      written.map(({ x }) => x),
      [0, 2],
    );
    assert.deepEqual(heard, [
      [1, true],
      [0, false],
      [2, false],
    ]);
    await runAll(requests, all);
    assert.deepEqual(asked, [0, 2, 3, 4, 5], 'what was evaluated before is known');
  });

  it('refuses a log that has another request under the same key, before it evaluates any', async () => {
    const logged = { ...line(requests[4]!), x: 9 };
    const { all, asked } = runner({
      known: new Map([[logged.key, logged]]),
      differs: ({ x }, { x: got }) => (x === got ? undefined : `expected x ${x}, got ${got}`),
    });
    await assert.rejects(runAll(requests, all), { message: 'some.jsonl, key/4: expected x 4, got 9' });
    assert.deepEqual(asked, []);
  });

  it('refuses two requests with the same key', async () => {
    await assert.rejects(runAll([request(1), request(1)], runner().all), {
      name: 'RangeError',
      message: 'requests: expected a key for each, got key/1 twice',
    });
  });

  it('ends with the first error when nothing runs any more: running ones are told, no more begin, finished ones are kept', async () => {
    const told: number[] = [];
    const { all, written } = runner({
      atOnce: 3,
      evaluate: async (each, signal) => {
        await turn();
        if (each.x === 1) throw new Error('one fails');
        await turn();
        if (signal.aborted) told.push(each.x);
        if (each.x === 2) throw new Error('two was aborted');
        return line(each);
      },
    });
    await assert.rejects(runAll(requests, all), { message: 'one fails' });
    assert.deepEqual(told, [0, 2]);
    assert.deepEqual(written, [line(requests[0]!)], 'it was paid for');
  });

  it('leaves what runs to itself after an error that ends the run for now, and writes nothing more', async () => {
    const ends: (() => void)[] = [];
    const told: number[] = [];
    const { all, written } = runner({
      atOnce: 3,
      leaves: (error) => (error as Error).message === 'the server is away',
      evaluate: async (each, signal) => {
        if (each.x === 1) throw new Error('the server is away');
        if (each.x === 2) {
          await turn();
          throw new Error('and for this one too');
        }
        await new Promise<void>((end) => ends.push(end));
        if (signal.aborted) told.push(each.x);
        return line(each);
      },
    });
    await assert.rejects(runAll(requests, all), { message: 'the server is away' });
    await turn();
    ends.forEach((end) => end());
    await turn();
    assert.deepEqual([told, written, ends.length], [[], [], 1]);
  });

  it('ends with the reason of its signal, and begins nothing after it', async () => {
    const stop = new AbortController();
    const { all, written, asked } = runner({ atOnce: 1, signal: stop.signal });
    const onLine = ({ x }: Line) => x === 1 && stop.abort(new Error('Ctrl-C'));
    await assert.rejects(runAll(requests, { ...all, onLine }), { message: 'Ctrl-C' });
    assert.deepEqual(asked, [0, 1]);
    assert.deepEqual(
      written.map(({ x }) => x),
      [0, 1],
    );
  });
});
