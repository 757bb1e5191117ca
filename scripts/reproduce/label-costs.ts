/** What the reward loses where proportions are not the hidden ones: how closely a search can find them at all. */
import { join } from 'node:path';
import { summarise, withInterval, type Summary } from '../../protocol/statistics.ts';
import type { Parameter, Theta } from '../../protocol/parameters.ts';
import { deriveSeed } from '../../protocol/random.ts';
import { markdownTable } from '../markdown.ts';
import { seedsOf } from './arms.ts';
import { validationScores } from './evidence.ts';
import { simplexes } from './proportions.ts';
import type { Figure, FixedThetas, Preset } from './study.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

/** The change after which all labels are equally likely. */
const ALIKE = 'alike';
/** Shares that are moved from the hidden proportions to one label. */
const MOVED = [0.3, 0.9];

/** Proportions of which a share was moved to one label: (1 − t) p + t e. */
export function movedTo(proportions: readonly number[], label: number, share: number): number[] {
  return proportions.map((p, i) => (1 - share) * p + (i === label ? share : 0));
}

interface Change {
  /** The simplex. */
  readonly name: string;
  /** What becomes of it, such as `rain/0.3`. */
  readonly change: string;
  readonly theta: Theta;
}

/** Every change of one simplex of the hidden θ that is tried. */
function changes(parameters: readonly Parameter[], hidden: Theta): Change[] {
  return simplexes(parameters).flatMap(({ name, labels }) => {
    const p = hidden[name] as number[];
    const to = (change: string, proportions: number[]) => ({ name, change, theta: { ...hidden, [name]: proportions } });
    const alike = to(
      ALIKE,
      labels.map(() => 1 / labels.length),
    );
    return [
      ...labels.flatMap((label, i) => MOVED.map((share) => to(`${label}/${share}`, movedTo(p, i, share)))),
      alike,
    ];
  });
}

interface Question {
  readonly metric: string;
  /** On how many seeds each change is tried. */
  readonly seedCount: (preset: Preset) => number;
  readonly parameters: readonly Parameter[];
  readonly hidden: Theta;
}

/**
 * By how much the reward of θ* falls when the proportions of one simplex change, as `label-costs.csv` and `.md`: on
 * validation, with the same seeds for all θ, whose noise then cancels in the difference.
 */
export function labelCostsFigure({ metric, seedCount, parameters, hidden }: Question): Figure {
  const tried = changes(parameters, hidden);
  const thetas = (preset: Preset): FixedThetas => {
    const requestsOf = (key: string, theta: Theta) =>
      seedsOf(seedCount(preset)).map((seed) => ({
        key: `${key}/${seed}`,
        theta,
        seed: deriveSeed(seed, 'label costs'),
      }));
    const requests = [
      ...requestsOf('truth', hidden),
      ...tried.flatMap(({ name, change, theta }) => requestsOf(`${name}.${change}`, theta)),
    ];
    return { log: 'label-costs', test: false, requests };
  };
  return {
    needs: [({ preset }) => [thetas(preset)]],
    draw(evidence, folder) {
      const count = seedCount(evidence.preset);
      const rewards = validationScores(evidence, thetas(evidence.preset), metric);
      const truth = rewards.slice(0, count);
      const costs = tried.map(({ name, change }, i) => {
        const own = rewards.slice((i + 1) * count, (i + 2) * count);
        return { name, change, ...summarise(own.map((reward, seed) => truth[seed]! - reward)) };
      });
      writeCosts(folder, costs, count, { metric, parameters, hidden });
    },
  };
}

function writeCosts(
  folder: string,
  costs: readonly (Summary & Omit<Change, 'theta'>)[],
  seedCount: number,
  { metric, parameters, hidden }: Omit<Question, 'seedCount'>,
): void {
  const csv = costs.map(({ name, change, mean, ci95 }) => [name, change, mean, ...(ci95 ?? [])].join());
  writeWhole(join(folder, 'label-costs.csv'), `${['parameter,change,cost,low,high', ...csv].join('\n')}\n`);
  const cell = (simplex: string, change: string) =>
    withInterval(
      costs.find((cost) => cost.name === simplex && cost.change === change)!,
      3,
    );
  const rows = simplexes(parameters).flatMap(({ name, labels }) =>
    labels.map((label, i) => {
      const p = (hidden[name] as number[])[i]!.toFixed(2);
      return [name, label, p, ...MOVED.map((share) => cell(name, `${label}/${share}`))];
    }),
  );
  const alike = simplexes(parameters).map(({ name }) => `${name} ${cell(name, ALIKE)}`);
  const text = [
    `# What wrong proportions cost`,
    '',
    `By how much ${metric} on validation falls from that of the hidden θ* when a share of the scenes (weather) or of the cars (carTypes) goes to one label, with all else as it is; mean ± half of the 95 % interval over ${seedCount} seeds, paired with θ*. What costs no more than its interval is not to be found in the reward.`,
    '',
    ...markdownTable(
      ['', 'label', 'hidden p', ...MOVED.map((share) => `${Math.round(100 * share)} % moved to it`)],
      rows,
      2,
    ),
    '',
    `All labels equally likely: ${alike.join(', ')}.`,
    '',
  ];
  writeWhole(join(folder, 'label-costs.md'), text.join('\n'));
}
