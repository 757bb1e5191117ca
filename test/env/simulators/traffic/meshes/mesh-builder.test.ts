import assert from 'node:assert/strict';
import { MeshBuilder } from '../../../../../env/simulators/traffic/meshes/mesh-builder.ts';
import type { Vertices } from '../../../../../env/simulators/traffic/meshes/vertices.ts';

const indices = ({ indices, indexCount }: Vertices) => [...indices.subarray(0, indexCount)];
const triple = (array: Float32Array, vertex: number) => [...array.subarray(3 * vertex, 3 * vertex + 3)];

describe('the mesh builder', () => {
  it('makes two triangles of a quadrilateral; their front is where the corners run counter-clockwise', () => {
    const [part] = new MeshBuilder().quad([0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]).parts;
    assert.deepEqual(indices(part!), [0, 1, 2, 0, 2, 3]);
    for (let v = 0; v < 4; v++) assert.deepEqual(triple(part!.normals, v), [0, 0, 1]);
  });

  it('turns a face away from a point: normal and order of corners', () => {
    const away = [0, 0, 5] as const;
    const [part] = new MeshBuilder().quad([0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], { away }).parts;
    assert.deepEqual(indices(part!), [0, 2, 1, 0, 3, 2]);
    assert.deepEqual(triple(part!.normals, 0).map(Math.round), [-0, -0, -1]);
  });

  it('keeps the faces of each material apart', () => {
    const corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0]] as const; // prettier-ignore
    const { parts } = new MeshBuilder()
      .face(corners, { material: 2 })
      .face(corners, { material: 0 })
      .face(corners, { material: 2 });
    assert.deepEqual(
      parts.map((part) => part.indexCount / 3),
      [1, , 2],
    );
  });

  it('builds boxes and columns whose faces look outwards', () => {
    const [part] = new MeshBuilder().box([-1, 0, -2], [1, 3, 2], {}, true).column([0, 0, 0], 4, 1.5, 1, 7).parts;
    assert.equal(part!.indexCount / 3, 12 + 14);
    for (let v = 0; v < part!.vertexCount; v++) {
      const [[x, y, z], [nx, ny, nz]] = [triple(part!.positions, v), triple(part!.normals, v)];
      const outward = nx! * x! + ny! * (y! - 1.5) + nz! * z!;
      assert.ok(outward > 0.5, `vertex ${v}: ${outward}`);
    }
  });
});
