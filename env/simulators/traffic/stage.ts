import * as THREE from 'three';
import { View } from './camera/view.ts';
import { Vertices, type Placement } from './meshes/vertices.ts';
import { Atmosphere } from './sky/atmosphere.ts';

export interface SurfaceOptions {
  readonly classId: number;
  /** Whether it throws shadows, and whether shadows fall on it; true if left out. */
  readonly casts?: boolean;
  readonly receives?: boolean;
}

/** Says what a material's surfaces are labelled as and how they take part in shadows; returns the material. */
export function labelled<M extends THREE.Material>(material: M, options: SurfaceOptions): M {
  material.userData = options;
  return material;
}

/** All surfaces of one material. */
interface Batch {
  readonly mesh: THREE.Mesh;
  readonly vertices: Vertices;
}

/**
 * Where scenes are set up one after the other: what a scene is made of is kept and used again for the next.
 *
 * Everything of one material is one mesh in world coordinates, so that a street is some dozens of meshes. Countable
 * objects are meshes of their own.
 */
export class Stage {
  readonly scene = new THREE.Scene();
  readonly camera = new THREE.PerspectiveCamera();
  readonly view = new View();
  readonly atmosphere = new Atmosphere();
  private readonly batches = new Map<THREE.Material, Batch>();
  /** In the order of their first use in this scene, on which coinciding surfaces depend. */
  private readonly used: Batch[] = [];
  private readonly meshes: THREE.Mesh[] = [];
  private meshCount = 0;
  private readonly paints: THREE.MeshStandardMaterial[] = [];
  private paintCount = 0;

  /** Takes everything out of the scene, its lights too. */
  begin(): void {
    this.scene.clear();
    for (const { vertices } of this.used) vertices.clear();
    this.used.length = this.meshCount = this.paintCount = 0;
  }

  /** Where surfaces of a material are put, in world coordinates; the material is one of {@link labelled}. */
  of(material: THREE.Material): Vertices {
    let batch = this.batches.get(material);
    if (batch === undefined) this.batches.set(material, (batch = newBatch(material)));
    if (batch.vertices.vertexCount === 0 && !this.used.includes(batch)) this.used.push(batch);
    return batch.vertices;
  }

  /** Puts a thing down: each of its parts in the material at the same position of the list. */
  place(parts: readonly Vertices[], materials: readonly THREE.Material[], placement: Placement): void {
    parts.forEach((part, i) => this.of(materials[i]!).place(part, placement));
  }

  /** A glossy material of this scene's own. */
  paint(): THREE.MeshStandardMaterial {
    return (this.paints[this.paintCount++] ??= new THREE.MeshStandardMaterial({ vertexColors: true }));
  }

  /** Adds a part as a mesh of its own, at `matrix`: for countable objects. */
  addMesh(
    part: Vertices,
    material: THREE.Material,
    matrix: THREE.Matrix4,
    { classId, instanceId }: { readonly classId: number; readonly instanceId: number },
  ): void {
    const mesh = (this.meshes[this.meshCount++] ??= newMesh());
    mesh.geometry = part.toGeometry();
    mesh.material = material;
    mesh.matrixWorld.copy(mesh.matrix.copy(matrix));
    mesh.castShadow = mesh.receiveShadow = true;
    mesh.userData['classId'] = classId;
    mesh.userData['instanceId'] = instanceId;
    this.scene.add(mesh);
  }

  /** Puts what was placed since `begin` into the scene. */
  finish(): void {
    for (const { mesh, vertices } of this.used) {
      mesh.geometry = vertices.toGeometry();
      this.scene.add(mesh);
    }
  }
}

function newBatch(material: THREE.Material): Batch {
  const { casts = true, receives = true } = material.userData as SurfaceOptions;
  const mesh = newMesh();
  mesh.material = material;
  mesh.castShadow = casts;
  mesh.receiveShadow = receives;
  mesh.frustumCulled = false;
  return { mesh, vertices: new Vertices() };
}

function newMesh(): THREE.Mesh {
  const mesh = new THREE.Mesh();
  mesh.matrixAutoUpdate = mesh.matrixWorldAutoUpdate = false;
  return mesh;
}
