import assert from 'node:assert/strict';
import { freeParameters, startTheta } from '../../../env/simulators/free-parameters.ts';
import { mixtureSimulator } from '../../../env/simulators/mixture/mixture.ts';
import { actionSize, completeTheta } from '../../../protocol/parameters.ts';

describe('free parameters', () => {
  const simulator = mixtureSimulator();
  const free = freeParameters(simulator, ['b0.sd.y', 'a1.mean.x']);

  it('make a smaller action, laid out anew in the order of the simulator', () => {
    assert.equal(actionSize(free.parameters), 2);
    assert.deepEqual(
      free.parameters.map(({ name, slice }) => [name, slice]),
      [
        ['a1.mean.x', [0, 1]],
        ['b0.sd.y', [1, 2]],
      ],
    );
  });

  it('leave the others at their default', () => {
    const theta = { 'a1.mean.x': 3, 'b0.sd.y': 2 };
    const whole = completeTheta(simulator.parameters, theta);
    for (let index = 0; index < 8; index++) {
      assert.deepEqual(free.draw(theta, 1, index), simulator.draw(whole, 1, index));
    }
  });

  it('are all, when none is named', () => {
    assert.equal(freeParameters(simulator, []), simulator);
  });

  it('take what concerns them of a start', () => {
    assert.deepEqual(startTheta(free, { 'a0.mean.x': 1, 'a1.mean.x': 2 }), { 'a1.mean.x': 2, 'b0.sd.y': 1 });
  });

  it('must exist', () => {
    assert.throws(
      () => freeParameters(simulator, ['fog']),
      /free: expected names of parameters \(a0\.mean\.x.*, got fog/,
    );
  });
});
