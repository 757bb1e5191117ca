import assert from 'node:assert/strict';
import { createExperiment, loadDefinition } from '../../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../../env/runtime.ts';
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

  it('may be integers, booleans and choices', async () => {
    const { experiment } = createExperiment(await loadDefinition('./env/examples/dice.ts'), {}, DEFAULT_RUNTIME);
    const dice = experiment.simulator;
    const freed = freeParameters(dice, ['bestOfTwo', 'die', 'dice']);
    assert.deepEqual(
      freed.parameters.map(({ name, slice }) => [name, slice]),
      [
        ['dice', [0, 1]],
        ['die', [1, 5]],
        ['bestOfTwo', [5, 6]],
      ],
    );
    const theta = { dice: 3, die: 'octahedron', bestOfTwo: true };
    const moved = withDefaults(dice, theta);
    assert.deepEqual(await drawSamples(moved, {}, 1, 8), await drawSamples(freed, theta, 1, 8));
    assert.deepEqual(startTheta(freed, { die: 'icosahedron', bonus: 3 }), {
      ...{ dice: 2, die: 'icosahedron', bestOfTwo: false },
    });
    assert.throws(() => withDefaults(dice, { die: 'coin' }), /die: expected one of tetrahedron/);
  });

  it('must exist', () => {
    assert.throws(
      () => freeParameters(simulator, ['fog']),
      /free: expected names of parameters \(a0\.mean\.x.*, got fog/,
    );
  });
});
