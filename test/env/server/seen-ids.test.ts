import assert from 'node:assert/strict';
import { SeenIds } from '../../../env/server/seen-ids.ts';

describe('the ids that a session has seen', () => {
  const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  it('[P11] forgets none of 100,000 ids', () => {
    const seen = new SeenIds();
    ids('a', 100_000).forEach((id) => seen.add(id));
    assert.deepEqual(
      ids('a', 100_000).filter((id) => !seen.mayHave(id)),
      [],
    );
  });

  it('takes few of the others for known', () => {
    const seen = new SeenIds();
    ids('a', 100_000).forEach((id) => seen.add(id));
    // (1 − e^(−4 · 100,000 / 2^20))^4 = 0.010
    const wrong = ids('b', 10_000).filter((id) => seen.mayHave(id)).length;
    assert.ok(wrong > 50 && wrong < 200, `${wrong} of 10,000`);
  });
});
