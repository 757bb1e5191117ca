import assert from 'node:assert/strict';
import fc from 'fast-check';
import { atan2, expNegative, log2Roughly } from '../../../env/render/elementary.ts';

describe('elementary functions', () => {
  it('exp agrees with Math.exp to 1e-7 of the value', () => {
    fc.assert(
      fc.property(fc.double({ min: -600, max: 0, noNaN: true }), (x) => {
        assert.ok(Math.abs(expNegative(x) / Math.exp(x) - 1) < 1e-7);
      }),
    );
    assert.deepEqual([expNegative(0), expNegative(-1e9), expNegative(-Infinity)], [1, 0, 0]);
  });

  it('atan2 agrees with Math.atan2 to 1e-5 all around', () => {
    fc.assert(
      fc.property(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true }), (y, x) => {
        fc.pre(x !== 0 || y !== 0);
        const difference = Math.abs(atan2(y, x) - Math.atan2(y, x));
        assert.ok(Math.min(difference, 2 * Math.PI - difference) < 1e-5);
      }),
    );
    assert.equal(atan2(0, 0), 0);
  });

  it('log2 agrees with Math.log2 to 0.05', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (x) => {
        assert.ok(Math.abs(log2Roughly(x) - Math.log2(x)) < 0.05);
      }),
    );
  });
});
