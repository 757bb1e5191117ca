/** The second pass of a picture: what is seen at the centre of each pixel, as class, instance and depth. */
import * as THREE from 'three';
import type { Draw, DrawList } from '../draw-list.ts';
import type { Camera } from '../renderer.ts';
import type { Webgl } from './context.ts';

const VERTEX = `
  uniform mat3 mapTransform;
  varying vec2 place;
  varying float depth;
  void main() {
    place = (mapTransform * vec3(uv, 1.0)).xy;
    vec4 seen = modelViewMatrix * vec4(position, 1.0);
    depth = -seen.z;
    gl_Position = projectionMatrix * seen;
  }`;

const FRAGMENT = `
  uniform vec2 ids;
  uniform sampler2D map;
  uniform float opacity;
  uniform float alphaTest;
  varying vec2 place;
  varying float depth;
  void main() {
    #ifdef HOLES
      if (opacity * texture2D(map, place).a < alphaTest) discard;
    #endif
    gl_FragColor = vec4(ids, depth, 1.0);
  }`;

/** A material that draws numbers in place of colours. */
function labelMaterial(defines: Record<string, string>): THREE.ShaderMaterial {
  return new THREE.ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    defines,
    blending: THREE.NoBlending,
    uniforms: {
      ids: { value: new THREE.Vector2() },
      map: { value: null },
      mapTransform: { value: new THREE.Matrix3() },
      opacity: { value: 1 },
      alphaTest: { value: 0 },
    },
  });
}

const WHOLE = { start: 0, count: Infinity };

/** Draws class ids, instance ids and depth of a list's opaque surfaces, in the list's order. */
export class LabelPass {
  private readonly solid = labelMaterial({});
  private readonly holed = labelMaterial({ HOLES: '' });
  private readonly scene = new THREE.Scene();
  private readonly meshes: LabelMesh[] = [];

  constructor() {
    this.scene.matrixWorldAutoUpdate = false;
  }

  /**
   * Draws into a target of floats: class id, instance id, depth in metres, and 1; all four are 0 where nothing is seen.
   */
  draw({ three }: Webgl, { draws, opaque }: DrawList, camera: Camera, target: THREE.WebGLRenderTarget): void {
    let count = 0;
    for (const i of opaque) {
      const draw = draws[i]!;
      const { map, alphaTest, opacity } = draw.surface;
      if (map === null && opacity < alphaTest) continue; // The whole surface is a hole.
      const mesh = (this.meshes[count++] ??= new LabelMesh());
      mesh.show(draw, map !== null && alphaTest > 0 ? this.holed : this.solid);
    }
    this.scene.children = this.meshes.slice(0, count);
    three.setRenderTarget(target);
    three.setClearColor(0, 0);
    three.sortObjects = false;
    three.render(this.scene, camera);
  }
}

/** Shows one draw of the list. */
class LabelMesh extends THREE.Mesh<THREE.BufferGeometry, THREE.ShaderMaterial> {
  private shown!: Draw;

  constructor() {
    super();
    this.matrixAutoUpdate = this.matrixWorldAutoUpdate = false;
    this.frustumCulled = false;
    this.layers.enableAll();
  }

  show(draw: Draw, material: THREE.ShaderMaterial): void {
    this.shown = draw;
    this.geometry = draw.body.geometry;
    this.material = material;
    this.matrixWorld.fromArray(draw.body.world);
  }

  /** three.js calls it before it draws this mesh: the material, which many share, takes on what the surface asks for. */
  override onBeforeRender = () => {
    const { material, geometry, shown } = this;
    const { surface, body, classId, start, end } = shown;
    const { uniforms } = material;
    material.side = surface.side;
    material.depthWrite = surface.depthWrite;
    material.polygonOffset = surface.offsetFactor !== 0 || surface.offsetUnits !== 0;
    material.polygonOffsetFactor = surface.offsetFactor;
    material.polygonOffsetUnits = surface.offsetUnits;
    (uniforms['ids']!.value as THREE.Vector2).set(classId, body.instanceId);
    if (surface.map !== null && surface.alphaTest > 0) {
      if (surface.map.matrixAutoUpdate) surface.map.updateMatrix();
      uniforms['map']!.value = surface.map;
      uniforms['mapTransform']!.value = surface.map.matrix;
      uniforms['opacity']!.value = surface.opacity;
      uniforms['alphaTest']!.value = surface.alphaTest;
    }
    material.uniformsNeedUpdate = true;
    this.range = geometry.drawRange;
    geometry.drawRange = { start, count: end - start };
  };

  override onAfterRender = () => {
    this.geometry.drawRange = this.range;
  };

  /** The geometry's own range, while its part is drawn. */
  private range = WHOLE;
}
