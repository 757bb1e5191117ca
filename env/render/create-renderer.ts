import type { RendererName } from '../runtime.ts';
import type { Renderer } from './renderer.ts';
import { SoftwareRenderer } from './software/software-renderer.ts';
import { WebglRenderer } from './webgl/webgl-renderer.ts';

/** Creates a renderer. @throws {Error} in a sentence, when it is not installed or finds nothing that draws */
export function createRenderer(name: RendererName): Renderer {
  return name === 'webgl' ? new WebglRenderer() : new SoftwareRenderer();
}
