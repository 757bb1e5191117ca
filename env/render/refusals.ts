/** What would be drawn otherwise than three.js does is refused by name: an error is better than a wrong picture. */
import * as THREE from 'three';
import { shown } from '../../protocol/errors.ts';

/** @throws {TypeError} always: `<kind> "<name>": expected <rule>, got <value>` */
export function refuse(kind: string, named: Named, expected: string, got: unknown): never {
  throw new TypeError(`${placeOf(kind, named)}: expected ${expected}, got ${String(got)}`);
}

interface Named {
  readonly name: string;
  readonly type?: unknown;
  readonly id?: number;
}

/** An error names a thing without a name by its kind and number. */
function placeOf(kind: string, { name, type, id }: Named): string {
  if (name !== '' || id === undefined) return `${kind} "${name}"`;
  return `${kind} "" (${typeof type === 'string' ? `${type}, ` : ''}id ${id})`;
}

/** The name of one of three.js's numbered constants, such as AdditiveBlending. */
function constantName(ending: string, value: number): string {
  const constants: Record<string, unknown> = { ...THREE };
  return Object.keys(constants).find((key) => key.endsWith(ending) && constants[key] === value) ?? String(value);
}

/** Callbacks with which a program changes what three.js draws; they do nothing by default. */
const CALLBACKS = ['onBeforeRender', 'onAfterRender', 'onBeforeShadow', 'onAfterShadow'] as const;

/** three.js marks its kinds of objects with flags, which are faster to read than `instanceof`. */
type Marked = Partial<
  Record<
    'isBatchedMesh' | 'isSkinnedMesh' | 'isClippingGroup' | 'isLine' | 'isPoints' | 'isSprite' | 'isInstancedMesh',
    boolean
  >
>;

/** @throws {TypeError} when a visible object is of a kind that is not drawn */
export function checkObject(object: THREE.Object3D): void {
  const { isLine, isPoints, isSprite, isClippingGroup } = object as Marked;
  if (isLine || isPoints || isSprite || isClippingGroup) {
    refuse('object', object, 'Mesh or InstancedMesh', object.type);
  }
}

/** @throws {TypeError} when a mesh has what is not drawn */
export function checkMesh(mesh: THREE.Mesh): void {
  const { isBatchedMesh, isSkinnedMesh, isInstancedMesh } = mesh as Marked;
  const { geometry } = mesh;
  if (isBatchedMesh) refuse('object', mesh, 'Mesh or InstancedMesh', 'BatchedMesh');
  if (isSkinnedMesh) refuse('object', mesh, 'a rigid mesh', 'one with bones');
  for (const name in geometry.morphAttributes) {
    if (geometry.morphAttributes[name as 'position']?.length) {
      refuse('object', mesh, 'a rigid mesh', `one with morph targets (${name})`);
    }
  }
  if ((geometry as Partial<THREE.InstancedBufferGeometry>).isInstancedBufferGeometry) {
    refuse('object', mesh, 'an InstancedMesh for instances', geometry.type);
  }
  if (geometry.indirect) refuse('object', mesh, 'a geometry without `indirect`', 'one with it');
  for (const name of CALLBACKS) {
    if (mesh[name] !== THREE.Object3D.prototype[name]) refuse('object', mesh, `no ${name}`, 'one');
  }
  if (mesh.castShadow && mesh.customDepthMaterial) refuse('object', mesh, 'no customDepthMaterial', 'one');
  if (isInstancedMesh) checkInstances(mesh as THREE.InstancedMesh);
  else if (mesh.userData['instanceIds'] !== undefined)
    refuse('object', mesh, 'an InstancedMesh for instanceIds', mesh.type);
}

function checkInstances(mesh: THREE.InstancedMesh): void {
  const { instanceMatrix, instanceColor, count } = mesh;
  if (mesh.morphTexture !== null) refuse('object', mesh, 'a rigid mesh', 'one with a morphTexture');
  for (const [name, attribute, size] of [
    ['instanceMatrix', instanceMatrix, 16],
    ['instanceColor', instanceColor, 3],
  ] as const) {
    if (attribute === null) continue;
    if (!(attribute.array instanceof Float32Array) || attribute.itemSize !== size) {
      const got = `${attribute.itemSize} in a ${attribute.array.constructor.name}`;
      refuse('object', mesh, `${name} of ${size} numbers in a Float32Array`, got);
    }
    if (attribute.meshPerAttribute !== 1) {
      refuse('object', mesh, `${name} with meshPerAttribute 1`, attribute.meshPerAttribute);
    }
    if (attribute.count < count) refuse('object', mesh, `${name} for each of ${count} instances`, attribute.count);
  }
  const ids = mesh.userData['instanceIds'] as ArrayLike<number> | undefined;
  if (ids !== undefined && !(ids.length >= count)) {
    refuse('object', mesh, `userData.instanceIds for each of ${count} instances`, ids.length);
  }
}

/** @throws {TypeError} when a geometry's attribute can't be read, vertex by vertex */
export function checkAttribute(geometry: THREE.BufferGeometry, name: string, size: number): void {
  const attribute = geometry.attributes[name] as Partial<THREE.GLBufferAttribute> & {
    readonly itemSize: number;
    readonly count: number;
    readonly isInstancedBufferAttribute?: boolean;
    readonly data?: { readonly isInstancedInterleavedBuffer?: boolean };
  };
  if (attribute.isGLBufferAttribute) refuse('geometry', geometry, `${name} an array`, 'a GLBufferAttribute');
  if (attribute.isInstancedBufferAttribute || attribute.data?.isInstancedInterleavedBuffer) {
    refuse('geometry', geometry, `${name} for each vertex`, 'one for each instance');
  }
  if (attribute.itemSize !== size) refuse('geometry', geometry, `${name} of ${size} numbers`, attribute.itemSize);
  const { count } = geometry.attributes['position']!;
  if (attribute.count < count) refuse('geometry', geometry, `${name} for each of ${count} vertices`, attribute.count);
}

/** @throws {TypeError} when an index names a vertex that is not there */
export function checkIndex(geometry: THREE.BufferGeometry, { array, count }: THREE.BufferAttribute): void {
  const vertices = geometry.attributes['position']!.count;
  for (let i = 0; i < count; i++) {
    const vertex = array[i]!;
    if (!(vertex >= 0 && vertex < vertices)) {
      refuse('geometry', geometry, `indices from 0 to ${vertices - 1}, its last vertex`, vertex);
    }
  }
}

/** The largest ids that a frame can hold. */
const LARGEST_ID = { classId: 255, backgroundClassId: 255, instanceId: 65535, instanceIds: 65535 };

/**
 * An id of something, or what stands in its place where it has none.
 *
 * @throws {RangeError} when a frame has no room for it
 */
export function idOf(kind: string, named: Named, key: keyof typeof LARGEST_ID, value: unknown, absent: number): number {
  if (value === undefined) return absent;
  const largest = LARGEST_ID[key];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largest) return value;
  throw new RangeError(
    `${placeOf(kind, named)}: expected userData.${key} a whole number from 0 to ${largest}, got ${shown(value)}`,
  );
}

/** Maps that would change the picture. */
const MAPS = [
  'alphaMap',
  'aoMap',
  'bumpMap',
  'displacementMap',
  'emissiveMap',
  'envMap',
  'lightMap',
  'metalnessMap',
  'normalMap',
  'roughnessMap',
  'specularMap',
] as const;

type Drawn = THREE.MeshBasicMaterial | THREE.MeshLambertMaterial | THREE.MeshStandardMaterial;

/** @throws {TypeError} when a material asks for what is not drawn */
export function checkMaterial(material: Drawn): void {
  const { blending, clippingPlanes } = material;
  if (!material.depthTest) refuseState(material, 'depthTest', true);
  if (!material.colorWrite) refuseState(material, 'colorWrite', true);
  if (material.alphaHash) refuseState(material, 'alphaHash', false);
  if (material.alphaToCoverage) refuseState(material, 'alphaToCoverage', false);
  if (material.stencilWrite) refuseState(material, 'stencilWrite', false);
  if (material.premultipliedAlpha) refuseState(material, 'premultipliedAlpha', false);
  if (material.dithering) refuseState(material, 'dithering', false);
  if (material.wireframe) refuseState(material, 'wireframe', false);
  if (material.depthFunc !== THREE.LessEqualDepth) {
    refuse('material', material, 'depthFunc LessEqualDepth', constantName('Depth', material.depthFunc));
  }
  if (blending !== THREE.NormalBlending && (material.transparent || blending !== THREE.NoBlending)) {
    refuse('material', material, 'NormalBlending', constantName('Blending', blending));
  }
  if (clippingPlanes !== null && clippingPlanes.length > 0) {
    refuse('material', material, 'no clippingPlanes', clippingPlanes.length);
  }
  checkShader(material);
}

function refuseState(material: Drawn, key: keyof Drawn, expected: boolean): never {
  refuse('material', material, `${key} ${expected}`, !expected);
}

function checkShader(material: Drawn): void {
  for (const name of MAPS) {
    if ((material as Partial<Record<typeof name, THREE.Texture | null>>)[name]) {
      refuse('material', material, `no ${name}`, 'one');
    }
  }
  for (const name of ['onBeforeCompile', 'onBeforeRender']) {
    if (Reflect.get(material, name) !== Reflect.get(THREE.Material.prototype, name)) {
      refuse('material', material, `no ${name}`, 'one');
    }
  }
}

/** @throws {TypeError} when the kernel would not read a texture's texels as three.js does */
export function checkTexture(texture: THREE.Texture): void {
  const { colorSpace, image } = texture;
  for (const kind of ['isData3DTexture', 'isDataArrayTexture', 'isCompressedTexture', 'isCubeTexture']) {
    if (Reflect.get(texture, kind) === true) refuse('texture', texture, 'a DataTexture', kind.slice(2));
  }
  if (texture.mipmaps.length > 0) refuse('texture', texture, 'no mipmaps of its own', texture.mipmaps.length);
  if (texture.premultiplyAlpha) refuse('texture', texture, 'premultiplyAlpha false', true);
  if (texture.internalFormat !== null) refuse('texture', texture, 'no internalFormat', texture.internalFormat);
  const isLinear = colorSpace === THREE.NoColorSpace || colorSpace === THREE.LinearSRGBColorSpace;
  if (!isLinear && colorSpace !== THREE.SRGBColorSpace) {
    refuse('texture', texture, 'colorSpace "", "srgb" or "srgb-linear"', `"${colorSpace}"`);
  }
  if (!isLinear && (image as { data?: unknown } | null)?.data instanceof Float32Array) {
    refuse('texture', texture, 'colorSpace "" or "srgb-linear" for floats', `"${colorSpace}"`);
  }
}

/** @throws {TypeError} when a material's map is not laid out over its mesh's uv */
export function checkMap(texture: THREE.Texture): void {
  if (texture.mapping !== THREE.UVMapping) {
    refuse('texture', texture, 'UVMapping for a map', constantName('Mapping', texture.mapping));
  }
  if (texture.channel !== 0) refuse('texture', texture, 'channel 0', texture.channel);
}

/** @throws {TypeError} when a scene has what is not drawn, or a camera's background or light can't be looked up */
export function checkScene(scene: THREE.Scene, camera: THREE.Camera): void {
  const { background, environment, fog } = scene;
  if (scene.overrideMaterial !== null) refuse('scene', scene, 'no overrideMaterial', scene.overrideMaterial.type);
  for (const name of ['onBeforeRender', 'onAfterRender'] as const) {
    if (scene[name] !== THREE.Object3D.prototype[name]) refuse('scene', scene, `no ${name}`, 'one');
  }
  if (environment !== null) {
    checkAllRound(scene, 'environment', environment);
    checkTurn(scene, 'environmentRotation');
  }
  if (background !== null && !(background instanceof THREE.Color)) {
    checkAllRound(scene, 'background', background);
    checkTurn(scene, 'backgroundRotation');
    if (scene.backgroundBlurriness !== 0) {
      refuse('scene', scene, 'backgroundBlurriness 0', scene.backgroundBlurriness);
    }
    if (isOrthographic(camera)) refuse('scene', scene, 'a Color as background of an OrthographicCamera', 'a texture');
  }
  if (fog === null || fog instanceof THREE.FogExp2) return;
  if (!(fog instanceof THREE.Fog)) refuse('scene', scene, 'fog a Fog or FogExp2', typeof fog);
  if (!(fog.near < fog.far)) refuse('scene', scene, 'fog.near below fog.far', `${fog.near} and ${fog.far}`);
}

function checkAllRound(scene: THREE.Scene, name: string, texture: THREE.Texture): void {
  if (texture.mapping === THREE.EquirectangularReflectionMapping) return;
  const got = constantName('Mapping', texture.mapping);
  refuse('scene', scene, `${name} a texture with EquirectangularReflectionMapping`, got);
}

function checkTurn(scene: THREE.Scene, name: 'environmentRotation' | 'backgroundRotation'): void {
  const { x, y, z } = scene[name];
  if (x !== 0 || y !== 0 || z !== 0) refuse('scene', scene, `${name} 0, 0, 0`, `${x}, ${y}, ${z}`);
}

export function isOrthographic(camera: THREE.Camera): camera is THREE.OrthographicCamera {
  return (camera as Partial<THREE.OrthographicCamera>).isOrthographicCamera === true;
}

/** Rounding errors of near and far in a projection matrix are smaller. */
const ROUNDING = 1e-6;

/** @throws {TypeError} when a camera is neither a PerspectiveCamera nor an OrthographicCamera as three.js makes them */
export function checkCamera(
  camera: THREE.Camera,
): asserts camera is THREE.PerspectiveCamera | THREE.OrthographicCamera {
  const isPerspective = (camera as Partial<THREE.PerspectiveCamera>).isPerspectiveCamera === true;
  const isArray = (camera as Partial<THREE.ArrayCamera>).isArrayCamera === true;
  if (isArray || !(isPerspective || isOrthographic(camera))) {
    refuse('camera', camera, 'a PerspectiveCamera or OrthographicCamera', isArray ? 'ArrayCamera' : camera.type);
  }
  const { near, far } = camera as THREE.PerspectiveCamera | THREE.OrthographicCamera;
  if (!(near < far) || (isPerspective && !(near > 0))) {
    refuse('camera', camera, `near${isPerspective ? ' above 0,' : ''} below far`, `${near} and ${far}`);
  }
  const p = camera.projectionMatrix.elements;
  const isOwn = isPerspective ? p[11] === -1 && p[15] === 0 : p[11] === 0 && p[15] === 1;
  const rest = isPerspective ? [1, 2, 3, 4, 6, 7, 12, 13] : [1, 2, 3, 4, 6, 7, 8, 9];
  if (!isOwn || rest.some((i) => p[i] !== 0)) {
    refuse('camera', camera, 'a projectionMatrix from updateProjectionMatrix', 'another');
  }
  if (camera.coordinateSystem !== THREE.WebGLCoordinateSystem || camera.reversedDepth || far === Infinity) return;
  // The matrix has a = p[10] and b = p[14]: a depth d becomes a (a d − b) / d, or −a d + b without perspective; ±1 is near and far.
  const [a, b] = [p[10], p[14]];
  const [nearest, furthest] = isPerspective ? [b / (a - 1), b / (a + 1)] : [(1 + b) / a, (b - 1) / a];
  const errors = isPerspective
    ? [nearest / near - 1, near * (1 / furthest - 1 / far)]
    : [(nearest - near) / (far - near), (furthest - far) / (far - near)];
  if (errors.every((error) => Math.abs(error) < ROUNDING)) return;
  const expected = `near ${near} and far ${far} in its projectionMatrix (call updateProjectionMatrix)`;
  refuse('camera', camera, expected, `${Number(nearest.toPrecision(6))} and ${Number(furthest.toPrecision(6))}`);
}

/** @throws {TypeError} when a light's shadow is not cast as three.js casts it */
export function checkShadow(light: THREE.DirectionalLight): void {
  const { camera, mapSize, radius, autoUpdate } = light.shadow;
  if (!isOrthographic(camera)) refuse('light', light, 'an OrthographicCamera for its shadow', 'another');
  if (!autoUpdate) refuse('light', light, 'shadow.autoUpdate true', autoUpdate);
  if (!(Number.isInteger(mapSize.x) && Number.isInteger(mapSize.y) && mapSize.x > 0 && mapSize.y > 0)) {
    refuse('light', light, 'a shadow.mapSize of whole numbers from 1', `${mapSize.x} × ${mapSize.y}`);
  }
  if (!(Number.isInteger(radius) && radius > 0)) {
    refuse('light', light, 'shadow.radius a whole number from 1', radius);
  }
}
