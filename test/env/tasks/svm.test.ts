import assert from 'node:assert/strict';
import { realPoints, type LabelledPoint } from '../../../env/simulators/mixture/mixture.ts';
import { svmTask } from '../../../env/tasks/svm.ts';

describe('the SVM task', () => {
  it('learns what no line separates: XOR', async () => {
    const point = (x: number, y: number): LabelledPoint => ({ point: [x, y], label: x * y < 0 ? 1 : 0 });
    const corners = [point(1, 1), point(-1, -1), point(1, -1), point(-1, 1)];
    const model = await svmTask({ gamma: 0.5, cost: 10 }).train(corners);
    assert.deepEqual(model.predict(corners.map((corner) => corner.point)), [0, 0, 1, 1]);
    model.dispose();
  });

  it('scores the share of points that it classifies correctly', async () => {
    const model = await svmTask({ gamma: 0.5, cost: 1 }).train([
      { point: [-1, 0], label: 0 },
      { point: [1, 0], label: 1 },
    ]);
    const set = [-2, -1, 1, 2].map((x) => ({ point: [x, 0] as const, label: 1 as const }));
    assert.deepEqual(await model.score(set), { accuracy: 0.5 });
    model.dispose();
  });

  it('nearly solves the real mixture when it is trained on it', async () => {
    const model = await svmTask({ gamma: 0.5, cost: 1 }).train(realPoints(1, 300));
    const { accuracy } = await model.score(realPoints(2, 3000));
    assert.ok(accuracy! > 0.98, `accuracy ${accuracy}`);
    model.dispose();
  });
});
