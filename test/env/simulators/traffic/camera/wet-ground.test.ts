import assert from 'node:assert/strict';
import * as THREE from 'three';
import { CLASS_ID } from '../../../../../env/streets/classes.ts';
import { mirrorInWetGround } from '../../../../../env/simulators/traffic/camera/wet-ground.ts';

const [width, height] = [4, 200];

/** A red post that begins 10 m ahead, 1 to 2 m above the ground, before black nothing; the camera is 1.5 m high. */
function post(classId: number) {
  const camera = new THREE.PerspectiveCamera(60, width / height);
  camera.position.y = 1.5;
  camera.updateMatrixWorld();
  const scale = camera.projectionMatrix.elements[5];
  const rowOf = (up: number, far: number) => ((1 - (scale * (up - 1.5)) / far) / 2) * height;
  const linear = new Float32Array(width * height * 3);
  const depth = new Float32Array(width * height).fill(Infinity);
  const classes = new Uint8Array(width * height).fill(CLASS_ID.sky);
  for (let y = 0; y < height; y++) {
    const down = (((y + 0.5) / height) * 2 - 1) / scale; // below the horizon, at depth 1
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (y + 0.5 > rowOf(2, 10) && y + 0.5 < rowOf(1, 10)) {
        depth[i] = 10;
        classes[i] = CLASS_ID.car;
        linear[3 * i] = 1;
      } else if (down > 0 && 1.5 / down < 10) {
        depth[i] = 1.5 / down;
        classes[i] = classId;
      }
    }
  }
  const matrices = {
    matrixWorld: camera.matrixWorld.toArray(),
    projectionMatrix: camera.projectionMatrix.toArray(),
  };
  return {
    frame: { width, height, linear, depth, classes, instances: new Uint16Array(depth.length) },
    matrices,
    rowOf,
  };
}

describe('wet ground', () => {
  it('mirrors a post as far below the ground as it stands above it', () => {
    const { frame, matrices, rowOf } = post(CLASS_ID.road);
    mirrorInWetGround(frame, matrices, 1);
    const red = (up: number) => frame.linear[Math.floor(rowOf(up, 10)) * width * 3]!;
    assert.ok(red(-1.6) > 0.05, `in the mirror: ${red(-1.6)}`);
    assert.strictEqual(red(-0.5), 0); // what is below the post is not in the picture's mirror
    assert.ok(red(-3.5) < 0.3 * red(-1.6), `beyond the mirrored top: ${red(-3.5)}`);
  });

  it('mirrors less where it is drier or looked down upon, and nothing where it is grass', () => {
    const mirrored = (classId: number, wetness: number) => {
      const { frame, matrices } = post(classId);
      const before = frame.linear.slice();
      mirrorInWetGround(frame, matrices, wetness);
      return frame.linear.reduce((sum, light, i) => sum + light - before[i]!, 0);
    };
    assert.ok(mirrored(CLASS_ID.road, 0.5) < 0.6 * mirrored(CLASS_ID.road, 1), 'expected less on drier ground');
    assert.ok(mirrored(CLASS_ID.sidewalk, 1) < mirrored(CLASS_ID.road, 1), 'expected less on pavements');
    assert.strictEqual(mirrored(CLASS_ID.terrain, 1), 0);
  });
});
