import * as THREE from 'three';
import type { RenderItem } from 'three';
import { backgroundClassOf, byOrder, DrawList } from '../draw-list.ts';
import { checkCamera, checkScene, refuse } from '../refusals.ts';
import type { Camera, Frame, PictureFormat, Renderer } from '../renderer.ts';
import { openWebgl, type Webgl } from './context.ts';
import { LabelPass } from './label-pass.ts';
import { Reflections } from './reflections.ts';
import { Sky } from './sky.ts';

/** The number of samples of a pixel in an antialiased picture, where the driver has as many. */
const SAMPLES = 4;

/** What the graphics card keeps of something is freed when this number of frames did not need it. */
const KEPT_FRAMES = 64;

/** Something of which the graphics card keeps a copy until it is disposed of: a geometry, a texture, a shadow map. */
interface Kept {
  dispose(): void;
}

/**
 * Draws with three's own WebGLRenderer on node-canvas-webgl, which `npm run setup:webgl` installs: on a GPU, or on a
 * driver in software. The same driver draws the same bytes.
 */
export class WebglRenderer implements Renderer {
  readonly name = 'webgl';
  readonly version = 1;
  readonly driver: string;
  private readonly webgl: Webgl;
  private readonly list = new DrawList();
  private readonly labels = new LabelPass();
  private readonly sky = new Sky();
  private readonly reflections: Reflections;
  /** Holds the scene that is drawn, and the sky behind it. */
  private readonly root = new THREE.Scene();
  private canvas: Canvas | undefined;
  private readonly kept = new Map<Kept, number>();
  private frames = 0;

  /** @throws {Error} in a sentence, when node-canvas-webgl is not installed or finds nothing that draws */
  constructor() {
    this.webgl = openWebgl();
    this.driver = this.webgl.driver;
    this.reflections = new Reflections(this.webgl.three);
    this.root.matrixWorldAutoUpdate = false;
  }

  /**
   * Draws a scene.
   *
   * @returns arrays that are valid until the next draw
   * @throws {RangeError} when width or height is not a whole number from 1 to what the driver can draw, or an id is none
   * @throws {TypeError} when the scene has something visible that has no labels, see refusals.ts
   */
  draw(scene: THREE.Scene, camera: Camera, format: PictureFormat): Frame {
    if (scene.matrixWorldAutoUpdate) scene.updateMatrixWorld();
    if (camera.parent === null && camera.matrixWorldAutoUpdate) camera.updateMatrixWorld();
    checkScene(scene, camera);
    checkCamera(camera);
    if (camera.coordinateSystem !== THREE.WebGLCoordinateSystem || camera.reversedDepth) {
      refuse('camera', camera, 'WebGL’s coordinate system', 'another');
    }
    const { width, height, antialias = true, colours = true } = format;
    if (this.canvas?.width !== width || this.canvas.height !== height) {
      this.canvas?.dispose();
      this.canvas = undefined;
      this.canvas = new Canvas(this.webgl, width, height);
    }
    this.list.gather(scene, camera);
    if (colours) {
      this.drawColours(scene, camera, this.canvas.colours(antialias));
      this.canvas.readColours(antialias);
    }
    this.labels.draw(this.webgl, this.list, camera, this.canvas.labels);
    this.canvas.readLabels(backgroundClassOf(scene));
    this.free(scene);
    return this.canvas.frame;
  }

  private drawColours(scene: THREE.Scene, camera: Camera, target: THREE.WebGLRenderTarget): void {
    const { three } = this.webgl;
    const { root, sky, list } = this;
    const { background, environment } = scene;
    const isPicture = background instanceof THREE.Texture;
    if (isPicture) sky.show(background, scene.backgroundIntensity, camera);
    root.children = isPicture ? [sky.mesh, scene] : [scene];
    root.background = isPicture ? null : background;
    root.environment = environment && this.reflections.of(environment);
    root.environmentIntensity = scene.environmentIntensity;
    root.fog = scene.fog;
    const isSky = ({ object }: RenderItem) => +(object === sky.mesh);
    const hasHoles = ({ material }: RenderItem) => +(list.holesLast && material.alphaTest > 0);
    three.sortObjects = true;
    three.setOpaqueSort(
      (a: RenderItem, b: RenderItem) => isSky(b) - isSky(a) || byOrder(a, b) || hasHoles(a) - hasHoles(b),
    );
    three.setTransparentSort((a: RenderItem, b: RenderItem) => byOrder(a, b) || b.z - a.z);
    three.setRenderTarget(target);
    three.setClearColor(0, 1);
    three.render(root, camera);
  }

  /** Frees what the graphics card has kept for long and no frame needed: scenes come and go. */
  private free(scene: THREE.Scene): void {
    const { kept, list } = this;
    const now = ++this.frames;
    for (let i = 0; i < list.count; i++) {
      const { body, surface } = list.draws[i]!;
      kept.set(body.geometry, now);
      if (surface.map !== null) kept.set(surface.map, now);
    }
    for (const texture of [scene.background, scene.environment])
      if (texture instanceof THREE.Texture) kept.set(texture, now);
    for (const light of list.lights) if (light instanceof THREE.DirectionalLight) kept.set(light.shadow, now);
    for (const [one, last] of kept) {
      if (last > now - KEPT_FRAMES) continue;
      one.dispose();
      kept.delete(one);
    }
  }
}

/** The targets of pictures of one size, and the arrays that they are read into. */
class Canvas {
  readonly frame: Frame;
  readonly labels: THREE.WebGLRenderTarget;
  private readonly pixels: Float32Array;
  private readonly plain: THREE.WebGLRenderTarget;
  private readonly smooth: THREE.WebGLRenderTarget;

  constructor(
    private readonly webgl: Webgl,
    readonly width: number,
    readonly height: number,
  ) {
    const most = webgl.three.capabilities.maxTextureSize;
    if (![width, height].every((side) => Number.isInteger(side) && side > 0 && side <= most)) {
      throw new RangeError(
        `WebglRenderer: expected whole width and height from 1 to ${most}, got ${width} and ${height}`,
      );
    }
    const size = width * height;
    this.frame = {
      width,
      height,
      linear: new Float32Array(size * 3),
      classes: new Uint8Array(size),
      instances: new Uint16Array(size),
      depth: new Float32Array(size),
    };
    this.pixels = new Float32Array(size * 4);
    const target = (type: THREE.TextureDataType, samples: number) =>
      new THREE.WebGLRenderTarget(width, height, {
        type,
        samples,
        minFilter: THREE.NearestFilter,
        magFilter: THREE.NearestFilter,
        resolveDepthBuffer: false,
      });
    this.labels = target(THREE.FloatType, 0);
    this.plain = target(THREE.HalfFloatType, 0); // WebGL blends no colours of 32 bits.
    this.smooth = target(THREE.HalfFloatType, SAMPLES);
  }

  colours(antialias: boolean): THREE.WebGLRenderTarget {
    return antialias ? this.smooth : this.plain;
  }

  readColours(antialias: boolean): void {
    const { width, pixels } = this;
    const { linear } = this.frame;
    this.webgl.read(this.colours(antialias), pixels);
    this.eachRow((from, to) => {
      for (let i = from * 4, o = to * 3; o < (to + width) * 3; i += 4, o += 3) {
        linear[o] = pixels[i]!;
        linear[o + 1] = pixels[i + 1]!;
        linear[o + 2] = pixels[i + 2]!;
      }
    });
  }

  readLabels(backgroundClass: number): void {
    const { width, pixels } = this;
    const { classes, instances, depth } = this.frame;
    this.webgl.read(this.labels, pixels);
    this.eachRow((from, to) => {
      for (let i = from * 4, o = to; o < to + width; i += 4, o++) {
        const isSeen = pixels[i + 3] !== 0;
        classes[o] = isSeen ? pixels[i]! : backgroundClass;
        instances[o] = pixels[i + 1]!;
        depth[o] = isSeen ? pixels[i + 2]! : Infinity;
      }
    });
  }

  /** Calls `read` with the first pixel of each row, counted from the bottom row and from the top row. */
  private eachRow(read: (from: number, to: number) => void): void {
    const { width, height } = this;
    for (let row = 0; row < height; row++) read((height - 1 - row) * width, row * width);
  }

  dispose(): void {
    for (const target of [this.labels, this.plain, this.smooth]) target.dispose();
  }
}
