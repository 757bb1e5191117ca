/**
 * What can be counted in a picture: boxes, visibility, truncation and the cars of each type.
 *
 * All of it follows from a {@link TrafficImage} alone and is computed on request, since training on labels does not
 * need it.
 */
import * as THREE from 'three';
import { withFrame, type Renderer } from '../../render/renderer.ts';
import { NEAR, setCamera } from './camera/camera.ts';
import { bodyOf, carMatrix, detailAt } from './cars/car-meshes.ts';
import { CAR_TYPES, type CarType } from './parameters.ts';
import { partsOf, personMatrix, type Person } from './street/people.ts';
import { Stage } from './stage.ts';
import type { TrafficImage } from './traffic.ts';
import type { Car } from './cars/vehicles.ts';

export type Category = CarType | Person['kind'];

/** All that is annotated, in the order of the ids in data sets: the car types, then people on foot and on bicycles. */
export const CATEGORIES: readonly Category[] = [...CAR_TYPES, 'person', 'rider'];

/** A rectangle of pixels: column and row of its upper left corner, width and height; whole numbers. */
export type PixelBox = readonly [x: number, y: number, width: number, height: number];

export interface Annotation {
  /** Its id in the image's `instances`. */
  readonly instance: number;
  readonly category: Category;
  /** Around its visible pixels. */
  readonly box: PixelBox;
  /** The number of pixels that show it. */
  readonly area: number;
  /** Share of its pixels that nothing hides: `area` over the area of the same body drawn alone by the same camera. */
  readonly visibility: number;
  /** Share of the rectangle around its projected 3-D box that lies outside the picture. */
  readonly truncation: number;
  /** From the camera to the middle of its footprint on the ground, m. */
  readonly distance: number;
}

type Countable = Car | Person;

/**
 * Makes a function that annotates a picture: it lists every countable object with at least one visible pixel, the
 * nearest first.
 *
 * @param renderer draws each of these objects alone, in the size of the picture
 */
export function annotator(renderer: Renderer): (image: TrafficImage) => Promise<Annotation[]> {
  const silhouettes = new Silhouettes(renderer);
  return async (image) => {
    const seen = visibleBoxes(image.instances, image.width);
    const annotations: Annotation[] = [];
    for (const object of [...image.cars, ...image.people]) {
      const visible = seen.get(object.instance);
      if (visible === undefined) continue;
      annotations.push({
        instance: object.instance,
        category: 'type' in object ? object.type : object.kind,
        box: visible.box,
        area: visible.area,
        visibility: visible.area / (await silhouettes.area(image, object)),
        truncation: truncation(image, object),
        distance: Math.hypot(
          object.x - image.camera.matrixWorld[12]!,
          image.camera.matrixWorld[13]!,
          object.z - image.camera.matrixWorld[14]!,
        ),
      });
    }
    return annotations.sort((a, b) => a.distance - b.distance);
  };
}

/** A car counts as visible when at least this share of the picture shows it: 41 pixels of 128 × 64, 96 of 160 × 120. */
export const VISIBLE_SHARE = 0.005;

/**
 * The number of visible cars of each type.
 *
 * @param leastShare of the picture's pixels that must show a car for it to count
 * @returns          in the order of CAR_TYPES
 */
export function countCars(image: TrafficImage, leastShare = VISIBLE_SHARE): number[] {
  const least = Math.max(1, leastShare * image.width * image.height);
  const areas = new Uint32Array(1 + Math.max(0, ...image.cars.map(({ instance }) => instance)));
  for (const id of image.instances) if (id < areas.length) areas[id]!++;
  const counts = CAR_TYPES.map(() => 0);
  for (const { instance, type } of image.cars) if (areas[instance]! >= least) counts[CAR_TYPES.indexOf(type)]!++;
  return counts;
}

interface Visible {
  readonly box: PixelBox;
  readonly area: number;
}

/** The box and the number of the pixels of each id except 0. */
export function visibleBoxes(instances: Uint16Array, width: number): Map<number, Visible> {
  const found = new Map<number, { left: number; right: number; top: number; bottom: number; area: number }>();
  instances.forEach((id, i) => {
    if (id === 0) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    const known = found.get(id);
    if (known === undefined) {
      found.set(id, { left: x, right: x, top: y, bottom: y, area: 1 });
      return;
    }
    known.left = Math.min(known.left, x);
    known.right = Math.max(known.right, x);
    known.bottom = y; // rows come in order
    known.area++;
  });
  const boxes = new Map<number, Visible>();
  for (const [id, { left, right, top, bottom, area }] of found) {
    boxes.set(id, { box: [left, top, right - left + 1, bottom - top + 1], area });
  }
  return boxes;
}

const black = new THREE.MeshBasicMaterial({ color: 0 });
const matrix = new THREE.Matrix4();

/** Draws single objects, as the picture's camera sees them, to count their pixels. */
class Silhouettes {
  private readonly stage = new Stage();

  constructor(private readonly renderer: Renderer) {}

  area({ camera, width, height }: TrafficImage, object: Countable): number | Promise<number> {
    const { stage } = this;
    setCamera(stage.camera, camera);
    stage.view.look(stage.camera, height, null);
    stage.begin();
    const [parts, where] =
      'type' in object
        ? [bodyOf(object, detailAt(stage, object)), carMatrix(object, matrix)]
        : [partsOf(stage, object), personMatrix(object, matrix)];
    stage.addObject(
      parts,
      parts.map(() => black),
      where,
      { classId: 0, instanceId: 1 },
    );
    const frame = this.renderer.draw(stage.scene, stage.camera, { width, height, antialias: false, colours: false });
    return withFrame(frame, ({ instances }) => instances.reduce((sum, id) => sum + id, 0));
  }
}

/** The size of the box around a person, m. */
const PERSON = { width: 0.6, length: 0.6, height: 1.75 };
const RIDER = { width: 0.6, length: 1.75, height: 1.8 };

/** The share of an object's projected box that is outside the picture, 0 to 1. */
function truncation({ camera, width, height }: TrafficImage, object: Countable): number {
  const size = 'type' in object ? object : object.kind === 'rider' ? RIDER : PERSON;
  const toView = new THREE.Matrix4().fromArray(camera.matrixWorld).invert();
  const projection = new THREE.Matrix4().fromArray(camera.projectionMatrix);
  const [cos, sin] = [Math.cos(object.rotation), Math.sin(object.rotation)];
  const corners = Array.from({ length: 8 }, (_, i) => {
    const across = ((i & 1) - 0.5) * size.width;
    const along = (((i >> 1) & 1) - 0.5) * size.length;
    const up = (i >> 2) * size.height;
    const [x, z] = [object.x + cos * across + sin * along, object.z - sin * across + cos * along];
    return new THREE.Vector3(x, up, z).applyMatrix4(toView);
  });
  const points = beforeNearPlane(corners).map((point) => point.applyMatrix4(projection));
  const xs = points.map(({ x }) => ((x + 1) / 2) * width);
  const ys = points.map(({ y }) => ((1 - y) / 2) * height);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const inside =
    Math.max(0, Math.min(width, right) - Math.max(0, left)) * Math.max(0, Math.min(height, bottom) - Math.max(0, top));
  return 1 - inside / ((right - left) * (bottom - top));
}

/** The corners of a box, in view coordinates, that are beyond the near plane, and where its edges cross that plane. */
function beforeNearPlane(corners: readonly THREE.Vector3[]): THREE.Vector3[] {
  const points = corners.filter(({ z }) => z <= -NEAR).map((corner) => corner.clone());
  for (let i = 0; i < 8; i++) {
    for (const j of [i ^ 1, i ^ 2, i ^ 4]) {
      const [a, b] = [corners[i]!, corners[j]!];
      if (a.z > -NEAR || b.z <= -NEAR) continue;
      points.push(a.clone().lerp(b, (-NEAR - a.z) / (b.z - a.z)));
    }
  }
  return points;
}
