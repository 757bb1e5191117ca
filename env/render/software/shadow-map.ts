import type * as THREE from 'three';
import type { Body, Draw } from '../draw-list.ts';
import { facingOf } from './draw-record.ts';
import { type Kernel, RecordWriter } from './kernel.ts';

/** The n of a texel where nothing casts a shadow: depth 1e9. */
const EMPTY = -1e9;

/** A directional light's view of what casts shadows, by light.shadow's camera and mapSize. Its n is −depth. */
export class ShadowMap {
  private readonly rows = new Float64Array(16);
  private width = 0;
  private height = 0;
  /** The address of n at each texel, and the number of texels that there is room for. */
  private nearness = 0;
  private room = 0;

  constructor(private readonly kernel: Kernel) {}

  /**
   * Draws the map. The light's and its target's matrices must be up to date.
   *
   * @param records the draws' addresses
   * @param count   the number of draws
   * @returns       the address of the view
   */
  draw(light: THREE.DirectionalLight, draws: readonly Draw[], records: readonly number[], count: number): number {
    const { kernel } = this;
    const { shadow } = light;
    this.resize(shadow.mapSize.x, shadow.mapSize.y);
    shadow.updateMatrices(light);
    this.setRows(shadow.matrix.elements);
    const rows = kernel.take(128);
    kernel.doubles.set(this.rows, rows / 8);
    const { address } = new RecordWriter(kernel, 9)
      .int(rows)
      .int(this.width)
      .int(this.height)
      .int(1) // One sample a texel.
      .int(this.nearness)
      .int(0) // Which triangle it was is not stored.
      .float(0) // What is nearer than the shadow camera's near plane casts a shadow too.
      .float(0) // No polygonOffset.
      .int(0); // What is near the sun is not cut off.
    kernel.run.turnTo(address, EMPTY);
    for (let i = 0; i < count; i++) {
      const { body, surface } = draws[i]!;
      if (!body.castShadow || this.isBeside(body)) continue;
      if (surface.map === null && surface.opacity < surface.alphaTest) continue;
      kernel.run.enter(records[i]!, facingOf(surface.shadowSide, body));
    }
    return address;
  }

  private resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    if (width * height <= this.room) return;
    this.room = width * height;
    this.nearness = this.kernel.allocate(this.room * 4 + 16);
  }

  /** @param m three.js's matrix from world coordinates to 0..1 across, up and along the shadow camera's view */
  private setRows(m: readonly number[]): void {
    const { rows } = this;
    for (let j = 0; j < 4; j++) {
      rows[j] = this.width * m[j * 4]!;
      rows[4 + j] = -this.height * m[j * 4 + 1]!;
      rows[12 + j] = -m[j * 4 + 2]!;
    }
    rows[7] = this.height + rows[7]!;
    rows[11] = 1;
  }

  /** Whether a body's bounding sphere is outside the map. */
  private isBeside({ x, y, z, radius }: Body): boolean {
    const { rows } = this;
    for (let o = 0, size = this.width; o < 8; o += 4, size = this.height) {
      const [a, b, c] = [rows[o]!, rows[o + 1]!, rows[o + 2]!];
      const middle = a * x + b * y + c * z + rows[o + 3]!;
      const reach = radius * Math.sqrt(a * a + b * b + c * c);
      if (middle + reach < 0 || middle - reach > size) return true;
    }
    return false;
  }
}
