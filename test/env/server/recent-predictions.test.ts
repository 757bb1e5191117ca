import assert from 'node:assert/strict';
import { RecentPredictions } from '../../../env/server/recent-predictions.ts';

describe('recent predictions', () => {
  it('[W9] are claimed for runs that were asked for within half a minute, at most every ten seconds', () => {
    let now = 1000;
    const predictions = new RecentPredictions(() => now);
    assert.equal(predictions.claim('a'), false, 'nobody has asked');
    predictions.keep('a', { step: 'lost', shown: [] });
    assert.equal(predictions.ask('a'), undefined);
    assert.equal(predictions.claim('b'), false, 'for another run');
    assert.deepEqual([predictions.claim('a'), predictions.claim('a')], [true, false]);
    now += 10_000;
    assert.equal(predictions.claim('a'), true);
    predictions.keep('a', { step: 's', shown: 'why' });
    now += 30_001;
    assert.equal(predictions.claim('a'), false, 'who asked has left');
    assert.deepEqual(predictions.ask('a'), { step: 's', shown: 'why' });
  });

  it('[W9] are kept of the 32 runs that were asked for last', () => {
    const predictions = new RecentPredictions(() => 0);
    for (let i = 0; i < 32; i++) predictions.ask(`run ${i}`);
    for (let i = 0; i < 32; i++) predictions.keep(`run ${i}`, { step: 's', shown: [] });
    predictions.ask('run 0');
    predictions.ask('run 32');
    assert.deepEqual(
      [0, 1, 2].map((i) => predictions.claim(`run ${i}`)),
      [true, false, true],
    );
    assert.notEqual(predictions.ask('run 0'), undefined);
  });
});
