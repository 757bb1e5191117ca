import * as THREE from 'three';
import { checkMaterial, idOf, refuse } from './refusals.ts';

/** How a surface reflects light: not at all, equally in all directions, or also like a mirror of some roughness. */
export type Shading = 'basic' | 'lambert' | 'standard';

type Supported = THREE.MeshBasicMaterial | THREE.MeshLambertMaterial | THREE.MeshStandardMaterial;

function shadingOf(material: THREE.Material): Shading {
  if (material.type === 'MeshBasicMaterial') return 'basic';
  if (material.type === 'MeshLambertMaterial') return 'lambert';
  if (material.type === 'MeshStandardMaterial') return 'standard';
  return refuse('material', material, 'a MeshBasic-, MeshLambert- or MeshStandardMaterial', material.type);
}

function isBasic(material: Supported): material is THREE.MeshBasicMaterial {
  return material.type === 'MeshBasicMaterial';
}

function isStandard(material: Supported): material is THREE.MeshStandardMaterial {
  return material.type === 'MeshStandardMaterial';
}

/** A three.js material as plain numbers. Colours are linear light. Records are reused for other materials. */
export class Surface {
  shading: Shading = 'basic';
  r = 0.5;
  g = 0.5;
  b = 0.5;
  opacity = 0.5;
  emissiveR = 0.5;
  emissiveG = 0.5;
  emissiveB = 0.5;
  roughness = 0.5;
  metalness = 0.5;
  alphaTest = 0.5;
  transparent = false;
  depthWrite = true;
  /** Both sides are drawn in two passes, as three.js draws transparent materials. */
  drawsBackFirst = false;
  vertexColors = false;
  flatShading = false;
  fog = true;
  side: THREE.Side = THREE.FrontSide;
  shadowSide: THREE.Side = THREE.BackSide;
  /** glPolygonOffset's factor and units; 0 when the material asks for none. */
  offsetFactor = 0.5;
  offsetUnits = 0.5;
  /** The class that overrides the object's; −1 when the material names none. */
  classId = -1;
  map: THREE.Texture | null = null;

  /**
   * Copies the present state of a material.
   *
   * @throws {TypeError} when the material is of another kind, or asks for what is not drawn
   * @throws {RangeError} when its class is none
   */
  read(material: Supported): void {
    this.shading = shadingOf(material);
    checkMaterial(material);
    this.r = material.color.r;
    this.g = material.color.g;
    this.b = material.color.b;
    this.opacity = material.opacity;
    this.alphaTest = material.alphaTest;
    this.transparent = material.transparent;
    this.depthWrite = material.depthWrite;
    this.drawsBackFirst = material.transparent && material.side === THREE.DoubleSide && !material.forceSinglePass;
    this.vertexColors = material.vertexColors;
    this.fog = material.fog;
    this.side = material.side;
    this.shadowSide = material.shadowSide ?? SHADOW_SIDE[material.side];
    this.offsetFactor = material.polygonOffset ? material.polygonOffsetFactor : 0;
    this.offsetUnits = material.polygonOffset ? material.polygonOffsetUnits : 0;
    if (material.userData['instanceId'] !== undefined) {
      refuse('material', material, 'userData.instanceId on an object', 'one on a material');
    }
    this.classId = idOf('material', material, 'classId', material.userData['classId'], -1);
    this.map = material.map;
    this.emissiveR = this.emissiveG = this.emissiveB = 0;
    this.flatShading = false;
    this.roughness = 1;
    this.metalness = 0;
    if (isBasic(material)) return;
    this.flatShading = material.flatShading;
    this.emissiveR = material.emissive.r * material.emissiveIntensity;
    this.emissiveG = material.emissive.g * material.emissiveIntensity;
    this.emissiveB = material.emissive.b * material.emissiveIntensity;
    if (!isStandard(material)) return;
    this.roughness = Math.min(1, Math.max(0.045, material.roughness)); // three.js's own floor.
    this.metalness = material.metalness;
  }
}

/** The surfaces of a frame's materials. The records are reused from frame to frame. */
export class Surfaces {
  private readonly records: Surface[] = [];
  private readonly known = new Map<THREE.Material, Surface>();

  /** Forgets all materials. */
  clear(): void {
    this.known.clear();
  }

  /** The same errors as {@link Surface.read}. */
  of(material: THREE.Material): Surface {
    const known = this.known.get(material);
    if (known !== undefined) return known;
    const surface = (this.records[this.known.size] ??= new Surface());
    surface.read(material as Supported);
    this.known.set(material, surface);
    return surface;
  }
}

/** three.js draws the far side of closed bodies into the shadow map, which keeps lit sides free of their own shadow. */
const SHADOW_SIDE: Record<THREE.Side, THREE.Side> = {
  [THREE.FrontSide]: THREE.BackSide,
  [THREE.BackSide]: THREE.FrontSide,
  [THREE.DoubleSide]: THREE.DoubleSide,
};
