import assert from 'node:assert/strict';
import * as THREE from 'three';
import { addGlare } from '../../../../../env/simulators/traffic/camera/glare.ts';
import type { Point } from '../../../../../env/simulators/traffic/meshes/mesh-builder.ts';

const [width, height] = [40, 30];

/** The light that a sun adds to a dark picture with this depth everywhere, [height, width] of red. */
function glare([x, y, z]: Point, depth = Infinity): number[] {
  const camera = new THREE.PerspectiveCamera(60, width / height);
  const length = Math.hypot(x, y, z);
  const linear = new Float32Array(width * height * 3);
  addGlare(
    {
      width,
      height,
      linear,
      depth: new Float32Array(width * height).fill(depth),
      classes: new Uint8Array(width * height),
      instances: new Uint16Array(width * height),
    },
    { matrixWorld: camera.matrixWorld.toArray(), projectionMatrix: camera.projectionMatrix.toArray() },
    [x / length, y / length, z / length],
    [1, 0.7, 0.4],
  );
  return Array.from({ length: width * height }, (_, i) => linear[3 * i]!);
}
const total = (light: readonly number[]) => light.reduce((sum, one) => sum + one, 0);

describe('the glare of a low sun', () => {
  it('is brightest at the sun and veils the whole picture', () => {
    const light = glare([0.2, 0.1, -1]);
    const brightest = light.indexOf(Math.max(...light));
    // 60° over 30 rows: tan 30° is half the height, so the sun is .2 / .577 · 15 right of the middle.
    assert.deepEqual([brightest % width, Math.floor(brightest / width)], [25, 12]);
    assert.ok(Math.min(...light) > 0, 'expected light everywhere');
  });

  it('fades as the sun leaves the view, and is gone when the sun is hidden or behind', () => {
    const inView = total(glare([0.7, 0.1, -1]));
    const beside = total(glare([0.95, 0.1, -1]));
    assert.ok(beside > 0 && beside < 0.5 * inView, `${inView} → ${beside}`);
    assert.strictEqual(total(glare([2, 0.1, -1])), 0);
    assert.strictEqual(total(glare([0.2, 0.1, -1], 30)), 0);
    assert.strictEqual(total(glare([0.2, 0.1, 1])), 0);
  });
});
