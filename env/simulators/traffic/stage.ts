import * as THREE from 'three';
import { View } from './camera/view.ts';
import { Joined } from './meshes/joined.ts';
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
  readonly material: THREE.Material;
  readonly vertices: Vertices;
  readonly street: Street;
}

/** A mesh for all batches that cast and receive shadows alike, and of which all or none have holes. */
interface Street {
  readonly mesh: THREE.Mesh;
  readonly materials: THREE.Material[];
  readonly joined: Joined;
}

/**
 * Where scenes are built, one after the other: meshes, materials and memory of a scene are used again for the next.
 *
 * What stands in the street is a handful of meshes in world coordinates, with a group for each material, since every
 * mesh takes time of its own. Countable objects have their own meshes.
 */
export class Stage {
  readonly scene = new THREE.Scene();
  readonly camera = new THREE.PerspectiveCamera();
  readonly view = new View();
  readonly atmosphere = new Atmosphere();
  private readonly batches = new Map<THREE.Material, Batch>();
  private readonly streets = new Map<string, Street>();
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
    if (batch === undefined) this.batches.set(material, (batch = this.newBatch(material)));
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

  /**
   * Adds an object as its own mesh, at `matrix`: for countable objects.
   *
   * @param parts the same list for the same body, each part in the material at its position
   */
  addObject(
    parts: readonly Vertices[],
    materials: readonly THREE.Material[],
    matrix: THREE.Matrix4,
    { classId, instanceId }: { readonly classId: number; readonly instanceId: number },
  ): void {
    const mesh = (this.meshes[this.meshCount++] ??= newMesh());
    mesh.geometry = joinedParts(parts);
    mesh.material = [...materials];
    mesh.matrixWorld.copy(mesh.matrix.copy(matrix));
    mesh.castShadow = mesh.receiveShadow = true;
    mesh.userData['classId'] = classId;
    mesh.userData['instanceId'] = instanceId;
    this.scene.add(mesh);
  }

  /** Puts what was placed since `begin` into the scene. */
  finish(): void {
    const streets = new Set(this.used.map(({ street }) => street)); // In the order of their first use, too.
    for (const { joined, materials } of streets) {
      joined.clear();
      materials.length = 0;
    }
    for (const { material, vertices, street } of this.used) {
      street.joined.add(vertices, street.materials.push(material) - 1);
    }
    for (const { mesh, joined } of streets) {
      mesh.geometry = joined.toGeometry();
      this.scene.add(mesh);
    }
  }

  private newBatch(material: THREE.Material): Batch {
    const { casts = true, receives = true } = material.userData as SurfaceOptions;
    // What is transparent is sorted by its mesh.
    const key = material.transparent ? material.uuid : `${casts} ${receives} ${material.alphaTest > 0}`;
    let street = this.streets.get(key);
    if (street === undefined) this.streets.set(key, (street = newStreet(casts, receives)));
    return { material, vertices: new Vertices(), street };
  }
}

function newStreet(casts: boolean, receives: boolean): Street {
  const mesh = newMesh();
  const materials: THREE.Material[] = [];
  mesh.material = materials;
  mesh.castShadow = casts;
  mesh.receiveShadow = receives;
  mesh.frustumCulled = false;
  return { mesh, materials, joined: new Joined() };
}

const geometries = new WeakMap<readonly Vertices[], THREE.BufferGeometry>();

/** The parts of a body, each as the group that has its position; a body without some part has fewer groups. */
function joinedParts(parts: readonly Vertices[]): THREE.BufferGeometry {
  const known = geometries.get(parts);
  if (known !== undefined) return known;
  const joined = new Joined();
  parts.forEach((part, i) => joined.add(part, i));
  const geometry = joined.toGeometry();
  geometries.set(parts, geometry);
  return geometry;
}

function newMesh(): THREE.Mesh {
  const mesh = new THREE.Mesh();
  mesh.matrixAutoUpdate = mesh.matrixWorldAutoUpdate = false;
  return mesh;
}
