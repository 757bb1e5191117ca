/** What the renderer writes for the kernel, field by field in this order (see RecordWriter in ../kernel.ts). */

/** A view: how world coordinates become homogeneous pixel coordinates, and what is seen so far. */
@unmanaged
export class View {
  /** Rows of the matrix from world coordinates to (x w, y w, w, n), f64 [4, 4]; a larger n is nearer. */
  rows: usize;
  width: i32;
  height: i32;
  /** Samples in a pixel: 1 or 5. */
  samples: i32;
  /** n of the nearest thing at each sample so far, f32 [height · samples, width]. */
  nearness: usize;
  /** The triangle that is seen there, i32, likewise; 0 when it is not stored. */
  seen: usize;
  /** The least w that is drawn; in a parallel view, the least depth. */
  near: f32;
  /** Change of n for the smallest step of polygonOffset. */
  offsetUnit: f32;
  /** 1 in an orthographic camera's view: there w is 1, n is −depth, and `near` is a depth. */
  isParallel: i32;
}

/** A part of a mesh in one material. */
@unmanaged
export class Draw {
  /** The matrix from object to world coordinates, f64 [4 columns, 4]. */
  world: usize;
  /** Another number than in the draw before when the vertices or `world` are others. */
  body: i32;
  mirrored: i32;
  /** Vertex attributes, f32 [vertexCount, 3]; all but the positions may be 0, for none. */
  positions: usize;
  normals: usize;
  /** [vertexCount, 2] */
  uvs: usize;
  /** [vertexCount, colorSize] */
  colors: usize;
  colorSize: i32;
  vertexCount: i32;
  /** Which vertices make up the triangles, u32; 0 when they follow each other. */
  index: usize;
  start: i32;
  end: i32;
  /** 1 draws positive areas on the screen only, −1 negative ones, 0 both; y points down. */
  side: i32;
  shading: i32;
  receivesShadow: i32;
  /** Whether it hides what is drawn later and is further away. */
  writesDepth: i32;
  hasFog: i32;
  classId: i32;
  instanceId: i32;
  r: f32;
  g: f32;
  b: f32;
  opacity: f32;
  emissiveR: f32;
  emissiveG: f32;
  emissiveB: f32;
  roughness: f32;
  metalness: f32;
  alphaTest: f32;
  offsetFactor: f32;
  offsetUnits: f32;
  /** 0 for none */
  map: Texture;
  /** A byte for each texel of the map's levels (HOLE, SOLID or MIXED, see ../texture.ts); 0 where it has no holes. */
  holes: usize;
  /** u and v of the mesh's uv: u = m0 s + m1 t + m2, v = m3 s + m4 t + m5. */
  m0: f32;
  m1: f32;
  m2: f32;
  m3: f32;
  m4: f32;
  m5: f32;
}

export const BASIC = 0;
export const STANDARD = 2;

@unmanaged
export class Texture {
  /** The mip levels' texels (addresses of f32 [height, width, 4]), widths, and heights, i32 [3, MOST_LEVELS]. */
  levels: usize;
  levelCount: i32;
  wrapS: i32;
  wrapT: i32;
  /** 1 or 0, as the others. */
  smoothNear: i32;
  smoothFar: i32;
  hasMips: i32;
  blendsMips: i32;
  flipY: i32;
  /** The largest number of readings along a pixel's longer direction. */
  anisotropy: f32;
}

/** Light from one far direction. */
@unmanaged
export class Sun {
  x: f32;
  y: f32;
  z: f32;
  r: f32;
  g: f32;
  b: f32;
  /** Its view of what casts shadows; 0 for none. There n is −depth. */
  shadow: View;
  bias: f32;
  normalBias: f32;
  intensity: f32;
  /** Texels between the comparisons. */
  step: i32;
}

/** The scene around the surfaces. */
@unmanaged
export class Surroundings {
  /** The camera's place. */
  eyeX: f32;
  eyeY: f32;
  eyeZ: f32;
  /** The ray through pixel coordinates (x, y), one metre along the camera's axis: right · x + down · y + corner. */
  rightX: f32;
  rightY: f32;
  rightZ: f32;
  downX: f32;
  downY: f32;
  downZ: f32;
  cornerX: f32;
  cornerY: f32;
  cornerZ: f32;
  /** 0 for no fog, 1 linear, 2 exponential. */
  fogKind: i32;
  fogR: f32;
  fogG: f32;
  fogB: f32;
  /** Linear fog's near and far; exponential fog's density, and 0. */
  fogFrom: f32;
  fogTo: f32;
  backgroundR: f32;
  backgroundG: f32;
  backgroundB: f32;
  /** Pictures all around and their intensities; 0 for none. */
  background: Texture;
  backgroundIntensity: f32;
  reflected: Texture;
  reflectedIntensity: f32;
  /** Light from no single direction, divided by π, as nine spherical harmonics, f32 [9, 3]. */
  harmonics: usize;
  suns: usize;
  sunCount: i32;
  /** 1 for an orthographic camera: a pixel shows what lies at eye + right · x + down · y + corner + forward · depth. */
  isParallel: i32;
  forwardX: f32;
  forwardY: f32;
  forwardZ: f32;
}

/** A vertex in a view: homogeneous pixel coordinates, pixel coordinates, n. */
@unmanaged
export class Vertex {
  xw: f64;
  yw: f64;
  w: f64;
  x: f64;
  y: f64;
  n: f64;
}
