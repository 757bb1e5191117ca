import type * as THREE from 'three';
import { CLASS_ID } from '../classes.ts';
import { BlendSink } from './blend-sink.ts';
import { DrawList } from './draw-list.ts';
import type { Frame } from './frame.ts';
import { Lights } from './lights.ts';
import { SampleGrid } from './sample-grid.ts';
import { Shader } from './shader.ts';
import { Spans } from './spans.ts';
import { Projector, Triangles, cameraView } from './triangles.ts';
import { ViewRays } from './view-rays.ts';
import { VisibleRuns, runEnd } from './visible-runs.ts';
import { CutoutSink, DepthPlane, NOTHING, OpaqueSink, Visibility } from './visibility.ts';

export interface SoftwareRendererOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Five samples a pixel for the colours in place of one. On unless false. */
  readonly antialias?: boolean;
}

/**
 * Draws three.js scenes on the CPU: colours, class ids, instance ids and depth in one pass.
 *
 * Ids come from `userData.classId` and `userData.instanceId`, inherited from the nearest ancestor that has one; a
 * material's `userData.classId` overrides its object's, `userData.instanceIds` numbers an InstancedMesh's instances, and
 * `scene.userData.backgroundClassId` names the background (sky if absent). Ids and depth are those at a pixel's centre,
 * the same with and without antialiasing. Transparent materials change colours only.
 */
export class SoftwareRenderer {
  readonly width: number;
  readonly height: number;
  private readonly grid: SampleGrid;
  private readonly list = new DrawList();
  private readonly lights = new Lights();
  private readonly triangles = new Triangles();
  private readonly plane = new DepthPlane();
  private readonly rays = new ViewRays();
  private readonly projector: Projector;
  private readonly visibility: Visibility;
  private readonly runs: VisibleRuns;
  private readonly shader: Shader;
  private readonly opaque: OpaqueSink;
  private readonly cutout: CutoutSink;
  private readonly blend: BlendSink;
  private readonly solid: number[] = [];
  private readonly cutouts: number[] = []; // Positions in the draw list, as is this:
  private readonly transparent: number[] = [];
  private readonly frame: Frame;

  /** @throws {RangeError} when width or height is not a whole number from 1 */
  constructor({ width, height, antialias = true }: SoftwareRendererOptions) {
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new RangeError(`SoftwareRenderer: expected whole width and height from 1, got ${width} and ${height}`);
    }
    this.width = width;
    this.height = height;
    const { list, triangles, plane } = this;
    const grid = (this.grid = new SampleGrid(width, height, antialias));
    const spans = new Spans(grid);
    this.projector = new Projector(triangles, spans);
    const visibility = (this.visibility = new Visibility(grid));
    this.runs = new VisibleRuns(grid);
    this.shader = new Shader(triangles, list, grid, this.rays, this.lights);
    this.opaque = new OpaqueSink(visibility, triangles, list, spans, plane);
    this.cutout = new CutoutSink(visibility, triangles, list, spans, plane);
    this.blend = new BlendSink(visibility, triangles, list, spans, plane, this.shader);
    const size = width * height;
    this.frame = {
      width,
      height,
      linear: new Float32Array(size * 3),
      classes: new Uint8Array(size),
      instances: new Uint16Array(size),
      depth: new Float32Array(size),
    };
    this.blend.into = this.frame.linear;
  }

  /**
   * Draws a scene.
   *
   * @returns the renderer's own arrays, which hold until its next render
   * @throws {TypeError} when the scene has something visible that can't be drawn
   */
  render(scene: THREE.Scene, camera: THREE.PerspectiveCamera): Frame {
    if (scene.matrixWorldAutoUpdate) scene.updateMatrixWorld();
    if (camera.parent === null && camera.matrixWorldAutoUpdate) camera.updateMatrixWorld();
    const { list, triangles } = this;
    list.gather(scene, camera);
    this.lights.read(list.lights, list.draws, list.count);
    this.rays.read(camera, this.width, this.height);
    this.plane.setRange(camera.near, camera.far);
    this.visibility.clear(camera.far);
    triangles.count = 0;
    this.projector.begin(cameraView(camera, this.width, this.height));
    this.drawOpaque();
    this.readLabels(scene);
    this.shader.begin(scene);
    this.runs.sort(this.visibility, triangles.count);
    this.frame.linear.fill(0);
    this.shader.shadeAll(this.runs, this.frame.linear);
    this.drawTransparent();
    return this.frame;
  }

  /** In the scene's order but for renderOrder, which matters only where surfaces coincide: there the last one stays. */
  private drawOpaque(): void {
    const { solid, cutouts, transparent } = this;
    const { draws, count } = this.list;
    solid.length = cutouts.length = transparent.length = 0;
    for (let i = 0; i < count; i++) {
      const { body, surface } = draws[i]!;
      if (body.inView) (surface.transparent ? transparent : surface.alphaTest > 0 ? cutouts : solid).push(i);
    }
    const byOrder = (i: number, j: number) => draws[i]!.body.renderOrder - draws[j]!.body.renderOrder;
    solid.sort(byOrder);
    cutouts.sort(byOrder);
    for (const i of solid) this.projector.project(draws[i]!, i, draws[i]!.surface.side, this.opaque);
    // Last, since the depth test is cheaper than the texture that it may spare.
    for (const i of cutouts) this.projector.project(draws[i]!, i, draws[i]!.surface.side, this.cutout);
  }

  /** Back to front, by renderOrder and then by the bounding spheres' centres; the colours of opaque things must stand. */
  private drawTransparent(): void {
    const { transparent } = this;
    const { draws } = this.list;
    transparent.sort((i, j) => {
      const [a, b] = [draws[i]!.body, draws[j]!.body];
      return a.renderOrder - b.renderOrder || b.distance - a.distance;
    });
    for (const i of transparent) {
      const draw = draws[i]!;
      this.projector.project(draw, i, draw.surface.side, this.blend);
    }
  }

  /** Reads ids and depth off the centre samples, run by run of pixels that show one triangle. */
  private readLabels(scene: THREE.Scene): void {
    const { grid, triangles, list } = this;
    const { classes, instances, depth } = this.frame;
    const { triangle } = this.visibility;
    const { planes } = triangles;
    const { width, height, samples, centre } = grid;
    const named: unknown = scene.userData['backgroundClassId'];
    const backgroundClass = typeof named === 'number' ? named : CLASS_ID.sky;
    for (let row = 0; row < height; row++) {
      const base = (row * samples + centre) * width;
      for (let x = 0; x < width;) {
        const t = triangle[base + x]!;
        const end = runEnd(triangle, base, width, x);
        const draw = t === NOTHING ? null : list.draws[triangles.draw[t]!]!;
        const classId = draw === null ? backgroundClass : draw.classId;
        const instanceId = draw === null ? 0 : draw.body.instanceId;
        const o = t * 9;
        const a = draw === null ? 0 : planes[o]! + planes[o + 3]! + planes[o + 6]!;
        const b = draw === null ? 0 : planes[o + 1]! + planes[o + 4]! + planes[o + 7]!;
        const c = draw === null ? 0 : planes[o + 2]! + planes[o + 5]! + planes[o + 8]!;
        const atLeft = b * (row + 0.5) + c + 0.5 * a;
        for (let k = x, i = row * width + x; k < end; k++, i++) {
          classes[i] = classId;
          instances[i] = instanceId;
          depth[i] = 1 / (a * k + atLeft); // The background: 1 / 0.
        }
        x = end;
      }
    }
  }
}
