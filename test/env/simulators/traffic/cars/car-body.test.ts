import assert from 'node:assert/strict';
import { Box3, Vector3 } from 'three';
import {
  buildCarBody,
  DETAILS,
  type Detail,
  GLASS,
  PAINT,
  LAMPS,
} from '../../../../../env/simulators/traffic/cars/car-body.ts';
import { CAR_VARIANTS, carShape } from '../../../../../env/simulators/traffic/cars/car-shapes.ts';
import type { Vertices } from '../../../../../env/simulators/traffic/meshes/vertices.ts';
import { CAR_TYPES } from '../../../../../env/simulators/traffic/parameters.ts';

const all = CAR_TYPES.flatMap((type) => Array.from({ length: CAR_VARIANTS }, (_, variant) => ({ type, variant })));
const details = Array.from({ length: DETAILS }, (_, detail) => detail as Detail);

type Parts = readonly Vertices[];

function* pointsOf(parts: Parts): Generator<readonly [x: number, y: number, z: number]> {
  for (const { positions: p, vertexCount } of parts) {
    for (let i = 0; i < 3 * vertexCount; i += 3) yield [p[i]!, p[i + 1]!, p[i + 2]!];
  }
}
const boxAround = (parts: Parts) => new Box3().setFromPoints([...pointsOf(parts)].map((p) => new Vector3(...p)));
const trianglesOf = (parts: Parts) => parts.reduce((sum, { indexCount }) => sum + indexCount / 3, 0);

describe('the body of a car', () => {
  it('fills the box of its length, width and height and stays inside it, whatever its detail', () => {
    for (const { type, variant } of all) {
      const shape = carShape(type, variant);
      for (const detail of details) {
        const { min, max } = boxAround(buildCarBody(shape, detail));
        const what = `${type} ${variant} at detail ${detail}`;
        const mirror = detail === 0 ? 0.15 : 0.03;
        assert.ok(Math.abs(max.z - min.z - shape.length) < 0.07, `${what}: length ${max.z - min.z}`);
        assert.ok(max.x <= shape.width / 2 + mirror && max.x > shape.width * 0.46, `${what}: half-width ${max.x}`);
        assert.ok(Math.abs(max.y - shape.height) < 1e-3, `${what}: height ${max.y}, expected ${shape.height}`);
        assert.ok(min.y > -0.02 && min.y < 0.1, `${what}: stands at ${min.y}`);
        assert.ok(Math.abs(min.x + max.x) < 1e-5, `${what}: the same on both sides`);
      }
    }
  });

  it('has fewer triangles the further away it is', () => {
    for (const { type, variant } of all) {
      const counts = details.map((detail) => trianglesOf(buildCarBody(carShape(type, variant), detail)));
      for (let i = 1; i < counts.length; i++) assert.ok(counts[i]! < counts[i - 1]!, `${type}: ${counts.join()}`);
      assert.ok(counts.at(-1)! < 100, `${type}: ${counts.join()}`);
    }
  });

  it('has normals of length 1 that look out of the car on its paint, windows and lights', () => {
    const shape = carShape('saloon', 0);
    buildCarBody(shape, 1).forEach(({ positions, normals, vertexCount }, part) => {
      for (let v = 0; v < vertexCount; v++) {
        const [x, y, z] = positions.subarray(3 * v);
        const [nx, ny, nz] = normals.subarray(3 * v);
        assert.ok(Math.abs(Math.hypot(nx!, ny!, nz!) - 1) < 1e-5);
        if (![PAINT, GLASS, LAMPS].includes(part)) continue;
        // From a spine through the car's middle, every visible surface looks away.
        const spine = Math.max(-shape.length * 0.2, Math.min(shape.length * 0.2, z!));
        const outward = nx! * x! + ny! * (y! - shape.sill) + nz! * (z! - spine);
        assert.ok(outward > -0.01, `vertex ${v} of part ${part}: ${outward}`);
      }
    });
  });

  it('is lower and narrower at the roof than at the waist, with a bonnet in front of the windscreen', () => {
    const shape = carShape('hatchback', 1);
    let [roof, waist, bonnet] = [0, 0, 0];
    for (const [px, y, pz] of pointsOf(buildCarBody(shape, 0))) {
      const [x, z] = [Math.abs(px), pz / shape.length + 0.5];
      if (y > shape.height - 0.1) roof = Math.max(roof, x);
      if (y < shape.waist && z > 0.3 && z < 0.8) waist = Math.max(waist, x);
      if (z < shape.screenFoot - 0.02) bonnet = Math.max(bonnet, y);
    }
    assert.ok(roof < 0.85 * waist, `${roof} of ${waist}`);
    assert.ok(bonnet < 0.75 * shape.height, `${bonnet} of ${shape.height}`);
  });

  it('has paint that is darker further down, and brightest where it faces up', () => {
    const shape = carShape('saloon', 0);
    const { positions, normals, colours, vertexCount } = buildCarBody(shape, 1)[PAINT]!;
    const lights = (isOne: (height: number, up: number) => boolean) =>
      Array.from({ length: vertexCount }, (_, v) => v)
        .filter((v) => isOne(positions[3 * v + 1]!, normals[3 * v + 1]!))
        .map((v) => colours[3 * v]!);
    const [sill, waist] = [lights((y) => y < shape.sill + 0.01), lights((y, up) => y > shape.waist && up < 0.5)];
    const lids = lights((_, up) => up > 0.9);
    assert.ok(Math.max(...sill) < 0.5 * Math.min(...waist), `${Math.max(...sill)} and ${Math.min(...waist)}`);
    assert.ok(Math.min(...lids) > 1.5 * Math.max(...waist), `${Math.min(...lids)} and ${Math.max(...waist)}`);
  });
});
