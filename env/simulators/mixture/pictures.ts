/** Points in the plane for people: a cloud of two colours, perhaps over the regions of a classifier. */
import type { RgbPicture, SamplePictures, Strip } from '../../pictures.ts';
import type { LabelledPoint } from './mixture.ts';

/** Side of a picture, in pixels, and of the part of the plane that it shows, from −REACH to REACH. */
const SIDE = 240;
const REACH = 13;
/** Side of a square of one region, in pixels: each asks the classifier once. */
const REGION = 4;

const COLOURS = [
  [0, 114, 178],
  [213, 94, 0],
] as const;
const PAPER = [250, 250, 248] as const;
const KEY = [
  { name: 'class a', colour: COLOURS[0] },
  { name: 'class b', colour: COLOURS[1] },
] as const;

/** How much of the paper shines through a region. */
const FAINT = 0.78;

/** @param regionOf the label that a classifier gives each of some points */
function cloud(
  points: readonly LabelledPoint[],
  regionOf?: (points: readonly (readonly [x: number, y: number])[]) => readonly number[],
): RgbPicture {
  const rgb = new Uint8Array(SIDE * SIDE * 3);
  const set = (x: number, y: number, colour: readonly number[]) => {
    if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) rgb.set(colour, (y * SIDE + x) * 3);
  };
  const squares = SIDE / REGION;
  const centre = (i: number) => ((i + 0.5) / squares) * 2 * REACH - REACH;
  const places = Array.from({ length: squares * squares }, (_, i) => [i % squares, Math.floor(i / squares)] as const);
  const labels = regionOf?.(places.map(([column, row]) => [centre(column), -centre(row)]));
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const label = labels?.[Math.floor(y / REGION) * squares + Math.floor(x / REGION)];
      const own = label === undefined ? PAPER : COLOURS[label]!;
      set(
        x,
        y,
        own.map((each, c) => Math.round(label === undefined ? each : PAPER[c]! * FAINT + each * (1 - FAINT))),
      );
    }
  }
  for (const { point, label } of points) {
    const [column, row] = [point[0], -point[1]].map((each) => Math.round(((each + REACH) / (2 * REACH)) * SIDE));
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) if (dx * dx + dy * dy <= 4) set(column! + dx, row! + dy, COLOURS[label]);
    }
  }
  return { width: SIDE, height: SIDE, rgb };
}

/** How the points of a mixture are shown: 200 of them. */
export const CLOUD_PICTURES: SamplePictures<LabelledPoint> = {
  samples: 200,
  draw: (points): readonly Strip[] => [
    {
      name: 'samples',
      meaning: `points of the simulator, each axis from −${REACH} to ${REACH}`,
      pictures: [cloud(points)],
      key: KEY,
    },
  ],
};

/** Real points over the regions of a classifier that was trained on the simulator's. */
export function regionPictures(
  points: readonly LabelledPoint[],
  regionOf: (points: readonly (readonly [x: number, y: number])[]) => readonly number[],
): Strip[] {
  return [
    {
      name: 'prediction',
      meaning: 'regions: the class that the trained model gives each place; points: the real data of validation',
      pictures: [cloud(points, regionOf)],
      key: KEY,
    },
  ];
}
