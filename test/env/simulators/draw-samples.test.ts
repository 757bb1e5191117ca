import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { drawSample, drawSamples } from '../../../env/simulators/draw-samples.ts';
import type { DataSet, Simulator } from '../../../env/simulators/simulator.ts';

/** A simulator that says what was done with it; `draw` makes its samples. */
function watched(draw: DataSet<number>['draw']) {
  const done = { opened: 0, drawn: 0, closed: 0 };
  const simulator: Simulator<number> = {
    name: 'watched',
    version: 1,
    parameters: [],
    open() {
      done.opened++;
      return {
        draw(index, signal) {
          done.drawn++;
          return draw(index, signal);
        },
        close: () => void done.closed++,
      };
    },
  };
  return { simulator, done };
}

/** Computes for about a millisecond. */
function work(): number {
  let x = 0;
  for (let i = 0; i < 300_000; i++) x = Math.sqrt(x + i);
  return x;
}

/** Many times as many samples as are drawn between two turns of the event loop. */
const MANY = 4000;

describe('drawSamples', () => {
  it('draws samples 0 to count − 1 in this order from one data set, and closes it', async () => {
    const { simulator, done } = watched((index) => index * 2);
    assert.deepEqual(await drawSamples(simulator, {}, 1, 5), [0, 2, 4, 6, 8]);
    assert.deepEqual(done, { opened: 1, drawn: 5, closed: 1 });
    assert.deepEqual(await drawSamples(simulator, {}, 1, 0), []);
  });

  it('waits for each sample that is a promise', async () => {
    let underWay = 0;
    const { simulator, done } = watched(async (index) => {
      assert.equal(underWay++, 0, 'one after the other');
      await setTimeout(2 - index);
      underWay--;
      return index;
    });
    assert.deepEqual(await drawSamples(simulator, {}, 1, 3), [0, 1, 2]);
    assert.equal(await drawSample(simulator, {}, 1, 7), 7);
    assert.deepEqual(done, { opened: 2, drawn: 4, closed: 2 });
  });

  it('stops at once when its signal aborts, in a set that takes seconds', async () => {
    const { simulator, done } = watched(work);
    const abort = new AbortController();
    const reason = new Error('enough');
    setImmediate(() => abort.abort(reason));
    await assert.rejects(drawSamples(simulator, {}, 1, MANY, { signal: abort.signal }), reason);
    assert.ok(done.drawn > 0 && done.drawn < MANY / 10, `${done.drawn} drawn`);
    assert.equal(done.closed, 1);
    await assert.rejects(drawSamples(simulator, {}, 1, MANY, { signal: abort.signal }), reason);
    assert.equal(done.opened, 1, 'nothing is opened when the signal is aborted before');
  });

  it('ends with the reason of the signal, whatever error a draw throws when it is stopped', async () => {
    const { simulator, done } = watched(
      (_, signal) =>
        new Promise((_, reject) =>
          signal!.addEventListener('abort', () => reject(new Error('the program was killed'))),
        ),
    );
    const abort = new AbortController();
    const reason = new Error('the deadline');
    setImmediate(() => abort.abort(reason));
    await assert.rejects(drawSamples(simulator, {}, 1, 2, { signal: abort.signal }), reason);
    assert.deepEqual(done, { opened: 1, drawn: 1, closed: 1 });
  });

  it('reports a share that rises from 0 while it draws', async () => {
    const { simulator } = watched(work);
    const told: number[] = [];
    await drawSamples(simulator, {}, 1, 60, { report: (fraction) => told.push(fraction) });
    assert.equal(told[0], 0);
    assert.ok(told.length >= 3, told.join());
    assert.ok(
      told.every((fraction, i) => i === 0 || (fraction > told[i - 1]! && fraction <= 1)),
      told.join(),
    );
  });

  it('closes the data set when a draw or a report throws', async () => {
    const failing = watched((index) => {
      if (index === 2) throw new RangeError('no third');
      return index;
    });
    await assert.rejects(drawSamples(failing.simulator, {}, 1, 5), /no third/);
    await assert.rejects(drawSample(failing.simulator, {}, 1, 2), /no third/);
    assert.deepEqual(failing.done, { opened: 2, drawn: 4, closed: 2 });

    const { simulator, done } = watched(work);
    const report = (fraction: number) => {
      if (fraction > 0) throw new Error('who cares');
    };
    await assert.rejects(drawSamples(simulator, {}, 1, MANY, { report }), /who cares/);
    assert.equal(done.closed, 1);
  });
});
