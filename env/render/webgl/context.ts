/** Where three's WebGLRenderer draws: a canvas of node-canvas-webgl, one for each process. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import * as THREE from 'three';
import { openDisplay } from './display.ts';

const PACKAGE = 'node-canvas-webgl';
const projectRoot = resolve(import.meta.dirname, '../../..');

/** The folder where `npm run setup:webgl` puts the package: outside node_modules, so that `npm ci` does not delete it. */
export const WEBGL_FOLDER = join(projectRoot, '.webgl');

const FOLDERS = [projectRoot, WEBGL_FOLDER];

/** The first of these folders in whose `node_modules` the package is; undefined where there is none. */
function packageFolder(folders: readonly string[]): string | undefined {
  return folders.find((path) => existsSync(join(path, 'node_modules', PACKAGE, 'package.json')));
}

/** Whether the package is installed; nothing is loaded, so it may still turn out broken. */
export function hasWebgl(): boolean {
  return packageFolder(FOLDERS) !== undefined;
}

/** What we use of a WebGL 2 context ourselves; three.js uses the rest. */
interface Gl {
  readonly FRAMEBUFFER: number;
  readonly RGBA: number;
  readonly FLOAT: number;
  readonly RENDERER: number;
  getExtension(name: string): object | null;
  getSupportedExtensions(): string[];
  getError(): number;
  readPixels(
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    into: Float32Array,
  ): void;
  /** headless-gl's own: the driver's answer, where getParameter says "ANGLE". */
  _getParameterDirect(name: number): unknown;
}

interface Canvas {
  getContext(type: 'webgl2', options: object): Gl;
}

/** A drawing context and what draws into it. */
export interface Webgl {
  readonly three: THREE.WebGLRenderer;
  /** The GPU or the program that draws, as it names itself. */
  readonly driver: string;
  /**
   * Reads a target's light or numbers.
   *
   * @param into float32 [height, width, 4], the bottom row first
   * @throws {Error} when something went wrong since the last call
   */
  read(target: THREE.WebGLRenderTarget, into: Float32Array): void;
}

let opened: Webgl | undefined;

/**
 * The drawing context of this process.
 *
 * @param folders the folders with a `node_modules` to search for the package; when left out, those where npm and
 *                `npm run setup:webgl` put it
 * @throws {Error} in a sentence, when the package is not installed, does not load, or finds nothing that draws
 */
export function openWebgl(folders = FOLDERS): Webgl {
  return (opened ??= open(packageFolder(folders)));
}

function open(folder: string | undefined): Webgl {
  if (folder === undefined)
    throw new Error(`webgl renderer: expected ${PACKAGE}, got none; npm run setup:webgl builds it`);
  process.env['LP_NUM_THREADS'] ??= '1'; // llvmpipe's: this project starts one process per core
  const { canvas, gl } = onDisplay(() => {
    const canvas = load(folder).createCanvas(1, 1);
    return { canvas, gl: contextOf(canvas) };
  });
  const driver = String(gl._getParameterDirect(gl.RENDERER));
  restrictExtensions(gl, driver);
  const three = new THREE.WebGLRenderer({ canvas: canvas as never, context: gl as never });
  three.shadowMap.enabled = true;
  three.debug.onShaderError = () => {
    throw new Error('webgl renderer: expected shaders that the driver compiles, got one that it does not');
  };
  return { three, driver, read: readerOf(three, gl) };
}

function onDisplay<T>(make: () => T): T {
  const closeDisplay = openDisplay();
  try {
    return make();
  } catch (error) {
    closeDisplay();
    throw error;
  }
}

function contextOf(canvas: Canvas): Gl {
  try {
    return canvas.getContext('webgl2', { createWebGL2Context: true, alpha: false, depth: false });
  } catch (error) {
    // Where headless-gl finds no driver, node-canvas-webgl stumbles over the context that is not there.
    const { DISPLAY, ANGLE_DEFAULT_PLATFORM: platform } = process.env;
    const on = `DISPLAY=${DISPLAY ?? ''}${platform === undefined ? '' : ` ANGLE_DEFAULT_PLATFORM=${platform}`}`;
    throw new Error(`webgl renderer: expected a driver that draws WebGL 2, got none with ${on}`, { cause: error });
  }
}

function load(folder: string): { createCanvas(width: number, height: number): Canvas } {
  try {
    return createRequire(join(folder, 'package.json'))(PACKAGE) as ReturnType<typeof load>;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0]!;
    throw new Error(
      `webgl renderer: expected ${PACKAGE} to load, got: ${reason}; npm run setup:webgl -- --force builds it anew`,
      { cause: error },
    );
  }
}

/**
 * Hides extensions that are better not asked for: headless-gl prints a warning on stdout for those that it does not know,
 * and Mesa's llvmpipe can read a texture without end when it filters by anisotropy (22.3 did, on every other street).
 */
function restrictExtensions(gl: Gl, driver: string): void {
  const known = new Set(gl.getSupportedExtensions());
  if (/llvmpipe/.test(driver)) known.delete('EXT_texture_filter_anisotropic');
  const getExtension = gl.getExtension.bind(gl);
  gl.getExtension = (name) => (known.has(name) ? getExtension(name) : null);
}

function readerOf(three: THREE.WebGLRenderer, gl: Gl): Webgl['read'] {
  return (target, into) => {
    // three's own readRenderTargetPixels reads half floats as such, which not every driver can.
    const { __webglFramebuffer } = three.properties.get(target) as { __webglFramebuffer: unknown };
    three.state.bindFramebuffer(gl.FRAMEBUFFER, __webglFramebuffer);
    gl.readPixels(0, 0, target.width, target.height, gl.RGBA, gl.FLOAT, into);
    const error = gl.getError();
    if (error !== 0)
      throw new Error(`webgl renderer: expected the driver to draw, got its error 0x${error.toString(16)}`);
  };
}
