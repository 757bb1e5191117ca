import assert from 'node:assert/strict';
import * as THREE from 'three';
import { pyramidOf } from '../../../../env/render/software/mip-levels.ts';
import { bytesTexture, colorAt, drawingIn, maskOf, sceneOf, square, straightCamera } from './pixel-scene.ts';

const draw = drawingIn({ width: 4, height: 4, antialias: false });

function gray(value: number, alpha = 255): number[] {
  return [value, value, value, alpha];
}

/** The red of all 16 pixels of a square that fills the picture and shows the whole texture, as bytes. */
function reds(map: THREE.Texture, side = 4, half = 1): number[] {
  const frame = draw(sceneOf(square(half, 1, new THREE.MeshBasicMaterial({ map }))), straightCamera());
  return Array.from({ length: side * side }, (_, i) =>
    Math.round(colorAt(frame, i % side, Math.floor(i / side))[0]! * 255),
  );
}

describe('SoftwareRenderer: textures', () => {
  const quarters = () =>
    bytesTexture([
      [gray(10), gray(20)],
      [gray(30), gray(40)],
    ]);

  it('puts the first row at the bottom, as three.js does, and at the top with flipY', () => {
    assert.deepEqual(reds(quarters()), [30, 30, 40, 40, 30, 30, 40, 40, 10, 10, 20, 20, 10, 10, 20, 20]);
    const flipped = quarters();
    flipped.flipY = true;
    assert.deepEqual(reds(flipped).slice(0, 4), [10, 10, 20, 20]);
  });

  it('repeats, mirrors and shifts', () => {
    const map = quarters();
    map.repeat.set(2, 1);
    assert.deepEqual(reds(map).slice(12), [10, 20, 20, 20]); // Clamped.
    map.wrapS = THREE.RepeatWrapping;
    assert.deepEqual(reds(map).slice(12), [10, 20, 10, 20]);
    map.offset.x = 0.5;
    assert.deepEqual(reds(map).slice(12), [20, 10, 20, 10]);
    map.offset.x = 0;
    map.wrapS = THREE.MirroredRepeatWrapping;
    assert.deepEqual(reds(map).slice(12), [10, 20, 20, 10]);
  });

  it('turns around its centre', () => {
    const map = quarters();
    map.center.set(0.5, 0.5);
    map.rotation = Math.PI / 2;
    map.updateMatrix();
    // The texel at the upper left is the one that three.js's matrix sends u = 1/4, v = 3/4 to.
    const { x, y } = new THREE.Vector2(0.25, 0.75).applyMatrix3(map.matrix);
    const expected = [10, 20, 30, 40][2 * Math.floor(2 * y) + Math.floor(2 * x)];
    assert.notEqual(expected, 30); // As it is without the rotation.
    assert.equal(reds(map)[0], expected);
  });

  it('interpolates between texels when asked', () => {
    const map = bytesTexture([[gray(0), gray(80)]]);
    map.magFilter = THREE.LinearFilter;
    // Pixel centres at u = 1/8, 3/8, 5/8, 7/8 lie −1/4, 1/4, 3/4, 5/4 texels from the first centre.
    assert.deepEqual(reds(map).slice(0, 4), [0, 20, 60, 80]);
    map.wrapS = THREE.RepeatWrapping;
    assert.deepEqual(reds(map).slice(0, 4), [20, 20, 60, 60]);
  });

  it('decodes sRGB to linear light, and does not change alpha', () => {
    const map = bytesTexture([[[188, 0, 255, 51]]]);
    map.colorSpace = THREE.SRGBColorSpace;
    const [r, g, b, a] = pyramidOf(map).levels[0]!.texels;
    assert.ok(Math.abs(r! - 0.5028865) < 1e-6 && g === 0 && b === 1 && Math.abs(a! - 0.2) < 1e-7);
  });

  it('shows the mean of the texels that a pixel spans', () => {
    const checks = Array.from({ length: 64 }, (_, y) =>
      Array.from({ length: 64 }, (_, x) => gray((x + y) % 2 === 0 ? 200 : 100)),
    );
    const map = bytesTexture(checks);
    map.minFilter = THREE.LinearMipmapLinearFilter;
    map.generateMipmaps = true;
    assert.deepEqual(reds(map), Array<number>(16).fill(150));
    assert.equal(pyramidOf(map).levels.length, 7);
  });

  it('reads a changed texture again', () => {
    const map = quarters();
    assert.equal(reds(map)[0], 30);
    map.image.data!.fill(90);
    map.needsUpdate = true;
    assert.equal(reds(map)[0], 90);
  });

  it('cuts holes where alpha is below alphaTest, in ids and depth too', () => {
    const map = bytesTexture([[gray(255, 255), gray(255, 100)]]);
    const leaf = square(1, 1, new THREE.MeshBasicMaterial({ map, alphaTest: 0.5 }));
    leaf.userData['classId'] = 8;
    const wall = square(9, 5, new THREE.MeshBasicMaterial({ color: 0x000000 }));
    for (const order of [
      [leaf, wall],
      [wall, leaf],
    ]) {
      const frame = draw(sceneOf(...order), straightCamera());
      assert.deepEqual(maskOf(frame, 8), Array<string>(4).fill('##..'));
      assert.deepEqual([...frame.depth.subarray(0, 4)].map(Math.round), [1, 1, 5, 5]);
      assert.deepEqual(colorAt(frame, 3, 0), [0, 0, 0]);
    }
  });

  it("cuts between texels, at each material's own alphaTest", () => {
    const map = bytesTexture([[gray(255, 255), gray(255, 0)]]);
    map.magFilter = THREE.LinearFilter; // The alpha at the four pixels is 1, 3/4, 1/4 and 0.
    const cutAt = (alphaTest: number, distance: number, classId: number) => {
      const leaf = square(distance, distance, new THREE.MeshBasicMaterial({ map, alphaTest }));
      leaf.userData['classId'] = classId;
      return leaf;
    };
    const frame = draw(sceneOf(cutAt(0.9, 1, 8), cutAt(0.2, 2, 9)), straightCamera());
    assert.deepEqual(maskOf(frame, 8), Array<string>(4).fill('#...'));
    assert.deepEqual(maskOf(frame, 9), Array<string>(4).fill('.##.'));
  });

  it('takes transparency from the map', () => {
    const map = bytesTexture([[gray(255, 255), gray(255, 51)]]);
    const decal = square(1, 1, new THREE.MeshBasicMaterial({ map, transparent: true }));
    const frame = draw(sceneOf(decal), straightCamera());
    assert.deepEqual([colorAt(frame, 0, 0)[0], colorAt(frame, 3, 0)[0]], [1, 0.2]);
  });

  it('refuses textures that it cannot read, and says what it expects', () => {
    const empty = new THREE.Texture();
    empty.name = 'asphalt';
    assert.throws(() => pyramidOf(empty), /texture "asphalt": expected a DataTexture of RGBA/);
  });
});
