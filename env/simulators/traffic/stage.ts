import * as THREE from 'three';
import { View } from './camera/view.ts';
import { Vertices, type Placement } from './meshes/vertices.ts';
import { Atmosphere } from './sky/atmosphere.ts';

export interface SurfaceOptions {
  readonly classId: number;
  /** Whether it casts shadows, and whether shadows fall on it; true if left out. */
  readonly casts?: boolean;
  readonly receives?: boolean;
}

/** Sets the class of a material's surfaces and whether they cast and receive shadows; returns the material. */
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
 * Where scenes are built, one after the other: meshes, materials and memory of a scene are used again for the next.
 *
 * All surfaces of one material are one mesh in world coordinates, so that a street is a few dozen meshes. Countable
 * objects have their own meshes.
 */
export class Stage {
  readonly scene = new THREE.Scene();
  readonly camera = new THREE.PerspectiveCamera();
  readonly view = new View();
  readonly atmosphere = new Atmosphere();
  private readonly batches = new Map<THREE.Material, Batch>();
  /** In the order of their first use in this scene, which decides between surfaces that coincide. */
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

  /** The vertices of a material's surfaces, in world coordinates. The material must come from {@link labelled}. */
  of(material: THREE.Material): Vertices {
    let batch = this.batches.get(material);
    if (batch === undefined) this.batches.set(material, (batch = newBatch(material)));
    if (batch.vertices.vertexCount === 0 && !this.used.includes(batch)) this.used.push(batch);
    return batch.vertices;
  }

  /** Places an object: each of its parts in the material at the same position of the list. */
  place(parts: readonly Vertices[], materials: readonly THREE.Material[], placement: Placement): void {
    parts.forEach((part, i) => this.of(materials[i]!).place(part, placement));
  }

  /** A glossy material for this scene only. */
  paint(): THREE.MeshStandardMaterial {
    return (this.paints[this.paintCount++] ??= new THREE.MeshStandardMaterial({ vertexColors: true }));
  }

  /** Adds a part as its own mesh, at `matrix`: for countable objects. */
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
