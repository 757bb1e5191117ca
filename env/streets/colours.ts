/** The colours of labels and distances in pictures for people. */
import type { ColourKey } from '../pictures.ts';
import { CLASSES, VOID } from './classes.ts';

/** Of a data set that names more classes itself, the colours come again. */
const colourOf = (id: number) => CLASSES[id % CLASSES.length]!.colour;

/** Class ids as colours, VOID as black. @returns sRGB bytes, uint8 [n, 3] */
export function classColours(classes: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(classes.length * 3);
  classes.forEach((id, i) => {
    if (id !== VOID) rgb.set(colourOf(id), i * 3);
  });
  return rgb;
}

/** The colours of the classes that occur in pictures of {@link classColours}. @param names by id, if other than the classes' own */
export function classKey(pictures: readonly Uint8Array[], names: readonly (string | undefined)[] = []): ColourKey {
  const shown = new Set(pictures.flatMap((classes) => [...new Set(classes)]));
  const ids = [...shown].filter((id) => id !== VOID).sort((a, b) => a - b);
  const entries = ids.map((id) => ({ name: names[id] ?? CLASSES[id]?.name ?? `class ${id}`, colour: colourOf(id) }));
  const none = { name: 'no class', colour: [0, 0, 0] } as const;
  return { title: 'labels', entries: shown.has(VOID) ? [...entries, none] : entries };
}

/** Colours from near to far, at equal steps of the logarithm of the distance: yellow, red, violet, black. */
const DEPTH_COLOURS = [
  [252, 253, 191],
  [254, 159, 109],
  [222, 73, 104],
  [140, 41, 129],
  [59, 15, 112],
  [0, 0, 4],
] as const;
const NEAREST = 2;
const FURTHEST = 200;

/** Distances in metres as colours from 2 m (pale yellow) to 200 m (black); Infinity is white. @returns uint8 [n, 3] */
export function depthColours(depth: Float32Array): Uint8Array {
  const rgb = new Uint8Array(depth.length * 3).fill(255);
  const last = DEPTH_COLOURS.length - 1;
  depth.forEach((metres, i) => {
    if (!Number.isFinite(metres)) return;
    const share = Math.log(metres / NEAREST) / Math.log(FURTHEST / NEAREST);
    const at = Math.min(1, Math.max(0, share)) * last;
    const step = Math.min(last - 1, Math.floor(at));
    const [from, to] = [DEPTH_COLOURS[step]!, DEPTH_COLOURS[step + 1]!];
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = from[c]! + (to[c]! - from[c]!) * (at - step);
  });
  return rgb;
}

/** What the colours of {@link depthColours} mean. */
export const DEPTH_KEY: ColourKey = {
  title: 'distance',
  entries: [NEAREST, 5, 10, 25, 75, FURTHEST, Infinity].map((metres) => {
    const [r, g, b] = depthColours(Float32Array.of(metres));
    return { name: metres === Infinity ? 'sky' : `${metres} m`, colour: [r!, g!, b!] as const };
  }),
};
