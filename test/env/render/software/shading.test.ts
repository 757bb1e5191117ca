import assert from 'node:assert/strict';
import * as THREE from 'three';
import { bytesTexture, colorAt, drawingIn, sceneOf, square, straightCamera, triangles, unlit } from './pixel-scene.ts';

const draw = drawingIn({ width: 4, height: 4 });

/** The colour of the picture's pixel (1, 1), or another. */
function look(scene: THREE.Scene, x = 1, y = 1): number[] {
  return colorAt(draw(scene, straightCamera()), x, y);
}

function close(actual: readonly number[], expected: readonly number[], tolerance = 2e-5): void {
  const right = actual.every((value, i) => Math.abs(value - expected[i]!) <= tolerance);
  assert.ok(right, `expected ${expected.join(' ')}, got ${actual.join(' ')}`);
}

function white(options: THREE.MeshLambertMaterialParameters = {}): THREE.MeshLambertMaterial {
  return new THREE.MeshLambertMaterial({ color: 0xffffff, ...options });
}

/** A directional light from (x, y, z) of intensity π: a surface that faces it shows its own colour. */
function sunFrom(x: number, y: number, z: number): THREE.DirectionalLight {
  const sun = new THREE.DirectionalLight(0xffffff, Math.PI);
  sun.position.set(x, y, z);
  return sun;
}

function surroundings(color: (row: number) => number, width = 16, height = 8): THREE.DataTexture {
  const data = Float32Array.from({ length: width * height * 4 }, (_, i) => color(Math.floor(i / 4 / width)));
  const texture = new THREE.DataTexture(data, width, height, THREE.RGBAFormat, THREE.FloatType);
  texture.mapping = THREE.EquirectangularReflectionMapping;
  texture.wrapS = THREE.RepeatWrapping;
  texture.needsUpdate = true;
  return texture;
}

describe('SoftwareRenderer: shading', () => {
  it("follows Lambert's law in linear light", () => {
    const material = white();
    material.color.setRGB(0.5, 0.25, 1);
    // The square's normal is (0, 0, 1); the light stands 60° from it.
    const scene = sceneOf(square(9, 2, material), sunFrom(0, Math.sqrt(3), 1));
    close(look(scene), [0.25, 0.125, 0.5]);
  });

  it("takes a light's direction from its position to its target", () => {
    const sun = sunFrom(5, 0, 1);
    sun.target.position.set(5, -Math.sqrt(3), 0);
    close(look(sceneOf(square(9, 2, white()), sun, sun.target)), [0.5, 0.5, 0.5]);
  });

  it("gives a side that is turned away only ambient light, and adds the material's emission", () => {
    const material = white({ emissive: 0xffffff, emissiveIntensity: 0.125 });
    const scene = sceneOf(square(9, 2, material), sunFrom(0, 0, -1), new THREE.AmbientLight(0xffffff, Math.PI / 4));
    close(look(scene), [0.375, 0.375, 0.375]);
  });

  it('lights by a hemisphere according to the normal', () => {
    const light = new THREE.HemisphereLight(0xffffff, 0x000000, Math.PI);
    const wall = square(9, 2, white());
    close(look(sceneOf(wall, light)), [0.5, 0.5, 0.5]); // Across: half sky, half ground.
    wall.rotation.x = -Math.PI / 4; // Turned up by 45°.
    close(look(sceneOf(wall, light)), Array<number>(3).fill(0.5 + 0.5 * Math.SQRT1_2));
  });

  it('turns the normal of a back side towards the viewer', () => {
    const wall = square(9, 2, white({ side: THREE.DoubleSide }));
    wall.rotation.y = Math.PI;
    close(look(sceneOf(wall, sunFrom(0, 0, 1))), [1, 1, 1]);
  });

  it('interpolates normals over a smooth surface, and not over a flat-shaded one', () => {
    const geometry = new THREE.PlaneGeometry(40, 40);
    const lean = [-0.6, 0, 0.8, 0.6, 0, 0.8, -0.6, 0, 0.8, 0.6, 0, 0.8]; // From left to right.
    geometry.setAttribute('normal', new THREE.Float32BufferAttribute(lean, 3));
    const wall = new THREE.Mesh(geometry, white());
    wall.position.z = -20; // Spans the picture: the normal leans by 0.6 · s at column s before it is made a unit vector.
    const light = sunFrom(1, 0, 0);
    const s = 3 / 4;
    close(look(sceneOf(wall, light), 3), Array<number>(3).fill((0.6 * s) / Math.hypot(0.6 * s, 0.8)));
    wall.material = white({ flatShading: true });
    close(look(sceneOf(wall, light), 3), [0, 0, 0]);
  });

  it('multiplies material, vertex and texture colours', () => {
    const wall = square(
      9,
      2,
      new THREE.MeshBasicMaterial({ vertexColors: true, map: bytesTexture([[[51, 102, 255, 255]]]) }),
    );
    const colors = Array<number[]>(4).fill([0.5, 1, 0.5]).flat();
    wall.geometry.setAttribute('color', new THREE.Float32BufferAttribute(colors, 3));
    close(look(sceneOf(wall)), [0.1, 0.4, 0.5]);
  });

  it('mixes in fog by the distance along the axis: linear', () => {
    const scene = sceneOf(square(99, 4, unlit(1, 0, 0)));
    scene.fog = new THREE.Fog(0, 2, 10); // A quarter of the way: smoothstep(1/4) = 3/16 − 2/64 = 5/32.
    scene.fog.color.setRGB(0, 0, 1);
    close(look(scene), [27 / 32, 0, 5 / 32]);
  });

  it('mixes in fog by the distance along the axis: exponential', () => {
    const wall = square(99, 4, unlit(1, 0, 0));
    const scene = sceneOf(wall);
    scene.fog = new THREE.FogExp2(0, 0.2);
    scene.fog.color.setRGB(0, 0, 1);
    const clear = Math.exp(-((0.2 * 4) ** 2));
    close(look(scene), [clear, 0, 1 - clear]);
    (wall.material as THREE.Material).userData = {};
    (wall.material as THREE.MeshBasicMaterial).fog = false;
    close(look(scene), [1, 0, 0]);
  });

  it('blends transparent surfaces over the colours from back to front, without changing ids and depth', () => {
    const pane = (distance: number, r: number, g: number) => {
      const material = unlit(r, g, 0);
      material.transparent = true;
      material.opacity = 0.5;
      const mesh = square(99, distance, material);
      mesh.userData['classId'] = 9;
      return mesh;
    };
    const wall = square(99, 8, unlit(0, 0, 1));
    wall.userData['classId'] = 2;
    const frame = draw(sceneOf(pane(2, 1, 0), pane(4, 0, 1), wall, pane(9, 1, 1)), straightCamera());
    close(colorAt(frame, 1, 1), [0.5, 0.25, 0.25]); // Blue, then half green, then half red; nothing from behind the wall.
    assert.deepEqual([frame.classes[0], frame.depth[0]!.toFixed(4)], [2, '8.0000']);
  });

  it('gives a large surface the same colour everywhere, opaque or transparent', () => {
    const size = 40; // 1,600 pixels: more than are shaded in one go.
    const large = drawingIn({ width: size, height: size });
    const wall = () => square(99, 8, unlit(0.25, 0.5, 1));
    const film = unlit(0.75, 0.5, 0);
    film.transparent = true;
    film.opacity = 0.5;
    for (const [scene, color] of [
      [sceneOf(wall()), [0.25, 0.5, 1]],
      [sceneOf(wall(), triangles([-99, -99, -4, 299, -99, -4, -99, 299, -4], film)), [0.5, 0.5, 0.5]],
    ] as const) {
      const { linear } = large(scene, straightCamera());
      assert.deepEqual([...linear], Array.from({ length: size * size }, () => color).flat());
    }
  });

  it('lights a rough surface from surroundings of a single texel', () => {
    const map = new THREE.DataTexture(new Float32Array([0.5, 0.5, 0.5, 1]), 1, 1, THREE.RGBAFormat, THREE.FloatType);
    map.mapping = THREE.EquirectangularReflectionMapping;
    map.needsUpdate = true;
    const scene = sceneOf(square(99, 4, new THREE.MeshStandardMaterial({ metalness: 1, roughness: 1 })));
    scene.environment = map;
    close(look(scene), [0.225, 0.225, 0.225]); // Karis's fit at roughness 1: 1.04 − 0.572 − 0.04 + 0.022 = 0.45 of it.
  });

  it('shades a glossy wall evenly where the view is about the same', () => {
    const scene = sceneOf(square(99, 4, new THREE.MeshStandardMaterial({ roughness: 0.5 })));
    const sun = new THREE.DirectionalLight(0xffffff, 1);
    sun.position.set(0, 1, 1);
    scene.add(sun);
    const { linear } = draw(scene, new THREE.PerspectiveCamera(0.1, 1, 0.1, 100));
    assert.ok(linear[0]! > 0.2);
    for (const value of linear) assert.ok(Math.abs(value / linear[0]! - 1) < 0.01, `${value}, ${linear[0]}`);
  });

  it('shows the background where nothing is drawn: a colour, or surroundings with the sky above', () => {
    const scene = new THREE.Scene();
    scene.background = new THREE.Color().setRGB(0.1, 0.2, 0.3);
    close(look(scene), [0.1, 0.2, 0.3]);
    scene.background = surroundings((row) => (row < 4 ? 0.25 : 0.75)); // The first row is the nadir.
    scene.backgroundIntensity = 2;
    close(look(scene, 2, 0), [1.5, 1.5, 1.5], 1e-3);
    close(look(scene, 2, 3), [0.5, 0.5, 0.5], 1e-3);
  });

  it('lights evenly from even surroundings', () => {
    const material = white();
    material.color.setRGB(0.5, 0.5, 0.5);
    const scene = sceneOf(square(9, 2, material));
    scene.environment = surroundings(() => 0.8);
    close(look(scene), [0.4, 0.4, 0.4], 5e-3); // Radiance 0.8, albedo one half; the harmonics sum 128 texels.
  });

  it('lights evenly from even surroundings of any size', () => {
    const wall = sceneOf(square(9, 2, white()));
    for (const [width, height] of [
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
      [4, 2],
      [64, 1],
      [8, 64],
      [33, 17],
    ] as const) {
      const texels = new Float32Array(width * height * 4).fill(1);
      const map = new THREE.DataTexture(texels, width, height, THREE.RGBAFormat, THREE.FloatType);
      map.mapping = THREE.EquirectangularReflectionMapping;
      map.needsUpdate = true;
      wall.environment = map;
      close(look(wall), [1, 1, 1], 5e-3);
    }
  });

  it('mirrors the surroundings in smooth metal', () => {
    const material = new THREE.MeshStandardMaterial({ metalness: 1, roughness: 0 });
    const floor = new THREE.Mesh(new THREE.PlaneGeometry(99, 99).rotateX(-Math.PI / 2), material);
    floor.position.y = -1;
    const scene = sceneOf(floor);
    scene.environment = surroundings((row) => (row < 4 ? 0 : 0.5)); // Only the sky shines, and the floor shows it.
    const [r] = look(scene, 1, 3);
    assert.ok(r! > 0.45 && r! < 0.51, String(r));
    material.metalness = 0; // Black lacquer: a few per cent, more at grazing angles.
    material.color.setRGB(0, 0, 0);
    const [steep] = look(scene, 1, 3);
    const [grazing] = look(scene, 1, 2);
    assert.ok(steep! > 0.015 && steep! < 0.06 && grazing! > 1.5 * steep!, `${steep} ${grazing}`);
  });

  it('gives a rough standard surface about the same light as a matt one', () => {
    const scene = sceneOf(square(9, 2, new THREE.MeshStandardMaterial({ roughness: 1 })), sunFrom(0, 0, 1));
    const [r] = look(scene);
    assert.ok(r! > 0.94 && r! < 1.04, String(r)); // 96 % matt, and a faint sheen.
  });
});
