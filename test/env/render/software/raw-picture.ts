/** Pictures that the renderer's kernel makes of triangles given in pixel coordinates. */
import * as THREE from 'three';
import { Body, Draw } from '../../../../env/render/draw-list.ts';
import { DrawRecords } from '../../../../env/render/software/draw-record.ts';
import { Kernel, RecordWriter } from '../../../../env/render/software/kernel.ts';
import { Surface } from '../../../../env/render/surface.ts';
import { Textures } from '../../../../env/render/software/texture.ts';

/** x and y of three corners. */
export type Corners = readonly number[];

/** An unlit triangle of one linear colour; its class is `classId`. */
function drawOf(corners: Corners, red: number, classId: number): Draw {
  const body = new Body();
  body.geometry = new THREE.BufferGeometry();
  const positions = [0, 1, 2].flatMap((i) => [corners[2 * i]!, corners[2 * i + 1]!, 0]);
  body.geometry.setAttribute('position', new THREE.Float32BufferAttribute(positions, 3));
  for (let i = 0; i < 16; i++) body.world[i] = i % 5 === 0 ? 1 : 0;
  body.tint.fill(1);
  const surface = new Surface();
  Object.assign(surface, { r: red, g: 0, b: 0, opacity: 1, alphaTest: 0, offsetFactor: 0, offsetUnits: 0, side: 2 });
  surface.fog = false;
  return Object.assign(new Draw(), { body, surface, classId, start: 0, end: 3 });
}

export class RawPicture {
  private readonly kernel = new Kernel();
  private readonly records = new DrawRecords(this.kernel, new Textures(this.kernel));
  private readonly size: number;
  private readonly nearness: number;
  private readonly seen: number;
  private readonly light: number;

  constructor(
    readonly width: number,
    readonly height: number,
    readonly samples: number,
  ) {
    this.size = width * height;
    this.kernel.run.setUp(width, height, samples);
    this.kernel.refresh();
    this.nearness = this.kernel.allocate(this.size * samples * 4 + 16);
    this.seen = this.kernel.allocate(this.size * samples * 4 + 16);
    this.light = this.kernel.allocate(this.size * 16);
  }

  /** Draws triangles one over the other; the i-th has red i + 1. Returns the triangle that each sample sees, or −1. */
  draw(triangles: readonly Corners[]): Int32Array {
    const { kernel, records } = this;
    kernel.beginFrame();
    const draws = triangles.map((corners, i) => drawOf(corners, i + 1, i));
    records.write(draws, draws.length);
    kernel.run.begin(triangles.length, 3);
    kernel.refresh();
    const rows = kernel.take(128);
    kernel.doubles.set([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], rows / 8);
    const view = new RecordWriter(kernel, 9)
      .int(rows)
      .int(this.width)
      .int(this.height)
      .int(this.samples)
      .int(this.nearness)
      .int(this.seen)
      .float(0.5)
      .float(0)
      .int(0).address;
    kernel.run.turnTo(view, 0);
    draws.forEach((_, i) => kernel.run.enter(records.addresses[i]!, 0));
    const surroundings = kernel.take(37 * 4);
    kernel.ints.fill(0, surroundings / 4, surroundings / 4 + 37);
    kernel.run.shade(view, surroundings, this.light);
    return this.kernel.ints.slice(this.seen / 4, this.seen / 4 + this.size * this.samples);
  }

  /** The red of each pixel. */
  reds(): number[] {
    return Array.from({ length: this.size }, (_, i) => this.kernel.floats[this.light / 4 + 4 * i]!);
  }
}
