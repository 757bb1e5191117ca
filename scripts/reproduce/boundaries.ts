/** What the SVM learns while the policy moves: its decision boundary, on samples of Q(θ) and on real points. */
import type { LabelledPoint } from '../../env/simulators/mixture/mixture.ts';
import type { TrainedSvm } from '../../env/tasks/svm.ts';
import { writeChart } from '../figures/chart.ts';

export interface LearningStage {
  /** Such as `after 400 evaluations`. */
  readonly title: string;
  /** What the SVM was trained on. */
  readonly samples: readonly LabelledPoint[];
  readonly svm: TrainedSvm;
}

/** Half the width of the plane that is shown, and the cells across it. */
const REACH = 13;
const CELLS = 90;
/** Real points that are drawn; all of them are counted. */
const DRAWN = 250;

interface Run {
  readonly label: number;
  readonly x: number;
  readonly x2: number;
  readonly y: number;
  readonly y2: number;
}

/** The plane as the SVM divides it: each row of cells in as few pieces as there are changes of class. */
function regions(svm: Pick<TrainedSvm, 'predict'>): Run[] {
  const size = (2 * REACH) / CELLS;
  const edge = (cell: number) => -REACH + cell * size;
  return Array.from({ length: CELLS }).flatMap((_, row) => {
    const labels = svm.predict(Array.from({ length: CELLS }, (_, column) => [edge(column + 0.5), edge(row + 0.5)]));
    const runs: Run[] = [];
    for (let begin = 0, column = 1; column <= CELLS; column++) {
      if (column < CELLS && labels[column] === labels[begin]) continue;
      // A little into the next row, which is drawn over it: no seam shows.
      runs.push({ label: labels[begin]!, x: edge(begin), x2: edge(column), y: edge(row), y2: edge(row + 1.3) });
      begin = column;
    }
    return runs;
  });
}

function panel(title: string, runs: readonly Run[], points: readonly LabelledPoint[]) {
  const axis = { axis: { ticks: false, labels: false, grid: false, domain: false }, title: null };
  const scale = { domain: [-REACH, REACH], nice: false };
  const color = (range: string[]) =>
    ({ field: 'label', type: 'nominal', scale: { domain: [0, 1], range }, legend: null }) as const;
  return {
    title: { text: title, fontSize: 11, fontWeight: 'normal' as const },
    width: 170,
    height: 170,
    layer: [
      {
        data: { values: [...runs] },
        mark: { type: 'rect' as const, clip: true, aria: false },
        encoding: {
          x: { field: 'x', type: 'quantitative' as const, scale, ...axis },
          x2: { field: 'x2' },
          y: { field: 'y', type: 'quantitative' as const, scale, ...axis },
          y2: { field: 'y2' },
          color: color(['#f6d5c4', '#cfdff2']),
        },
      },
      {
        data: { values: points.map(({ point: [x, y], label }) => ({ x, y, label })) },
        mark: { type: 'point' as const, filled: true, size: 9, opacity: 0.9, clip: true, aria: false },
        encoding: {
          x: { field: 'x', type: 'quantitative' as const, scale, ...axis },
          y: { field: 'y', type: 'quantitative' as const, scale, ...axis },
          color: color(['#c8511b', '#1f5fa8']),
        },
      },
    ],
    resolve: { scale: { color: 'independent' as const } },
  };
}

/**
 * Draws a column for each stage: above, what it was trained on; below, real points on the same boundary.
 *
 * @param path without an ending: `.svg` and `.png` are written
 */
export async function drawBoundaries(
  title: string,
  stages: readonly LearningStage[],
  real: readonly LabelledPoint[],
  path: string,
): Promise<void> {
  const columns = await Promise.all(
    stages.map(async ({ title, samples, svm }) => {
      const runs = regions(svm);
      const { accuracy } = await svm.score(real);
      return {
        vconcat: [
          panel(title, runs, samples),
          panel(`real points: ${accuracy!.toFixed(3)} right`, runs, real.slice(0, DRAWN)),
        ],
      };
    }),
  );
  await writeChart({ title: { text: title, anchor: 'start' }, hconcat: columns, spacing: 10 }, path);
}
