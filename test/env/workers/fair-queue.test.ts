import assert from 'node:assert/strict';
import { FairQueue } from '../../../env/workers/fair-queue.ts';

describe('the fair queue', () => {
  it("lets owners take turns, and keeps each owner's order", () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.add(item[0]!, item);
    const taken = Array.from({ length: 6 }, () => queue.take());
    assert.deepEqual(taken, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    assert.equal(queue.take(), undefined);
    assert.equal(queue.size, 0);
  });

  it('gives way to items that somebody waits for, and starves none when nobody does', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'b1', 'b2', 'c1']) queue.add(item[0]!, item);
    const taken = Array.from({ length: 5 }, () => queue.take((item) => !item.startsWith('a')));
    assert.deepEqual(taken, ['b1', 'c1', 'b2', 'a1', 'a2']);
  });

  it('removes an item from anywhere in it, once', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'b1']) queue.add(item[0]!, item);
    assert.equal(queue.remove('a', 'a1'), true);
    assert.equal(queue.remove('a', 'a1'), false);
    assert.equal(queue.remove('b', 'b1'), true);
    assert.equal(queue.size, 1);
    assert.equal(queue.take(), 'a2');
    assert.equal(queue.take(), undefined);
  });
});
