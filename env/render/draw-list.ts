import * as THREE from 'three';
import { CLASS_ID, VOID } from '../streets/classes.ts';
import { checkMesh, checkObject, idOf } from './refusals.ts';
import { type Surface, Surfaces } from './surface.ts';

/** A mesh, or one instance of an instanced mesh: what its draws share. */
export class Body {
  geometry!: THREE.BufferGeometry;
  /** The matrix from object to world coordinates: three.js's 16 elements, column by column. */
  readonly world = new Float64Array(16);
  /** The object's matrix mirrors it, so that clockwise triangles face the viewer. */
  mirrored = false;
  /** The instance's own colour. */
  readonly tint = new Float64Array(3);
  instanceId = 0;
  /** The renderOrder of the nearest Group above it, which counts before its own. */
  groupOrder = 0;
  renderOrder = 0;
  castShadow = false;
  receiveShadow = false;
  /** Its bounding sphere touches the camera's frustum. */
  inView = false;
  /** The bounding sphere: centre in world coordinates, radius. */
  x = 0.5;
  y = 0.5;
  z = 0.5;
  radius = 0.5;
  /** Distance of the centre along the camera's axis, m: transparent things are sorted by it. */
  distance = 0.5;
}

/** One geometry group of a body with one material: it is drawn in one call. */
export class Draw {
  body!: Body;
  surface!: Surface;
  classId = VOID;
  /** Which part of the index (or of the vertices) to draw. */
  start = 0;
  end = 0;
}

const sphere = new THREE.Sphere();
const instanceMatrix = new THREE.Matrix4();
const white = new THREE.Color(1, 1, 1);
const tint = new THREE.Color();

/** three.js marks its kinds of objects with flags, which are faster to read than `instanceof`. */
type Kinds = Partial<Record<'isMesh' | 'isLight' | 'isGroup' | 'isLOD', boolean>>;

/** The class of a scene's background. */
export function backgroundClassOf(scene: THREE.Scene): number {
  return idOf('scene', scene, 'backgroundClassId', scene.userData['backgroundClassId'], CLASS_ID.sky);
}

/** Walks a scene and lists what there is to draw, and the lights. Its records are reused from frame to frame. */
export class DrawList {
  /** What to draw, in the scene's order: the first `count` are this frame's. */
  readonly draws: Draw[] = [];
  count = 0;
  /** Positions in `draws` of what is in view, in the order of drawing. */
  readonly opaque: number[] = [];
  readonly transparent: number[] = [];
  /** Whether all that is opaque and in view writes its depth: then holes may be drawn after what has none. */
  holesLast = true;
  readonly lights: THREE.Light[] = [];
  private readonly bodies: Body[] = [];
  private bodyCount = 0;
  private readonly frustum = new THREE.Frustum();
  private readonly viewProjection = new THREE.Matrix4();
  private camera!: THREE.Camera;
  private readonly surfaces = new Surfaces();

  /** Lists what is visible, casts a shadow or gives light. The matrices of scene and camera must be up to date. */
  gather(scene: THREE.Scene, camera: THREE.Camera): void {
    this.surfaces.clear();
    this.count = this.bodyCount = 0;
    this.lights.length = 0;
    this.camera = camera;
    this.viewProjection.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);
    this.frustum.setFromProjectionMatrix(this.viewProjection);
    this.visit(scene, VOID, 0, 0);
    this.sort();
  }

  private sort(): void {
    const { opaque, transparent, draws, count } = this;
    opaque.length = transparent.length = 0;
    for (let i = 0; i < count; i++) {
      const { body, surface } = draws[i]!;
      if (body.inView) (surface.transparent ? transparent : opaque).push(i);
    }
    // In the scene's order, except for renderOrder. The order matters only where surfaces coincide: there the last one
    // stays. So surfaces with holes come last, since the depth test is cheaper than the texture reads that it may save.
    // The order matters, too, where a surface does not write its depth.
    const holesLast = (this.holesLast = opaque.every((i) => draws[i]!.surface.depthWrite));
    opaque.sort((i, j) => {
      const a = draws[i]!;
      const b = draws[j]!;
      const byHoles = holesLast ? +(a.surface.alphaTest > 0) - +(b.surface.alphaTest > 0) : 0;
      return byOrder(a.body, b.body) || byHoles;
    });
    // Back to front, by renderOrder and then by the bounding spheres' centres.
    transparent.sort((i, j) => {
      const a = draws[i]!.body;
      const b = draws[j]!.body;
      return byOrder(a, b) || b.distance - a.distance;
    });
  }

  private visit(
    object: THREE.Object3D,
    inheritedClass: number,
    inheritedInstance: number,
    inheritedOrder: number,
  ): void {
    if (!object.visible) return;
    const { userData, children } = object;
    const classId = idOf('object', object, 'classId', userData['classId'], inheritedClass);
    const instanceId = idOf('object', object, 'instanceId', userData['instanceId'], inheritedInstance);
    let groupOrder = inheritedOrder;
    if (object.layers.test(this.camera.layers)) {
      const kinds = object as Kinds;
      if (kinds.isMesh) this.addMesh(object as THREE.Mesh, classId, instanceId, groupOrder);
      else if (kinds.isLight) this.lights.push(object as THREE.Light);
      else checkObject(object);
      if (kinds.isGroup) groupOrder = object.renderOrder;
      if (kinds.isLOD) this.chooseLevel(object as THREE.LOD);
    }
    for (let i = 0; i < children.length; i++) this.visit(children[i]!, classId, instanceId, groupOrder);
  }

  private chooseLevel(object: THREE.LOD): void {
    if (object.autoUpdate) object.update(this.camera); // Shows one level and hides the others.
  }

  private addMesh(mesh: THREE.Mesh, classId: number, instanceId: number, groupOrder: number): void {
    const { geometry } = mesh;
    checkMesh(mesh);
    if (geometry.attributes['position'] === undefined) return;
    if (geometry.boundingSphere === null) geometry.computeBoundingSphere();
    if (!(mesh as Partial<THREE.InstancedMesh>).isInstancedMesh) {
      this.addBody(mesh, mesh.matrixWorld, white, classId, instanceId, groupOrder);
      return;
    }
    const instances = mesh as THREE.InstancedMesh;
    const ids = mesh.userData['instanceIds'] as ArrayLike<unknown> | undefined;
    const hasColors = instances.instanceColor !== null;
    for (let i = 0; i < instances.count; i++) {
      instances.getMatrixAt(i, instanceMatrix);
      instanceMatrix.premultiply(mesh.matrixWorld);
      if (hasColors) instances.getColorAt(i, tint);
      const id = idOf('object', mesh, 'instanceIds', ids?.[i], instanceId);
      this.addBody(mesh, instanceMatrix, hasColors ? tint : white, classId, id, groupOrder);
    }
  }

  private addBody(
    mesh: THREE.Mesh,
    matrix: THREE.Matrix4,
    color: THREE.Color,
    classId: number,
    instanceId: number,
    groupOrder: number,
  ): void {
    sphere.copy(mesh.geometry.boundingSphere!).applyMatrix4(matrix);
    const inView = !mesh.frustumCulled || this.frustum.intersectsSphere(sphere);
    if (!inView && !mesh.castShadow) return;
    const body = (this.bodies[this.bodyCount++] ??= new Body());
    const { material, geometry } = mesh;
    if (!Array.isArray(material)) this.addDraw(body, material, geometry, 0, Infinity, classId);
    else {
      for (const { start, count, materialIndex } of geometry.groups) {
        this.addDraw(body, material[materialIndex ?? 0], geometry, start, start + count, classId);
      }
    }
    const { x, y, z } = sphere.center;
    const view = this.camera.matrixWorldInverse.elements;
    body.inView = inView;
    body.x = x;
    body.y = y;
    body.z = z;
    body.radius = sphere.radius;
    body.distance = -(view[2] * x + view[6] * y + view[10] * z + view[14]);
    body.instanceId = instanceId;
    body.groupOrder = groupOrder;
    fill(body, mesh, matrix, color);
  }

  /** Lists one part of a geometry, unless there is nothing to see. */
  private addDraw(
    body: Body,
    material: THREE.Material | undefined,
    { index, attributes, drawRange }: THREE.BufferGeometry,
    from: number,
    to: number,
    classId: number,
  ): void {
    const total = index?.count ?? attributes['position']!.count;
    const start = Math.max(from, drawRange.start);
    const end = Math.min(to, total, drawRange.start + drawRange.count);
    if (!material?.visible || start >= end) return;
    const draw = (this.draws[this.count++] ??= new Draw());
    const surface = this.surfaces.of(material);
    draw.body = body;
    draw.surface = surface;
    draw.start = start;
    draw.end = end;
    draw.classId = surface.classId >= 0 ? surface.classId : classId;
  }
}

interface Ordered {
  readonly groupOrder: number;
  readonly renderOrder: number;
}

/** Compares by the renderOrder of groups, then by their own. */
export function byOrder(a: Ordered, b: Ordered): number {
  return a.groupOrder - b.groupOrder || a.renderOrder - b.renderOrder;
}

function fill(body: Body, mesh: THREE.Mesh, matrix: THREE.Matrix4, color: THREE.Color): void {
  body.geometry = mesh.geometry;
  const { elements } = matrix;
  for (let i = 0; i < 16; i++) body.world[i] = elements[i]!; // TypedArray.set is slow on plain arrays.
  body.mirrored = matrix.determinant() < 0;
  body.tint[0] = color.r;
  body.tint[1] = color.g;
  body.tint[2] = color.b;
  body.renderOrder = mesh.renderOrder;
  body.castShadow = mesh.castShadow;
  body.receiveShadow = mesh.receiveShadow;
}
