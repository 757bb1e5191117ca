import * as THREE from 'three';
import type { Body, Draw } from '../draw-list.ts';
import { Geometries, type Geometry } from './geometries.ts';
import { type Kernel, RecordWriter } from './kernel.ts';
import { checkMap, refuse } from '../refusals.ts';
import type { Surface } from '../surface.ts';
import { type Textures, readUvMatrix } from './texture.ts';

const SHADING = { basic: 0, lambert: 1, standard: 2 };
const NUMBERS = 47;

/** Which triangles show this side: 1 those with a positive area on the screen (y down), −1 the others, 0 all. */
export function facingOf(side: THREE.Side, { mirrored }: Body): number {
  if (side === THREE.DoubleSide) return 0;
  return (side === THREE.BackSide) !== mirrored ? 1 : -1; // Fronts run counter-clockwise.
}

/** Writes the draws of a frame into a kernel's memory. */
export class DrawRecords {
  /** The addresses of the list's draws. */
  readonly addresses: number[] = [];
  /** The number of triangles in all draws, and the number of vertices in the largest mesh. */
  triangleCount = 0;
  mostVertices = 0;
  private readonly geometries: Geometries;
  private geometry!: Geometry;
  private readonly uvMatrix = new Float64Array(9);
  private body: Body | null = null;
  private bodyNumber = 0;
  private world = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly textures: Textures,
  ) {
    this.geometries = new Geometries(kernel);
  }

  /** Writes the first `count` draws. */
  write(draws: readonly Draw[], count: number): void {
    this.triangleCount = this.mostVertices = this.bodyNumber = 0;
    this.body = null;
    for (let i = 0; i < count; i++) {
      const draw = draws[i]!;
      this.triangleCount += Math.floor((draw.end - draw.start) / 3);
      if (draw.body !== this.body) this.turnTo(draw.body);
      this.addresses[i] = this.writeDraw(draw);
    }
  }

  private turnTo(body: Body): void {
    this.body = body;
    this.bodyNumber++;
    this.geometry = this.geometries.of(body.geometry);
    this.mostVertices = Math.max(this.mostVertices, this.geometry.positions.count);
    this.world = this.kernel.take(128);
    this.kernel.doubles.set(body.world, this.world / 8);
  }

  private writeDraw({ body, surface, start, end, classId }: Draw): number {
    const { uvMatrix: m } = this;
    const { positions, normals, uvs, colors, index } = this.geometry;
    const { map, shading, flatShading, vertexColors } = surface;
    const texture = map === null ? 0 : this.textures.of(map);
    if (map !== null) {
      checkMap(map);
      readUvMatrix(map, m);
    }
    if (vertexColors) checkColors(body.geometry, surface);
    return new RecordWriter(this.kernel, NUMBERS)
      .int(this.world)
      .int(this.bodyNumber)
      .int(+body.mirrored)
      .int(positions.address)
      .int(shading === 'basic' || flatShading ? 0 : normals.address)
      .int(uvs.address)
      .int(vertexColors ? colors.address : 0)
      .int(body.geometry.attributes['color']?.itemSize ?? 3)
      .int(positions.count)
      .int(index.address)
      .int(start)
      .int(end)
      .int(facingOf(surface.side, body))
      .int(SHADING[shading])
      .int(+body.receiveShadow)
      .int(+surface.depthWrite)
      .int(+surface.fog)
      .int(classId)
      .int(body.instanceId)
      .float(surface.r * body.tint[0]!)
      .float(surface.g * body.tint[1]!)
      .float(surface.b * body.tint[2]!)
      .float(surface.opacity)
      .float(surface.emissiveR)
      .float(surface.emissiveG)
      .float(surface.emissiveB)
      .float(surface.roughness)
      .float(surface.metalness)
      .float(surface.alphaTest)
      .float(surface.offsetFactor)
      .float(surface.offsetUnits)
      .int(texture)
      .int(map !== null && surface.alphaTest > 0 ? this.textures.holesOf(map, surface) : 0)
      .float(m[0]!)
      .float(m[3]!)
      .float(m[6]!)
      .float(m[1]!)
      .float(m[4]!)
      .float(m[7]!).address;
  }
}

/** Holes are cut by the map's alpha only, except in transparent surfaces that hide nothing. */
function checkColors(geometry: THREE.BufferGeometry, { alphaTest, transparent, depthWrite }: Surface): void {
  const size = geometry.attributes['color']?.itemSize;
  if (size === undefined) refuse('geometry', geometry, 'a color attribute for vertexColors', 'none');
  if (size === 4 && alphaTest > 0 && !(transparent && !depthWrite)) {
    refuse('geometry', geometry, 'a color attribute of 3 numbers for alphaTest', size);
  }
}
