import assert from 'node:assert/strict';
import type { Simulator } from '../../../env/simulators/simulator.ts';
import { hiddenTarget } from '../../../env/targets/hidden.ts';
import { deriveSeed } from '../../../protocol/random.ts';

describe('a hidden target', () => {
  it('draws each set once, and again if the first drawing was stopped', async () => {
    let drawn = 0;
    /** Aborted while sample 3 is drawn. */
    const abort = new AbortController();
    const simulator: Simulator<number> = {
      name: 'numbers',
      version: 1,
      parameters: [],
      open: (_, seed) => ({
        draw(index) {
          if (++drawn === 3) abort.abort(new Error('cancelled'));
          return seed + index;
        },
      }),
    };
    const target = hiddenTarget(simulator, {}, { validation: 5, test: 4 }, 9);
    await assert.rejects(target.validation(abort.signal), /cancelled/);
    assert.equal(drawn, 3);

    const seed = deriveSeed(9, 'target', 'validation');
    const whole = await target.validation(new AbortController().signal);
    assert.deepEqual(
      whole,
      [0, 1, 2, 3, 4].map((index) => seed + index),
    );
    assert.equal(drawn, 3 + 5);
    assert.equal(await target.validation(), whole);
    assert.equal((await target.test()).length, 4);
    assert.equal(drawn, 3 + 5 + 4);
  });
});
