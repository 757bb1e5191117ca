import assert from 'node:assert/strict';
import { Joined } from '../../../../../env/simulators/traffic/meshes/joined.ts';
import { MeshBuilder } from '../../../../../env/simulators/traffic/meshes/mesh-builder.ts';

const [box] = new MeshBuilder().box([0, 0, 0], [1, 2, 3], { colour: [0.5, 0.25, 1] }).parts;
const [column] = new MeshBuilder().column([4, 0, 5], 2, 1, 0.5, 5, { colour: [1, 0, 0] }).parts;

describe('joined parts', () => {
  it('are one geometry, with a group for each part in its material', () => {
    const joined = new Joined();
    joined.add(box!, 3);
    joined.add(column!, 1);
    const { groups, attributes, index } = joined.toGeometry();
    assert.deepEqual(groups, [
      { start: 0, count: box!.indexCount, materialIndex: 3 },
      { start: box!.indexCount, count: column!.indexCount, materialIndex: 1 },
    ]);
    assert.equal(attributes['position']!.count, box!.vertexCount + column!.vertexCount);
    for (let i = 0; i < column!.indexCount; i++) {
      const own = column!.indices[i]!;
      const copy: number = index!.getX(groups[1]!.start + i);
      assert.equal(copy, box!.vertexCount + own);
      for (const [name, array, size] of [
        ['position', column!.positions, 3],
        ['normal', column!.normals, 3],
        ['color', column!.colours, 3],
        ['uv', column!.uvs, 2],
      ] as const) {
        for (let k = 0; k < size; k++) {
          assert.equal(attributes[name]!.getComponent(copy, k), array[own * size + k], `${name} of index ${i}`);
        }
      }
    }
  });

  it('may be joined again from other parts, in the same geometry', () => {
    const joined = new Joined();
    joined.add(column!, 0);
    const geometry = joined.toGeometry();
    joined.clear();
    joined.add(box!, 0);
    assert.strictEqual(joined.toGeometry(), geometry);
    assert.deepEqual(geometry.groups, [{ start: 0, count: box!.indexCount, materialIndex: 0 }]);
    assert.equal(geometry.drawRange.count, box!.indexCount);
  });
});
