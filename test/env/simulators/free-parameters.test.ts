import assert from 'node:assert/strict';
import { drawSamples } from '../../../env/simulators/draw-samples.ts';
import { freeParameters, startTheta, withDefaults } from '../../../env/simulators/free-parameters.ts';
import { mixtureSimulator } from '../../../env/simulators/mixture/mixture.ts';
import { actionSize, completeTheta, type Theta } from '../../../protocol/parameters.ts';

describe('free parameters', () => {
  const simulator = mixtureSimulator();
  const free = freeParameters(simulator, ['b0.sd.y', 'a1.mean.x']);

  it("make a smaller action, in the order of the simulator's parameters", () => {
    assert.equal(actionSize(free.parameters), 2);
    assert.deepEqual(
      free.parameters.map(({ name, slice }) => [name, slice]),
      [
        ['a1.mean.x', [0, 1]],
        ['b0.sd.y', [1, 2]],
      ],
    );
  });

  it('leave the others at their default', async () => {
    const theta = { 'a1.mean.x': 3, 'b0.sd.y': 2 };
    const whole = completeTheta(simulator.parameters, theta);
    assert.deepEqual(await drawSamples(free, theta, 1, 8), await drawSamples(simulator, whole, 1, 8));
  });

  it('are all parameters when none is named', () => {
    assert.equal(freeParameters(simulator, []), simulator);
  });

  it('may have other defaults, which an experiment sets', async () => {
    const moved = withDefaults(simulator, { 'a1.mean.x': 3, 'b0.sd.y': 2 });
    const drawn = (from: typeof simulator, theta: Theta) => drawSamples(from, theta, 1, 8);
    const whole = (theta: Theta) => completeTheta(simulator.parameters, theta);
    assert.deepEqual(await drawn(moved, {}), await drawn(simulator, whole({ 'a1.mean.x': 3, 'b0.sd.y': 2 })));
    assert.deepEqual(
      await drawn(moved, { 'a1.mean.x': 4 }),
      await drawn(simulator, whole({ 'a1.mean.x': 4, 'b0.sd.y': 2 })),
    );
    assert.notDeepEqual(await drawn(moved, {}), await drawn(simulator, whole({})));
    assert.equal(moved.parameters.find(({ name }) => name === 'a1.mean.x')!.default, 3);
    assert.throws(() => withDefaults(simulator, { fog: 1 }), /fog/);
  });

  it('take their own values from a start', () => {
    assert.deepEqual(startTheta(free, { 'a0.mean.x': 1, 'a1.mean.x': 2 }), { 'a1.mean.x': 2, 'b0.sd.y': 1 });
  });

  it('must exist', () => {
    assert.throws(
      () => freeParameters(simulator, ['fog']),
      /free: expected names of parameters \(a0\.mean\.x.*, got fog/,
    );
  });
});
