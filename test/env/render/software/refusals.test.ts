import assert from 'node:assert/strict';
import * as THREE from 'three';
import type { Camera } from '../../../../env/render/renderer.ts';
import { bytesTexture, drawingIn, sceneOf, square, straightCamera, unlit } from './pixel-scene.ts';

const draw = drawingIn({ width: 2, height: 2, antialias: false });

function refused(scene: THREE.Scene, message: RegExp, camera: Camera = straightCamera()): void {
  assert.throws(() => draw(scene, camera), message);
}

/** A scene with one square, changed by the caller. */
function withMesh(change: (mesh: THREE.Mesh, scene: THREE.Scene) => void): THREE.Scene {
  const mesh = square(9, 2, unlit(1, 1, 1));
  mesh.name = 'wall';
  const scene = sceneOf(mesh);
  change(mesh, scene);
  return scene;
}

function withMaterial(
  state: Record<string, unknown>,
  material: THREE.Material = new THREE.MeshStandardMaterial(),
): THREE.Scene {
  material.name = 'glass';
  Object.assign(material, state);
  return sceneOf(square(9, 2, material));
}

function withMap(state: Record<string, unknown>): THREE.Scene {
  const map = bytesTexture([[[1, 2, 3, 255]]]);
  map.name = 'bricks';
  return sceneOf(square(9, 2, new THREE.MeshBasicMaterial({ map: Object.assign(map, state) })));
}

function allRound(): THREE.DataTexture {
  const texture = bytesTexture([[[9, 9, 9, 255]]]);
  texture.mapping = THREE.EquirectangularReflectionMapping;
  return texture;
}

function withScene(state: Record<string, unknown>): THREE.Scene {
  return Object.assign(new THREE.Scene(), { name: 'town' }, state);
}

describe('SoftwareRenderer: what it refuses by name', () => {
  const orthographic = new THREE.OrthographicCamera();

  const materials: readonly [Record<string, unknown>, RegExp][] = [
    [{ depthTest: false }, /material "glass": expected depthTest true, got false/],
    [{ colorWrite: false }, /material "glass": expected colorWrite true, got false/],
    [{ alphaHash: true }, /expected alphaHash false, got true/],
    [{ alphaToCoverage: true }, /expected alphaToCoverage false, got true/],
    [{ stencilWrite: true }, /expected stencilWrite false, got true/],
    [{ premultipliedAlpha: true }, /expected premultipliedAlpha false, got true/],
    [{ dithering: true }, /expected dithering false, got true/],
    [{ wireframe: true }, /expected wireframe false, got true/],
    [{ depthFunc: THREE.AlwaysDepth }, /expected depthFunc LessEqualDepth, got AlwaysDepth/],
    [{ blending: THREE.AdditiveBlending }, /expected NormalBlending, got AdditiveBlending/],
    [{ blending: THREE.MultiplyBlending, transparent: true }, /expected NormalBlending, got MultiplyBlending/],
    [{ blending: THREE.NoBlending, transparent: true }, /expected NormalBlending, got NoBlending/],
    [{ clippingPlanes: [new THREE.Plane()] }, /expected no clippingPlanes, got 1/],
    [{ onBeforeCompile: () => {} }, /expected no onBeforeCompile, got one/],
    [{ onBeforeRender: () => {} }, /expected no onBeforeRender, got one/],
    ...[
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
    ].map((name): [Record<string, unknown>, RegExp] => [
      { [name]: new THREE.Texture() },
      new RegExp(`material "glass": expected no ${name}, got one`),
    ]),
    [{ userData: { instanceId: 5 } }, /material "glass": expected userData.instanceId on an object, got one on a mat/],
    [{ userData: { classId: 256n } }, /material "glass": expected userData.classId .* from 0 to 255, got 256/],
    [{ userData: { classId: 256 } }, /material "glass": expected userData.classId .* from 0 to 255, got 256/],
    [{ vertexColors: true }, /geometry "" .*: expected a color attribute for vertexColors, got none/],
  ];
  for (const [state, message] of materials) {
    it(`a material's ${Object.keys(state).join(' and ')}`, () => refused(withMaterial(state), message));
  }

  it("a matt material's specularMap", () => {
    refused(withMaterial({ specularMap: new THREE.Texture() }, new THREE.MeshLambertMaterial()), /no specularMap/);
  });

  it('a material without a name by its kind and number', () => {
    const material = new THREE.MeshBasicMaterial({ depthTest: false });
    refused(sceneOf(square(1, 1, material)), new RegExp(`material "" \\(MeshBasicMaterial, id ${material.id}\\)`));
  });

  it('a state that a material takes on after it was drawn', () => {
    const scene = withMaterial({});
    draw(scene, straightCamera());
    const { material } = scene.children[0] as THREE.Mesh<never, THREE.Material>;
    refused(withMaterial({ normalMap: new THREE.Texture() }, material), /expected no normalMap, got one/);
    refused(withMaterial({ normalMap: null, depthTest: false }, material), /expected depthTest true, got false/);
  });

  it('materials of other kinds', () => {
    for (const material of [
      new THREE.MeshPhongMaterial(),
      new THREE.MeshPhysicalMaterial(),
      new THREE.MeshToonMaterial(),
      new THREE.MeshNormalMaterial(),
      new THREE.MeshMatcapMaterial(),
      new THREE.MeshDepthMaterial(),
      new THREE.ShadowMaterial(),
      new THREE.ShaderMaterial(),
    ]) {
      refused(withMaterial({}, material), new RegExp(`expected a MeshBasic-, .* got ${material.type}`));
    }
  });

  it('objects that are neither meshes nor lights', () => {
    for (const object of [new THREE.Line(), new THREE.LineSegments(), new THREE.Points(), new THREE.Sprite()]) {
      object.name = 'cable';
      refused(sceneOf(object), new RegExp(`object "cable": expected Mesh or InstancedMesh, got ${object.type}`));
    }
    const clipping = Object.assign(new THREE.Group(), { isClippingGroup: true, type: 'ClippingGroup' });
    refused(sceneOf(clipping), /expected Mesh or InstancedMesh, got ClippingGroup/);
    const batched = new THREE.BatchedMesh(1, 8, 8, unlit(1, 1, 1));
    refused(sceneOf(batched), /expected Mesh or InstancedMesh, got BatchedMesh/);
    refused(
      sceneOf(new THREE.SkinnedMesh(new THREE.BoxGeometry(), unlit(1, 1, 1))),
      /a rigid mesh, got one with bones/,
    );
  });

  it('what changes a mesh on the graphics card or while it is drawn', () => {
    const attribute = new THREE.Float32BufferAttribute(12, 3);
    for (const name of ['position', 'normal', 'color'] as const) {
      refused(
        withMesh(({ geometry }) => (geometry.morphAttributes[name] = [attribute])),
        new RegExp(`object "wall": expected a rigid mesh, got one with morph targets \\(${name}\\)`),
      );
    }
    for (const name of ['onBeforeRender', 'onAfterRender', 'onBeforeShadow', 'onAfterShadow'] as const) {
      refused(
        withMesh((mesh) => (mesh[name] = () => {})),
        new RegExp(`object "wall": expected no ${name}, got one`),
      );
    }
    refused(
      withMesh((mesh) => {
        mesh.castShadow = true;
        mesh.customDepthMaterial = new THREE.MeshDepthMaterial();
      }),
      /expected no customDepthMaterial/,
    );
    refused(
      withMesh((mesh) => (mesh.geometry = new THREE.InstancedBufferGeometry().copy(mesh.geometry as never))),
      /expected an InstancedMesh for instances/,
    );
  });

  const ids: readonly [Record<string, unknown>, RegExp][] = [
    [{ classId: 256 }, /object "wall": expected userData.classId a whole number from 0 to 255, got 256/],
    [{ classId: -1 }, /classId .* got -1/],
    [{ classId: 1.5 }, /classId .* got 1.5/],
    [{ classId: Number.NaN }, /classId .* got NaN/],
    [{ classId: '13' }, /classId .* got "13"/],
    [{ classId: null }, /classId .* got null/],
    [{ instanceId: 65536 }, /object "wall": expected userData.instanceId a whole number from 0 to 65535, got 65536/],
    [{ instanceId: -1 }, /instanceId .* got -1/],
  ];
  for (const [userData, message] of ids) {
    it(`the id ${JSON.stringify(userData)}`, () => {
      refused(
        withMesh((mesh) => (mesh.userData = userData)),
        message,
      );
      const group = new THREE.Group();
      group.userData = userData;
      refused(sceneOf(group), new RegExp(message.source.replace('object "wall"', 'object ""[^:]*')));
    });
  }

  it('a class of the background beyond 255, and takes the largest ids', () => {
    refused(
      withMesh((_, scene) => (scene.userData['backgroundClassId'] = 300)),
      /scene "".*: expected userData.backgroundClassId a whole number from 0 to 255, got 300/,
    );
    const scene = withMesh((mesh) => (mesh.userData = { classId: 255, instanceId: 65535 }));
    const frame = draw(scene, straightCamera());
    assert.deepEqual([frame.classes[0], frame.instances[0]], [255, 65535]);
  });

  it('instances without ids, matrices or colours of their own', () => {
    const instances = (change: (mesh: THREE.InstancedMesh) => void) => {
      const mesh = new THREE.InstancedMesh(new THREE.BoxGeometry(), unlit(1, 1, 1), 2);
      mesh.name = 'cars';
      change(mesh);
      return sceneOf(mesh);
    };
    const withIds = (instanceIds: unknown) => instances((mesh) => (mesh.userData = { instanceIds }));
    refused(withIds([1, 65536]), /object "cars": expected userData.instanceIds .* to 65535, got 65536/);
    refused(withIds([1, -1]), /instanceIds .* got -1/);
    refused(withIds([1]), /expected userData.instanceIds for each of 2 instances, got 1/);
    refused(
      instances((mesh) => (mesh.count = 3)),
      /expected instanceMatrix for each of 3 instances, got 2/,
    );
    refused(
      instances((mesh) => (mesh.instanceColor = new THREE.InstancedBufferAttribute(new Uint8Array(6), 3, true))),
      /expected instanceColor of 3 numbers in a Float32Array, got 3 in a Uint8Array/,
    );
    refused(
      instances((mesh) => (mesh.morphTexture = bytesTexture([[[0, 0, 0, 0]]]))),
      /got one with a morphTexture/,
    );
  });

  it('geometry that does not hold together', () => {
    const withAttribute = (name: string, attribute: THREE.BufferAttribute) =>
      withMesh((mesh) => {
        mesh.material = new THREE.MeshLambertMaterial({ vertexColors: true });
        mesh.geometry.setAttribute('color', new THREE.Float32BufferAttribute(12, 3));
        mesh.geometry.setAttribute(name, attribute);
      });
    refused(withAttribute('normal', new THREE.Float32BufferAttribute(9, 3)), /normal for each of 4 vertices, got 3/);
    refused(withAttribute('uv', new THREE.Float32BufferAttribute(12, 3)), /expected uv of 2 numbers, got 3/);
    refused(withAttribute('color', new THREE.Float32BufferAttribute(8, 2)), /expected color of 3 numbers, got 2/);
    refused(
      withAttribute('color', new THREE.InstancedBufferAttribute(new Float32Array(12), 3)),
      /expected color for each vertex, got one for each instance/,
    );
    refused(
      withMesh(({ geometry }) => geometry.setIndex([0, 1, 4])),
      /geometry "" .*: expected indices from 0 to 3, its last vertex, got 4/,
    );
    refused(
      withMesh((mesh) => {
        mesh.material = new THREE.MeshBasicMaterial({ vertexColors: true, alphaTest: 0.5 });
        mesh.geometry.setAttribute('color', new THREE.Float32BufferAttribute(16, 4));
      }),
      /expected a color attribute of 3 numbers for alphaTest, got 4/,
    );
  });

  it('ids that nothing reads', () => {
    refused(
      withMesh((mesh) => (mesh.userData['instanceIds'] = [1])),
      /object "wall": expected an InstancedMesh for instanceIds, got Mesh/,
    );
    refused(
      withMesh((mesh) => (mesh.userData['instanceId'] = 7n)),
      /object "wall": expected userData.instanceId a whole number from 0 to 65535, got 7/,
    );
  });

  const maps: readonly [Record<string, unknown>, RegExp][] = [
    [{ channel: 1 }, /texture "bricks": expected channel 0, got 1/],
    [{ mapping: THREE.EquirectangularReflectionMapping }, /expected UVMapping for a map, got EquirectangularRefl/],
    [{ premultiplyAlpha: true }, /expected premultiplyAlpha false, got true/],
    [{ internalFormat: 'RGBA4' }, /expected no internalFormat, got RGBA4/],
    [{ colorSpace: 'display-p3' }, /expected colorSpace "", "srgb" or "srgb-linear", got "display-p3"/],
    [{ mipmaps: [{ data: new Uint8Array(4), width: 1, height: 1 }] }, /expected no mipmaps of its own, got 1/],
    [{ format: THREE.RedFormat }, /expected a DataTexture of RGBA/],
    [{ image: { data: new Uint16Array(4), width: 1, height: 1 } }, /expected a DataTexture of RGBA/],
    [{ type: THREE.FloatType }, /expected a DataTexture of RGBA bytes or floats, got Uint8Array, .* type 1015/],
    [{ image: { data: new Float32Array(4), width: 1, height: 1 } }, /or floats, got Float32Array, .* type 1009/],
    ...['isData3DTexture', 'isDataArrayTexture', 'isCompressedTexture'].map(
      (kind): [Record<string, unknown>, RegExp] => [
        { [kind]: true },
        new RegExp(`texture "bricks": expected a DataTexture, got ${kind.slice(2)}`),
      ],
    ),
    [
      { image: { data: new Float32Array(4), width: 1, height: 1 }, colorSpace: THREE.SRGBColorSpace },
      /expected colorSpace "" or "srgb-linear" for floats, got "srgb"/,
    ],
  ];
  for (const [state, message] of maps) {
    it(`a texture's ${Object.keys(state).join(' and ')}`, () => refused(withMap(state), message));
  }

  const scenes: readonly [Record<string, unknown>, RegExp][] = [
    [{ overrideMaterial: unlit(1, 1, 1) }, /scene "town": expected no overrideMaterial, got MeshBasicMaterial/],
    [{ onBeforeRender: () => {} }, /expected no onBeforeRender/],
    [{ background: bytesTexture([[[0, 0, 0, 0]]]) }, /background a texture with Equirect.*, got UVMapping/],
    [{ environment: new THREE.CubeTexture() }, /environment a texture with Equirect.*, got CubeReflectionMapping/],
    [
      { environment: allRound(), environmentRotation: new THREE.Euler(0, 1, 0) },
      /environmentRotation 0, 0, 0, got 0, 1/,
    ],
    [{ background: allRound(), backgroundRotation: new THREE.Euler(1, 0, 0) }, /backgroundRotation 0, 0, 0, got 1, 0/],
    [{ background: allRound(), backgroundBlurriness: 0.5 }, /expected backgroundBlurriness 0, got 0.5/],
    [{ fog: new THREE.Fog(0, 10, 10) }, /expected fog.near below fog.far, got 10 and 10/],
    [{ fog: { color: new THREE.Color() } }, /expected fog a Fog or FogExp2, got object/],
  ];
  for (const [state, message] of scenes) {
    it(`a scene's ${Object.keys(state).join(' and ')}`, () => refused(withScene(state), message));
  }

  it('lights of other kinds, and shadows that are cast in other ways', () => {
    for (const light of [
      new THREE.PointLight(),
      new THREE.SpotLight(),
      new THREE.RectAreaLight(),
      new THREE.LightProbe(),
    ]) {
      refused(sceneOf(light), new RegExp(`expected an AmbientLight, .* got ${light.type}`));
    }
    const withShadow = (state: object) => {
      const sun = new THREE.DirectionalLight();
      sun.name = 'sun';
      sun.castShadow = true;
      Object.assign(sun.shadow, state);
      return sceneOf(sun);
    };
    refused(withShadow({ autoUpdate: false }), /light "sun": expected shadow.autoUpdate true, got false/);
    refused(withShadow({ radius: 1.5 }), /shadow.radius a whole number from 1, got 1.5/);
    refused(withShadow({ mapSize: new THREE.Vector2(0, 9) }), /shadow.mapSize of whole numbers from 1, got 0 × 9/);
    refused(withShadow({ camera: straightCamera() }), /an OrthographicCamera for its shadow/);
  });

  it('cameras that three.js does not make so', () => {
    const scene = new THREE.Scene();
    refused(scene, /a PerspectiveCamera or OrthographicCamera, got Camera/, new THREE.Camera() as never);
    refused(scene, /a PerspectiveCamera or OrthographicCamera, got ArrayCamera/, new THREE.ArrayCamera([]));
    refused(scene, /near above 0, below far, got 0 and 9/, new THREE.PerspectiveCamera(90, 1, 0, 9));
    refused(scene, /near below far, got 9 and 1/, new THREE.OrthographicCamera(-1, 1, 1, -1, 9, 1));
    for (const camera of [straightCamera(), new THREE.OrthographicCamera(-1, 1, 1, -1, 0.1)]) {
      camera.name = 'front';
      camera.near = 0.2;
      refused(scene, /camera "front": expected near 0.2 .* \(call updateProjectionMatrix\), got 0.1/, camera);
      camera.updateProjectionMatrix();
      camera.far = 50;
      refused(scene, /camera "front": expected near 0.2 and far 50 in its projectionMatrix/, camera);
      camera.updateProjectionMatrix();
      draw(scene, camera);
      camera.projectionMatrix.elements[4] = 0.1;
      refused(scene, /expected a projectionMatrix from updateProjectionMatrix/, camera);
    }
    const town = withScene({ background: allRound() });
    refused(town, /scene "town": expected a Color as background of an OrthographicCamera/, orthographic);
  });

  it('nothing that is not seen', () => {
    const scene = withMesh((mesh) => {
      mesh.visible = false;
      mesh.onBeforeRender = () => {};
    });
    const line = new THREE.Line();
    line.layers.set(3);
    const glass = square(9, 2, unlit(1, 1, 1));
    Object.assign(glass.material, { visible: false, depthTest: false });
    scene.add(line, glass);
    assert.equal(draw(scene, straightCamera()).depth[0], Infinity);
  });
});
