import assert from 'node:assert/strict';
import { Matrix3, Matrix4, Vector3 } from 'three';
import { MeshBuilder } from '../../../../../env/simulators/traffic/meshes/mesh-builder.ts';
import { Vertices } from '../../../../../env/simulators/traffic/meshes/vertices.ts';

const at = (array: Float32Array, vertex: number) => new Vector3().fromArray(array, 3 * vertex);

describe('vertices', () => {
  it('grow with what is added to them', () => {
    const vertices = new Vertices();
    for (let i = 0; i < 3000; i++) {
      const a = vertices.vertex(i, 0, 0, 0, 0, 1);
      vertices.triangle(a, a, a);
    }
    const geometry = vertices.toGeometry();
    assert.equal(geometry.getAttribute('position').count, 3000);
    assert.equal(geometry.getAttribute('position').getX(2999), 2999);
    assert.equal(geometry.drawRange.count, 9000);
    assert.equal(geometry.index!.getX(8999), 2999);
  });

  it('place a copy of a part as three.js would with the same scale, turn and shift', () => {
    const [part] = new MeshBuilder().column([0.3, 0, 0.1], 2, 1, 0.5, 5, { colour: [0.5, 0.25, 1] }).parts;
    const vertices = new Vertices();
    vertices.vertex(9, 9, 9, 0, 1, 0);
    const placement = { x: 4, y: 1, z: -7, rotation: 0.7, scaleX: 2, scaleY: 3, scaleZ: 0.5, colour: [2, 1, 0.5] };
    vertices.place(part!, placement as typeof placement & { colour: [number, number, number] });
    const matrix = new Matrix4()
      .makeRotationY(0.7)
      .scale(new Vector3(2, 3, 0.5))
      .setPosition(4, 1, -7);
    const normalMatrix = new Matrix3().getNormalMatrix(matrix);
    for (let v = 0; v < part!.vertexCount; v++) {
      const expected = at(part!.positions, v).applyMatrix4(matrix);
      assert.ok(at(vertices.positions, v + 1).distanceTo(expected) < 1e-5);
      const normal = at(part!.normals, v).applyMatrix3(normalMatrix).normalize();
      assert.ok(
        at(vertices.normals, v + 1)
          .normalize()
          .distanceTo(normal) < 1e-5,
      );
      assert.deepEqual(at(vertices.colours, v + 1).toArray(), [1, 0.25, 0.5]);
    }
    assert.equal(vertices.indices[0], part!.indices[0]! + 1);
    assert.equal(vertices.indexCount, part!.indexCount);
  });

  it('show only what was added after they were cleared, in the same geometry', () => {
    const vertices = new Vertices();
    const [large] = new MeshBuilder().column([0, 0, 0], 2, 1, 0.5, 40).parts;
    const [small] = new MeshBuilder().box([0, 0, 0], [1, 1, 1]).parts;
    vertices.place(large!, { x: 0, z: 0, rotation: 0 });
    const before = vertices.toGeometry();
    assert.equal(before.getAttribute('position').count, 160);
    vertices.clear();
    vertices.place(small!, { x: 0, z: 0, rotation: 0 });
    const after = vertices.toGeometry();
    assert.equal(after, before);
    assert.equal(after.getAttribute('position').count, 20);
    assert.equal(after.drawRange.count, 30);
  });
});
