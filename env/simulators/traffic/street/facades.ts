/** Pictures of walls: brick, stone, plaster and concrete with their windows; shop fronts; roofs. */
import type * as THREE from 'three';
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import type { Rgb } from '../meshes/mesh-builder.ts';
import { blend, cached, colourOf, fractalNoise, paintTexture, scaled, type Noise } from '../meshes/textures.ts';

/** A facade texture shows this many bays across and storeys up. */
export const TILE_BAYS = 2;
export const TILE_STOREYS = 2;
/** Texels across a bay. */
const BAY = 48;
/** The number of walls of each kind: the first are pale and gray, the last brick and coloured. */
export const PLAIN_WALLS = 10;
export const COLOURED_WALLS = 14;
export const SHOPS = 16;
export const ROOFS = 4;

interface Wall {
  readonly colour: Rgb;
  readonly bricks: boolean;
  readonly noise: Noise;
  readonly grain: Noise;
}

const wallOf = cached((variant: number): Wall => {
  const random = new Random(deriveSeed(variant, 'wall'));
  const coloured = variant >= PLAIN_WALLS;
  const bricks = coloured ? random.chance(0.65) : random.chance(0.25);
  const lightness = bricks ? random.uniform(0.14, 0.24) : random.uniform(0.25, 0.62);
  const painted = coloured && !bricks && random.chance(0.3);
  const hue = bricks ? random.uniform(0.02, 0.09) : painted ? random.uniform() : random.uniform(0.07, 0.13);
  const saturation = bricks ? random.uniform(0.2, 0.5) : random.uniform(0.03, coloured ? 0.4 : 0.2);
  return {
    colour: colourOf(hue, coloured ? saturation : Math.min(saturation, 0.25), lightness),
    bricks,
    noise: fractalNoise(variant + 11, 4, 4),
    grain: fractalNoise(variant + 31, 48, 1),
  };
});

/** Bare wall at `u`, `v` of a tile. */
function wallColour({ colour, bricks, noise, grain }: Wall, u: number, v: number): Rgb {
  const weather = 0.7 + 0.6 * noise(u, v);
  if (!bricks) return scaled(colour, weather * (0.94 + 0.12 * grain(u, v)));
  const row = Math.floor(v * 40);
  const along = (u * 20 + (row % 2) * 0.5) % 1;
  const mortar = (v * 40) % 1 < 0.16 || along < 0.08;
  const brick = scaled(colour, weather * (0.7 + 0.6 * grain(u, v)));
  return mortar ? blend(brick, [0.3, 0.28, 0.25], 0.35) : brick;
}

interface Window {
  readonly left: number;
  readonly right: number;
  readonly sill: number;
  readonly head: number;
  readonly frame: Rgb;
  readonly panes: number;
  /** A lighter surround of stone. */
  readonly surround: boolean;
}

function drawWindow(random: Random): Window {
  const half = random.chance(0.25) ? 0.47 : random.uniform(0.18, 0.36); // offices have windows side by side
  return {
    left: 0.5 - half,
    right: 0.5 + half,
    sill: random.uniform(0.22, 0.34),
    head: random.uniform(0.74, 0.88),
    frame: random.chance(0.7) ? [0.62, 0.62, 0.6] : [0.05, 0.045, 0.04],
    panes: 1 + random.integer(3),
    surround: random.chance(0.5),
  };
}

/** One window within its bay: the glass with what it reflects, frame and sill; undefined where the wall is. */
function windowColour(window: Window, x: number, y: number, look: number): Rgb | undefined {
  const { left, right, sill, head, frame, panes, surround } = window;
  const edge = 0.05;
  if (x < left - edge || x > right + edge || y < sill - 0.06 || y > head + edge) return undefined;
  const inside = x > left && x < right && y > sill && y < head;
  if (!inside) {
    if (y < sill) return [0.34, 0.33, 0.31];
    return surround ? [0.4, 0.38, 0.35] : undefined;
  }
  const [across, up] = [(x - left) / (right - left), (y - sill) / (head - sill)];
  const border = across < 0.08 || across > 0.92 || up < 0.06 || up > 0.94;
  const bar = Math.abs(up - 0.52) < 0.035 || Math.abs(((across * panes) % 1) - 0.5) > 0.5 - 0.035 * panes;
  if (border || bar) return frame;
  const curtain = look > 0.6 && (across < 0.26 || across > 0.74);
  if (curtain) return [0.2, 0.19, 0.18];
  const blind = look < 0.18 && up > 0.5;
  if (blind) return [0.3, 0.29, 0.27];
  const sky = Math.max(0, look - 0.45) * 0.8; // some panes mirror the sky rather than the house across the street
  return scaled([0.92, 1, 1.08], 0.02 + (0.05 + sky) * (0.3 + 0.7 * up) * look + 0.02 * Math.max(0, across - 0.5));
}

/** Upper storeys of wall `variant`: bays with windows. */
export const facadeTexture = cached((variant: number): THREE.DataTexture => {
  const wall = wallOf(variant);
  const random = new Random(deriveSeed(variant, 'windows'));
  const window = drawWindow(random);
  const looks = Array.from({ length: TILE_BAYS * TILE_STOREYS }, () => random.uniform());
  const band = random.chance(0.35);
  const pipeAt = random.uniform(0, 1); // a downpipe
  return paintTexture(BAY * TILE_BAYS, BAY * TILE_STOREYS, (u, v) => {
    const [bay, storey] = [Math.floor(u * TILE_BAYS), Math.floor(v * TILE_STOREYS)];
    const [x, y] = [u * TILE_BAYS - bay, v * TILE_STOREYS - storey];
    const seen = windowColour(window, x, y, looks[storey * TILE_BAYS + bay]!);
    if (seen) return seen;
    if (Math.abs(u - pipeAt) < 0.012) return [0.04, 0.04, 0.04];
    return band && y < 0.06 ? scaled(wallColour(wall, u, v), 1.35) : wallColour(wall, u, v);
  });
});

/** The ground floor of a house: a door in one bay, a window in the other. */
export const doorTexture = cached((variant: number): THREE.DataTexture => {
  const wall = wallOf(variant);
  const random = new Random(deriveSeed(variant, 'windows'));
  const window = drawWindow(random);
  const door = colourOf(random.uniform(), random.uniform(0.2, 0.9), random.uniform(0.04, 0.25));
  return paintTexture(BAY * TILE_BAYS, BAY, (u, v) => {
    const x = (u * TILE_BAYS) % 1;
    const isDoor = u * TILE_BAYS < 1;
    if (v < 0.07) return scaled(wallColour(wall, u, v), 0.6);
    if (isDoor && x > 0.32 && x < 0.68 && v < 0.82) {
      if (x < 0.35 || x > 0.65 || v > 0.79) return window.frame;
      return v > 0.68 ? [0.04, 0.045, 0.05] : scaled(door, 0.85 + 0.3 * Math.round((x * 12) % 1));
    }
    return (isDoor ? undefined : windowColour(window, x, v, 0.4)) ?? wallColour(wall, u, v);
  });
});

/** A wall without windows. */
export const sideWallTexture = cached((variant: number): THREE.DataTexture => {
  const wall = wallOf(variant);
  return paintTexture(64, 64, (u, v) => wallColour(wall, u, v));
});

/** A shop front, two bays wide: a large window under a sign board, a door. */
export const shopTexture = cached((variant: number): THREE.DataTexture => {
  const random = new Random(deriveSeed(variant, 'shop'));
  const paint = colourOf(random.uniform(), random.uniform(0, 0.9), random.uniform(0.03, 0.35));
  const letters = random.chance(0.6) ? ([0.65, 0.63, 0.55] as const) : ([0.05, 0.05, 0.05] as const);
  const inside = fractalNoise(variant + 71, 12, 3);
  const writing = fractalNoise(variant + 91, 36, 1, 3);
  const lit = random.chance(0.35) ? 0.5 : 0.2;
  const doorAt = random.uniform(0.1, 0.8);
  const posters = Array.from({ length: random.integer(6) }, () => drawPoster(random));
  return paintTexture(BAY * TILE_BAYS, BAY, (u, v) => {
    if (v > 0.95) return scaled(paint, 0.5);
    if (v > 0.74) {
      const text = v > 0.79 && v < 0.9 && u > 0.2 && u < 0.8 && writing(u, v) > 0.55;
      return text ? letters : paint;
    }
    if (v < 0.14) return scaled(paint, 0.45);
    const post = Math.abs(((u * 4) % 1) - 0.5) > 0.46;
    if (post) return scaled(paint, 0.7);
    if (u > doorAt && u < doorAt + 0.12 && v < 0.66) return scaled(paint, 0.3);
    for (const { left, right, low, high, colour } of posters) {
      if (u > left && u < right && v > low && v < high) return colour;
    }
    const goods = Math.max(0, inside(u, v) - 0.35) ** 2 * 4 * lit * (v < 0.5 ? 1.6 : 0.7);
    return [0.015 + goods, 0.016 + goods * 0.9, 0.018 + goods * 0.75];
  });
});

/** A poster, a lit box or another bright thing in a shop window, as a rectangle of the texture. */
function drawPoster(random: Random) {
  const [left, low] = [random.uniform(0, 0.9), random.uniform(0.12, 0.6)];
  const [right, high] = [left + random.uniform(0.03, 0.15), low + random.uniform(0.05, 0.3)];
  return {
    left,
    right,
    low,
    high,
    colour: colourOf(random.uniform(), random.uniform(0, 0.6), random.uniform(0.1, 0.7)),
  };
}

/** Slates or tiles. */
export const roofTexture = cached((variant: number): THREE.DataTexture => {
  const noise = fractalNoise(variant + 5, 6, 4);
  const base: Rgb = (
    [
      [0.055, 0.055, 0.065],
      [0.14, 0.06, 0.035],
      [0.09, 0.07, 0.055],
      [0.1, 0.1, 0.1],
    ] as const
  )[variant % ROOFS]!;
  return paintTexture(64, 64, (u, v) => {
    const row = (v * 16) % 1 < 0.2 ? 0.65 : 1;
    return scaled(base, row * (0.65 + 0.7 * noise(u, v)));
  });
});
