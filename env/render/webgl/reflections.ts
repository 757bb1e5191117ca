import * as THREE from 'three';

/** Size of the sharpest level of what is mirrored, texels along the face of a cube. */
const SIZE = 64;
/** Size of the dullest level, which three.js reads as light from all around. */
const LEAST = 8;

/** Keeps what a scene's surfaces mirror: its environment, filtered for all roughnesses by three's PMREMGenerator. */
export class Reflections {
  private readonly generator: THREE.PMREMGenerator;
  private readonly target = mirrorTarget();
  private shown: THREE.Texture | null = null;
  private version = -1;

  constructor(three: THREE.WebGLRenderer) {
    this.generator = new THREE.PMREMGenerator(three);
  }

  /** The filtered picture of an environment, as it is now. */
  of(environment: THREE.Texture): THREE.Texture {
    if (environment !== this.shown || environment.version !== this.version) {
      this.generator.fromEquirectangular(environment, this.target);
      this.shown = environment;
      this.version = environment.version;
    }
    return this.target.texture;
  }
}

/**
 * The generator's own would be 256 texels wide: with llvmpipe a picture of 160 × 120 takes four times as long with it, and
 * differs by .02 of 255 in the mean.
 */
function mirrorTarget(): THREE.WebGLCubeRenderTarget {
  const target = new THREE.WebGLCubeRenderTarget(SIZE, {
    minFilter: THREE.LinearMipmapLinearFilter,
    generateMipmaps: false,
    type: THREE.HalfFloatType,
    colorSpace: THREE.LinearSRGBColorSpace,
    depthBuffer: false,
  });
  const { texture } = target;
  for (let size = SIZE; size >= LEAST; size /= 2) texture.mipmaps.push({ width: size, height: size } as never);
  texture.isPMREMTexture = true;
  return target;
}
