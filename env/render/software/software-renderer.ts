import * as THREE from 'three';
import { backgroundClassOf, DrawList } from '../draw-list.ts';
import { DrawRecords, facingOf } from './draw-record.ts';
import type { Camera, Frame, PictureFormat, Renderer } from '../renderer.ts';
import { Kernel, RecordWriter } from './kernel.ts';
import { Lights } from './lights.ts';
import { checkCamera, checkScene, isOrthographic } from '../refusals.ts';
import { SRGB_BYTES } from '../srgb.ts';
import { writeSurroundings } from './surroundings.ts';
import { Textures } from './texture.ts';

/** A kernel with more memory than this is replaced, since it holds every texture that was ever drawn. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Draws on the CPU, the same bytes on every machine; five samples per pixel where a picture is antialiased.
 *
 * As in three.js, a change of a geometry's arrays is noticed when its attributes have `needsUpdate` set.
 */
export class SoftwareRenderer implements Renderer {
  readonly name = 'software';
  readonly version = 1;
  private readonly list = new DrawList();
  /** A canvas for each format that was requested. */
  private readonly canvases = new Map<string, Canvas>();
  /** The canvas of the last frame. */
  private canvas: Canvas | undefined;

  /**
   * Draws a scene.
   *
   * @returns arrays that are valid until the next draw in this format
   * @throws {RangeError} when width or height is not a whole number from 1, or an id is none
   * @throws {TypeError} when the scene has something visible that can't be drawn, see refusals.ts
   */
  draw(scene: THREE.Scene, camera: Camera, format: PictureFormat): Frame {
    if (scene.matrixWorldAutoUpdate) scene.updateMatrixWorld();
    if (camera.parent === null && camera.matrixWorldAutoUpdate) camera.updateMatrixWorld();
    checkScene(scene, camera);
    checkCamera(camera);
    const canvas = (this.canvas = this.canvasOf(format));
    const { list } = this;
    const { kernel, textures, records, lights } = canvas;
    const { run } = kernel;
    list.gather(scene, camera);
    kernel.beginFrame();
    textures.beginFrame();
    records.write(list.draws, list.count);
    run.begin(records.triangleCount, records.mostVertices);
    kernel.refresh();
    lights.read(list.lights, list.draws, records.addresses, list.count);
    const surroundings = writeSurroundings(kernel, textures, lights, scene, camera, canvas);
    const view = canvas.writeView(camera);
    run.turnTo(view, isOrthographic(camera) ? -camera.far : 1 / camera.far);
    this.enter(canvas, list.opaque);
    run.readLabels(view, backgroundClassOf(scene), canvas.classes, canvas.instances, canvas.depth);
    run.shade(view, surroundings, canvas.light);
    this.enter(canvas, list.transparent);
    run.pack(canvas.light, canvas.linear, canvas.width * canvas.height);
    return canvas.frame();
  }

  /**
   * The last frame in sRGB bytes, as `linearToSrgb` makes them.
   *
   * @returns the renderer's own uint8 [height, width, 3], valid until the next draw in its format
   * @throws {Error} when nothing was drawn
   */
  srgb(): Uint8Array {
    if (!this.canvas) throw new Error('SoftwareRenderer.srgb: expected a frame that was drawn before, got none');
    return this.canvas.encode();
  }

  private canvasOf({ width, height, antialias = true }: PictureFormat): Canvas {
    const samples = antialias ? 5 : 1;
    const key = `${width} ${height} ${samples}`;
    let canvas = this.canvases.get(key);
    if (canvas === undefined || canvas.kernel.size > MOST_BYTES) {
      this.canvases.set(key, (canvas = new Canvas(width, height, samples)));
    }
    return canvas;
  }

  private enter({ kernel, records }: Canvas, positions: readonly number[]): void {
    for (const i of positions) {
      const { body, surface } = this.list.draws[i]!;
      if (surface.map === null && surface.opacity < surface.alphaTest) continue; // The whole surface is a hole.
      if (surface.drawsBackFirst) {
        kernel.run.enter(records.addresses[i]!, facingOf(THREE.BackSide, body));
        kernel.run.enter(records.addresses[i]!, facingOf(THREE.FrontSide, body));
      } else kernel.run.enter(records.addresses[i]!, facingOf(surface.side, body));
    }
  }
}

/** A kernel, and the addresses where it keeps a picture of one size. */
class Canvas {
  readonly kernel = new Kernel();
  readonly textures = new Textures(this.kernel);
  readonly records = new DrawRecords(this.kernel, this.textures);
  readonly lights = new Lights(this.kernel);
  /** Linear light with a fourth number, which is not used. */
  readonly light: number;
  readonly linear: number;
  readonly classes: number;
  readonly instances: number;
  readonly depth: number;
  private readonly bytes: number;
  private readonly table: number;
  private readonly nearness: number;
  private readonly seen: number;
  private readonly rows = new Float64Array(16);
  private readonly matrix = new THREE.Matrix4();

  constructor(
    readonly width: number,
    readonly height: number,
    private readonly samples: number,
  ) {
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new RangeError(`SoftwareRenderer: expected whole width and height from 1, got ${width} and ${height}`);
    }
    const { kernel } = this;
    const size = width * height;
    kernel.run.setUp(width, height, samples);
    kernel.refresh();
    this.light = kernel.allocate(size * 16);
    this.linear = kernel.allocate(size * 12 + 64); // The kernel reads and writes in groups, beyond the end.
    this.classes = kernel.allocate(size + 4);
    this.instances = kernel.allocate(size * 2 + 8);
    this.depth = kernel.allocate(size * 4 + 16);
    this.bytes = kernel.allocate(size * 3 + 16);
    this.table = kernel.allocate(SRGB_BYTES.length);
    kernel.bytes.set(SRGB_BYTES, this.table);
    this.nearness = kernel.allocate(size * samples * 4 + 16);
    this.seen = kernel.allocate(size * samples * 4 + 16);
  }

  /** Writes the view of a camera; w is the distance along its axis, n is 1 / w; without perspective w is 1, n −depth. */
  writeView(camera: Camera): number {
    const { kernel, width, height, rows } = this;
    const { elements: m } = this.matrix.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);
    for (let j = 0; j < 4; j++) {
      const w = m[j * 4 + 3]!;
      rows[j] = 0.5 * width * (m[j * 4]! + w);
      rows[4 + j] = 0.5 * height * (w - m[j * 4 + 1]!);
      rows[8 + j] = w;
    }
    const isParallel = isOrthographic(camera);
    const view = camera.matrixWorldInverse.elements;
    for (let j = 0; j < 4; j++) rows[12 + j] = isParallel ? view[j * 4 + 2]! : +(j === 3);
    const address = kernel.take(128);
    kernel.doubles.set(rows, address / 8);
    const depthRange = isParallel ? camera.far - camera.near : 1 / camera.near - 1 / camera.far;
    return new RecordWriter(kernel, 9)
      .int(address)
      .int(width)
      .int(height)
      .int(this.samples)
      .int(this.nearness)
      .int(this.seen)
      .float(camera.near)
      .float(depthRange / 2 ** 24)
      .int(+isParallel).address;
  }

  encode(): Uint8Array {
    const { kernel, width, height } = this;
    const count = width * height * 3;
    kernel.run.encode(this.linear, this.bytes, count, this.table, SRGB_BYTES.length - 1);
    return new Uint8Array(kernel.bytes.buffer, this.bytes, count);
  }

  frame(): Frame {
    const { width, height, kernel } = this;
    const { buffer } = kernel.bytes;
    const size = width * height;
    return {
      width,
      height,
      linear: new Float32Array(buffer, this.linear, size * 3),
      classes: new Uint8Array(buffer, this.classes, size),
      instances: new Uint16Array(buffer, this.instances, size),
      depth: new Float32Array(buffer, this.depth, size),
    };
  }
}
