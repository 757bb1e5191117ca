/** The body of a car, built from its proportions. The front is −z, the road y = 0, the middle of the car the origin. */
import type { CarShape } from './car-shapes.ts';
import { MeshBuilder, mix, turn, type Point, type Rgb } from '../meshes/mesh-builder.ts';
import type { Vertices } from '../meshes/vertices.ts';

/** Positions of the parts in the list of a body's parts. */
export const PAINT = 0;
export const GLASS = 1;
/** Tyres, grilles, plates: coloured by vertex. */
export const TRIM = 2;
/** Head and tail lights: coloured by vertex. */
export const LAMPS = 3;

/** How finely a car is modelled: 0 near (about 450 triangles), 1 and 2 at some distance, 3 far away (about 40). */
export const DETAILS = 4;
export type Detail = 0 | 1 | 2 | 3;

const TYRE: Rgb = [0.022, 0.022, 0.024];
const DARK: Rgb = [0.018, 0.018, 0.02];
const BOX: Rgb = [0.42, 0.42, 0.4];
const HEADLIGHT: Rgb = [0.4, 0.4, 0.38];
const TAILLIGHT: Rgb = [0.22, 0.012, 0.012];
const RIM: Rgb = [0.32, 0.32, 0.33];
const PLATE_FRONT: Rgb = [0.75, 0.75, 0.72];
const PLATE_REAR: Rgb = [0.75, 0.55, 0.06];

const ARCH_SEGMENTS = [6, 3, 0, 0] as const;
const WHEEL_SIDES = [10, 7, 5, 4] as const;

/** A cross-section of the body: where it is, and its width and height. */
interface Station {
  readonly z: number;
  readonly halfWidth: number;
  readonly bottom: number;
  readonly top: number;
}

/** The parts of a car's body, at the positions above. */
export function buildCarBody(shape: CarShape, detail: Detail): readonly Vertices[] {
  const mesh = new MeshBuilder();
  const stations = bodyStations(shape, detail);
  lowerBody(mesh, shape, stations, detail);
  const areas = detail === 3 ? PLAIN_ENDS : ENDS;
  for (const area of areas.front) panel(mesh, stations[0]!, shape.sill, area, -1);
  for (const area of areas.rear) panel(mesh, stations.at(-1)!, shape.sill, area, 1);
  greenhouse(mesh, { ...shape, height: shape.cab?.height ?? shape.height }, detail);
  if (shape.cab) cargoBox(mesh, shape, shape.cab.boxFrom);
  if (detail < 3) underbody(mesh, shape);
  for (const axle of shape.axles) wheelPair(mesh, shape, axle, detail);
  if (detail === 0) mirrors(mesh, shape);
  lightPaint(mesh.parts[PAINT]!, shape);
  return mesh.parts;
}

/** What faces up mirrors the sky. The lower the rest is, the less it sees of the sky, and the more of the road. */
function lightPaint({ positions, normals, colours, vertexCount }: Vertices, { sill, waist }: CarShape): void {
  for (let i = 0; i < vertexCount * 3; i += 3) {
    const height = (positions[i + 1]! - sill) / (waist - sill);
    const light = normals[i + 1]! > 0.7 ? 1.8 : 0.4 + 0.6 * Math.min(1, Math.max(0, height));
    for (let c = i; c < i + 3; c++) colours[c]! *= light;
  }
}

function zAt({ length }: CarShape, share: number): number {
  return (share - 0.5) * length;
}

function bodyStations(shape: CarShape, detail: Detail): Station[] {
  const { length, width, sill, wheelRadius, axles } = shape;
  const archRadius = wheelRadius * 1.16;
  const shares = [0, shape.screenFoot, shape.rearFoot, 1];
  if (detail < 3) shares.push(0.03, 0.09, 0.97);
  if (detail < 2) shares.push(0.92);
  const segments = ARCH_SEGMENTS[detail];
  for (const axle of segments > 0 ? axles : []) {
    for (let i = 0; i <= segments; i++) shares.push(axle - (Math.cos((Math.PI * i) / segments) * archRadius) / length);
  }
  return [...new Set(shares)]
    .sort((a, b) => a - b)
    .map((share) => {
      const end = Math.min(share, 1 - share);
      const rounding = end >= 0.09 ? 1 : shape.taper + (1 - shape.taper) * Math.sqrt(end / 0.09);
      const bottoms = axles.map((axle) => {
        if (segments === 0) return sill;
        const across = Math.abs(share - axle) * length;
        return across >= archRadius ? sill : wheelRadius + Math.sqrt(archRadius ** 2 - across ** 2);
      });
      return {
        z: zAt(shape, share),
        halfWidth: (width / 2) * rounding,
        bottom: Math.max(sill, ...bottoms),
        top: topAt(shape, share),
      };
    });
}

/** The height of bonnet, waist line and boot. */
function topAt({ noseTop, bonnetTop, waist, screenFoot, rearFoot }: CarShape, share: number): number {
  if (share <= screenFoot) return noseTop + (bonnetTop - noseTop) * Math.sqrt(share / screenFoot);
  if (share >= rearFoot) return waist - ((share - rearFoot) / (1.001 - rearFoot)) * 0.07;
  return bonnetTop + ((waist - bonnetTop) * (share - screenFoot)) / (rearFoot - screenFoot);
}

/** Sides in two rows that lean in above and below (one row far away), and the lid of bonnet and boot. */
function lowerBody(mesh: MeshBuilder, shape: CarShape, stations: readonly Station[], detail: Detail): void {
  const ring = ({ z, halfWidth, bottom, top }: Station, side: number): Point[] => {
    const middle = Math.max(shape.sill + (top - shape.sill) * 0.55, bottom + 0.03);
    // Over a wheel the row begins higher up, where the body is wider.
    const lean = 0.07 * (1 - (bottom - shape.sill) / (middle - shape.sill));
    const low: Point = [side * halfWidth * (1 - lean), bottom, z];
    const high: Point = [side * halfWidth * 0.95, Math.max(top, middle + 0.02), z];
    return detail === 3 ? [low, high] : [low, [side * halfWidth, middle, z], high];
  };
  for (let i = 1; i < stations.length; i++) {
    const [fore, aft] = [stations[i - 1]!, stations[i]!];
    const away: Point = [0, shape.sill, (fore.z + aft.z) / 2];
    for (const side of [-1, 1]) {
      const [a, b] = [ring(fore, side), ring(aft, side)];
      for (let row = 1; row < a.length; row++) {
        mesh.quad(a[row - 1]!, b[row - 1]!, b[row]!, a[row]!, { material: PAINT, away });
      }
    }
    const [left, right] = [ring(fore, -1).at(-1)!, ring(fore, 1).at(-1)!];
    const [leftAft, rightAft] = [ring(aft, -1).at(-1)!, ring(aft, 1).at(-1)!];
    mesh.quad(left, leftAft, rightAft, right, { material: PAINT, away });
  }
}

/** A rectangle of a front or rear: from `x0` to `x1` in half-widths, from `y0` to `y1` in heights of the body. */
interface Area {
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
  readonly material: number;
  readonly colour?: Rgb;
  /** How far it stands out, m. */
  readonly out?: number;
}

/** Bumper, grille between the headlights, number plate; bumper, tail lights at the corners, number plate, boot lid. */
const ENDS: { readonly front: readonly Area[]; readonly rear: readonly Area[] } = {
  front: [
    { x: [-1, 1], y: [0, 0.22], material: TRIM, colour: DARK },
    { x: [-1, 1], y: [0.22, 0.55], material: PAINT },
    { x: [-1, -0.55], y: [0.55, 0.84], material: LAMPS, colour: HEADLIGHT },
    { x: [-0.55, 0.55], y: [0.55, 0.84], material: TRIM, colour: DARK },
    { x: [0.55, 1], y: [0.55, 0.84], material: LAMPS, colour: HEADLIGHT },
    { x: [-1, 1], y: [0.84, 1], material: PAINT },
    { x: [-0.32, 0.32], y: [0.28, 0.46], material: TRIM, colour: PLATE_FRONT, out: 0.02 },
  ],
  rear: [
    { x: [-1, 1], y: [0, 0.14], material: TRIM, colour: DARK },
    { x: [-1, 1], y: [0.14, 0.55], material: PAINT },
    { x: [-1, -0.68], y: [0.55, 0.9], material: LAMPS, colour: TAILLIGHT },
    { x: [-0.68, 0.68], y: [0.55, 0.9], material: PAINT },
    { x: [0.68, 1], y: [0.55, 0.9], material: LAMPS, colour: TAILLIGHT },
    { x: [-1, 1], y: [0.9, 1], material: PAINT },
    { x: [-0.33, 0.33], y: [0.42, 0.58], material: TRIM, colour: PLATE_REAR, out: 0.02 },
  ],
};

/** The same from so far away that lamps and plates are less than a pixel. */
const PLAIN_ENDS: typeof ENDS = {
  front: [
    { x: [-1, 1], y: [0, 0.5], material: PAINT },
    { x: [-1, 1], y: [0.5, 0.84], material: TRIM, colour: [0.12, 0.12, 0.12] },
    { x: [-1, 1], y: [0.84, 1], material: PAINT },
  ],
  rear: [
    { x: [-1, 1], y: [0, 0.55], material: PAINT },
    { x: [-1, -0.68], y: [0.55, 1], material: LAMPS, colour: TAILLIGHT },
    { x: [-0.68, 0.68], y: [0.55, 1], material: PAINT },
    { x: [0.68, 1], y: [0.55, 1], material: LAMPS, colour: TAILLIGHT },
  ],
};

/** Half-width of the body at a share of its height, over the half-width of its widest row. */
function outline(height: number): number {
  return height < 0.55 ? 0.93 + (0.07 * height) / 0.55 : 1 - (0.05 * (height - 0.55)) / 0.45;
}

function panel(mesh: MeshBuilder, { halfWidth, z, top }: Station, sill: number, area: Area, facing: -1 | 1): void {
  const depth = z + facing * (area.out ?? 0);
  const corner = (x: number, y: number): Point => [x * halfWidth * outline(y), sill + y * (top - sill), depth];
  const [left, right] = area.x;
  const [low, high] = area.y;
  const corners = [corner(left, low), corner(right, low), corner(right, high), corner(left, high)];
  const away: Point = [0, sill, depth - facing];
  mesh.face(corners, { material: area.material, away, ...(area.colour && { colour: area.colour }) });
}

/** Windows between painted pillars, under a slightly arched roof. */
function greenhouse(mesh: MeshBuilder, shape: CarShape, detail: Detail): void {
  const { width, height, screenFoot, screenHead, rearHead, rearFoot, roofWidth } = shape;
  const foot = (width / 2) * 0.94;
  const head = (width / 2) * roofWidth;
  const middle = (screenHead + rearHead) / 2;
  const corner = (side: number, share: number, half: number, y: number): Point => [side * half, y, zAt(shape, share)];
  const base = (side: number, share: number) => corner(side, share, foot, topAt(shape, share) - 0.01);
  const drop = detail === 3 ? 0 : 0.05; // an arched roof is lower at its edge
  const eaves = (side: number, share: number) => corner(side, share, head, height - (share === middle ? 0.02 : drop));
  const away: Point = [0, shape.waist, zAt(shape, (screenFoot + rearFoot) / 2)];

  const screen = [base(-1, screenFoot), base(1, screenFoot), eaves(1, screenHead), eaves(-1, screenHead)] as const;
  const back = [base(-1, rearFoot), base(1, rearFoot), eaves(1, rearHead), eaves(-1, rearHead)] as const;
  const { windows, windowRows, rearWindow, rearRows } = glazing(shape, detail);
  for (const deck of decks(screen, shape)) {
    framed(mesh, deck, detail === 3 ? WHOLE : [[0.05, 0.95]], detail === 3 ? [0, 1] : [0.04, 0.93], away);
  }
  for (const deck of decks(back, shape)) framed(mesh, deck, rearWindow, rearRows, away);
  for (const side of [-1, 1]) {
    const sideFace = [
      base(side, screenFoot),
      base(side, rearFoot),
      eaves(side, rearHead),
      eaves(side, screenHead),
    ] as const;
    for (const deck of decks(sideFace, shape)) framed(mesh, deck, windows, windowRows, away);
  }
  if (detail === 3) {
    const [left, right] = [-1, 1] as const;
    const roof = { material: PAINT, away };
    const [a, b] = [eaves(left, screenHead), eaves(right, screenHead)];
    mesh.quad(a, b, eaves(right, rearHead), eaves(left, rearHead), roof);
    return;
  }
  const ridge = (share: number, drop: number): Point => [0, height - drop, zAt(shape, share)];
  for (const [from, to] of [
    [screenHead, middle],
    [middle, rearHead],
  ] as const) {
    const dip = (share: number) => (share === middle ? 0 : 0.03);
    for (const side of [-1, 1]) {
      mesh.quad(eaves(side, from), eaves(side, to), ridge(to, dip(to)), ridge(from, dip(from)), {
        material: PAINT,
        away,
      });
    }
  }
}

const WHOLE = [[0, 1]] as const;

/** Two corners below, two above. */
type Face = readonly [Point, Point, Point, Point];

/** The faces of the decks, one above the other. */
function decks([a, b, c, d]: Face, { decks: count = 1 }: CarShape): Face[] {
  if (count === 1) return [[a, b, c, d]];
  const [left, right] = [mix(a, d, 0.5), mix(b, c, 0.5)];
  return [
    [a, b, right, left],
    [left, right, c, d],
  ];
}

type Glazing = Pick<CarShape, 'windows' | 'windowRows' | 'rearRows'> & { readonly rearWindow: CarShape['windows'] };

/** The windows: at some distance the windows of a side are one, and further away they have no frames. */
function glazing({ windows, windowRows, rearRows }: CarShape, detail: Detail): Glazing {
  const rearWindow = [[0.08, 0.92]] as const;
  if (detail < 2) return { windows, windowRows, rearWindow, rearRows };
  const first = windows[0]![0];
  const last = windows.at(-1)![1];
  if (detail === 2) return { windows: [[first, last]], windowRows, rearWindow, rearRows };
  // The few windows of a panel van stay where they are; the windows of a car reach from end to end.
  const all = last - first > 0.6 ? WHOLE : ([[first, last]] as const);
  return { windows: all, windowRows: [0, Math.min(1, windowRows[1] + 0.05)], rearWindow: WHOLE, rearRows };
}

/**
 * A face of paint with panes of glass in it.
 *
 * @param panes along the face, as shares of it; they do not overlap
 */
function framed(
  mesh: MeshBuilder,
  [a, b, c, d]: Face,
  panes: readonly (readonly [number, number])[],
  [low, high]: readonly [number, number],
  away: Point,
): void {
  const at = (u: number, v: number) => mix(mix(a, b, u), mix(d, c, u), v);
  const cell = (u0: number, u1: number, v0: number, v1: number, material: number) => {
    if (u1 > u0 && v1 > v0) mesh.quad(at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1), { material, away });
  };
  cell(0, 1, 0, low, PAINT);
  cell(0, 1, high, 1, PAINT);
  let edge = 0;
  for (const [from, to] of panes) {
    cell(edge, from, low, high, PAINT);
    cell(from, to, low, high, GLASS);
    edge = to;
  }
  cell(edge, 1, low, high, PAINT);
}

/** The box of a lorry, which is light for every colour of the cab. */
function cargoBox(mesh: MeshBuilder, shape: CarShape, from: number): void {
  const half = (shape.width / 2) * 0.99;
  const surface = { material: TRIM, colour: BOX };
  mesh.box([-half, shape.waist - 0.05, zAt(shape, from)], [half, shape.height, zAt(shape, 0.995)], surface);
}

/** What is seen through the wheel arches and below the sills: darkness, which annotators count as part of the car. */
function underbody(mesh: MeshBuilder, shape: CarShape): void {
  const half = (shape.width / 2) * 0.8;
  const top = shape.sill + (shape.waist - shape.sill) * 0.85;
  const surface = { material: TRIM, colour: DARK };
  mesh.box([-half, 0.04, zAt(shape, 0.03)], [half, top, zAt(shape, 0.97)], surface);
}

function wheelPair(mesh: MeshBuilder, shape: CarShape, axle: number, detail: Detail): void {
  const { wheelRadius: radius, width } = shape;
  const z = zAt(shape, axle);
  const sides = WHEEL_SIDES[detail];
  const disc = (x: number, r: number): Point[] =>
    Array.from({ length: sides }, (_, i) => {
      const [cos, sin] = turn(i / sides);
      return [x, radius + r * cos, z + r * sin];
    });
  for (const side of [-1, 1]) {
    const outer = side * (width / 2) * (detail < 2 ? 0.955 : 1.01); // outside the body where it has no arches
    const inner = outer - side * 0.2;
    const away: Point = [0, radius, z];
    mesh.face(disc(outer, radius), { material: TRIM, colour: TYRE, away });
    if (detail === 3) continue;
    mesh.face(disc(outer + side * 0.012, radius * 0.58), { material: TRIM, colour: RIM, away });
    if (detail === 2) continue;
    const [near, far] = [disc(outer, radius), disc(inner, radius)];
    const hub: Point = [(outer + inner) / 2, radius, z];
    near.forEach((point, i) => {
      const next = (i + 1) % sides;
      mesh.quad(point, near[next]!, far[next]!, far[i]!, { material: TRIM, colour: TYRE, away: hub });
    });
  }
}

function mirrors(mesh: MeshBuilder, shape: CarShape): void {
  const share = shape.screenFoot + 0.06;
  const y = topAt(shape, share);
  const z = zAt(shape, share);
  for (const side of [-1, 1]) {
    const [inner, outer] = [side * (shape.width / 2) * 0.94, side * (shape.width / 2 + 0.14)];
    mesh.box([Math.min(inner, outer), y + 0.02, z - 0.06], [Math.max(inner, outer), y + 0.17, z + 0.05], {
      material: PAINT,
    });
  }
}
