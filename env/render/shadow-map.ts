import type * as THREE from 'three';
import { CasterSink } from './caster-sink.ts';
import type { Body, Draw } from './draw-list.ts';
import type { Fragments } from './fragments.ts';
import { SampleGrid } from './sample-grid.ts';
import { Spans } from './spans.ts';
import { Projector, Triangles } from './triangles.ts';

/** Beyond any depth: nothing here casts a shadow. */
const EMPTY = 1e9;

/** A directional light's view of what casts shadows: light.shadow's camera, mapSize, bias, normalBias, radius. */
export class ShadowMap {
  private width = 0;
  private height = 0;
  private grid!: SampleGrid;
  private spans!: Spans;
  private triangles = new Triangles();
  private projector!: Projector;
  private sink!: CasterSink;
  /** Depth of the nearest caster, 0 (the shadow camera's near plane) to 1 (far), [height, width]. */
  private depth = new Float32Array(0);
  private readonly view = { rows: new Float64Array(12), near: 0 };
  private readonly depthRow = new Float64Array(4); // depth from world coordinates
  private bias = 0;
  private normalBias = 0;
  private intensity = 1;
  private step = 1;

  /** Draws the map. The light's and its target's matrices must be up to date. */
  draw(light: THREE.DirectionalLight, draws: readonly Draw[], count: number): void {
    const { shadow } = light;
    this.resize(shadow.mapSize.x, shadow.mapSize.y);
    shadow.updateMatrices(light);
    this.setMatrices(shadow.matrix.elements);
    this.bias = shadow.bias;
    this.normalBias = shadow.normalBias;
    this.intensity = shadow.intensity;
    this.step = Math.max(1, Math.round(shadow.radius));
    this.depth.fill(EMPTY);
    this.triangles.count = 0;
    this.projector.begin(this.view);
    for (let i = 0; i < count; i++) {
      const draw = draws[i]!;
      if (!draw.body.castShadow || this.isBeside(draw.body)) continue;
      this.sink.begin(draw);
      this.projector.project(draw, i, draw.surface.shadowSide, this.sink);
    }
  }

  private resize(width: number, height: number): void {
    if (this.width === width && this.height === height) return;
    this.width = width;
    this.height = height;
    this.grid = new SampleGrid(width, height, false);
    this.spans = new Spans(this.grid);
    this.projector = new Projector(this.triangles, this.spans);
    this.depth = new Float32Array(width * height);
    this.sink = new CasterSink(this.depth, this.depthRow, this.triangles, this.spans);
  }

  /** @param m three.js's matrix from world coordinates to 0..1 across, up and along the shadow camera's view */
  private setMatrices(m: readonly number[]): void {
    const { rows } = this.view;
    for (let j = 0; j < 4; j++) {
      rows[j] = this.width * m[j * 4]!;
      rows[4 + j] = -this.height * m[j * 4 + 1]!;
      this.depthRow[j] = m[j * 4 + 2]!;
    }
    rows[7] = this.height + rows[7]!;
    rows[11] = 1;
  }

  /** Does a body's bounding sphere lie beside the map? */
  private isBeside({ x, y, z, radius }: Body): boolean {
    const { rows } = this.view;
    for (let o = 0, size = this.width; o < 8; o += 4, size = this.height) {
      const [a, b, c] = [rows[o]!, rows[o + 1]!, rows[o + 2]!];
      const middle = a * x + b * y + c * z + rows[o + 3]!;
      const reach = radius * Math.sqrt(a * a + b * b + c * c);
      if (middle + reach < 0 || middle - reach > size) return true;
    }
    return false;
  }

  /**
   * Finds the share of the light that reaches fragments, 1 − intensity to 1: the mean of 3 × 3 comparisons, each
   * smoothed over a texel; light.shadow.radius spreads them. 1 outside the shadow camera's view.
   * Of the fragments it reads the positions, and the normals, along which normalBias moves the points.
   */
  findReached({ count, isFlat, x: xs, y: ys, z: zs, nx, ny, nz, reached }: Fragments): void {
    const { rows } = this.view;
    const { depthRow: d, normalBias, bias, width, height, depth, step, intensity } = this;
    for (let i = 0; i < count; i++) {
      const n = isFlat ? 0 : i;
      const x = xs[i]! + nx[n]! * normalBias;
      const y = ys[i]! + ny[n]! * normalBias;
      const z = zs[i]! + nz[n]! * normalBias;
      const column = rows[0]! * x + rows[1]! * y + rows[2]! * z + rows[3]!;
      const row = rows[4]! * x + rows[5]! * y + rows[6]! * z + rows[7]!;
      const own = d[0]! * x + d[1]! * y + d[2]! * z + d[3]! + bias;
      reached[i] = 1;
      if (!(column >= 0 && column <= width && row >= 0 && row <= height && own <= 1)) continue;
      const left = Math.floor(column - 0.5) | 0;
      const top = Math.floor(row - 0.5) | 0;
      const fx = column - 0.5 - left;
      const fy = row - 0.5 - top;
      const c0 = clamp(left - step, width);
      const c1 = clamp(left, width);
      const c2 = clamp(left + step, width);
      const c3 = clamp(left + 2 * step, width);
      let lit = 0;
      for (let j = -1; j <= 2; j++) {
        const base = clamp(top + j * step, height) * width;
        const line =
          (own > depth[base + c0]! ? 0 : 1 - fx) +
          (own > depth[base + c1]! ? 0 : 1) +
          (own > depth[base + c2]! ? 0 : 1) +
          (own > depth[base + c3]! ? 0 : fx);
        lit += j < 0 ? (1 - fy) * line : j === 2 ? fy * line : line;
      }
      reached[i] = 1 - intensity * (1 - lit / 9);
    }
  }
}

function clamp(i: number, size: number): number {
  return i < 0 ? 0 : i < size ? i : size - 1;
}
