/** Where on a simplex the reward is highest, by a response surface: how near the hidden proportions a search should end. */
import { join } from 'node:path';
import { cholesky, solveLower, solveUpper } from '../../protocol/cholesky.ts';
import { summarise, withInterval, type Summary } from '../../protocol/statistics.ts';
import type { Parameter, Theta } from '../../protocol/parameters.ts';
import { deriveSeed, Random, type Seed } from '../../protocol/random.ts';
import { writeChart } from '../figures/chart.ts';
import { markdownTable } from '../markdown.ts';
import { meanOf } from './arms.ts';
import { validationScores } from './evidence.ts';
import { l1, simplexes } from './proportions.ts';
import type { EnvOptions, Evidence, Figure, FixedThetas, Preset } from './study.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

type Proportions = readonly number[];

/** Evaluations with the same seeds, whose common noise is taken out. */
const GROUP = 16;
/** Spread of the logarithms of what is tried. */
const SPREAD = 0.8;
/** Draws of the surface from its posterior, for the intervals. */
const DRAWS = 400;
/** Proportions, of the same distribution as those that are tried, among which the highest is looked for. */
const CANDIDATES = 5000;

/** Proportions around others: their logarithms are normal (Aitchison's logistic normal). */
function drawAround(centre: Proportions, random: Random): number[] {
  const parts = centre.map((p) => p * Math.exp(random.normal(0, SPREAD)));
  const sum = parts.reduce((a, b) => a + b);
  return parts.map((part) => part / sum);
}

/** The terms of a quadratic in all proportions but the last, which the others decide: linear ones, squares, products. */
function quadratic(proportions: Proportions): number[] {
  const x = proportions.slice(0, -1);
  return [...x, ...x.flatMap((a, i) => x.slice(i).map((b) => a * b))];
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Subtracts from each row the mean of its group. */
function centred(rows: readonly (readonly number[])[], groups: readonly number[]): number[][] {
  const means = new Map(
    [...new Set(groups)].map((group) => {
      const own = rows.filter((_, i) => groups[i] === group);
      return [group, own[0]!.map((_, k) => meanOf(own.map((row) => row[k]!)))];
    }),
  );
  return rows.map((row, i) => row.map((value, k) => value - means.get(groups[i]!)![k]!));
}

export interface Peak {
  /** Where the fitted surface is highest. */
  readonly best: Proportions;
  /** The same of surfaces that the rewards may as well come from. */
  readonly draws: readonly Proportions[];
  /** Standard deviation of what the surface does not explain. */
  readonly noise: number;
}

/**
 * Fits reward = group + a quadratic of the proportions by least squares, and finds where, of the candidates, it is highest:
 * they should be where proportions were tried, since beyond a quadratic says nothing.
 *
 * `draws` are those of the coefficients' posterior under a flat prior, N(β, s² (XᵀX)⁻¹).
 *
 * @param groups of evaluations with the same seeds, each with a mean of its own
 * @throws {RangeError} when there are too few, or too similar, proportions for the surface
 */
export function fitPeak(
  proportions: readonly Proportions[],
  rewards: readonly number[],
  groups: readonly number[],
  candidates: readonly Proportions[],
  seed: Seed,
): Peak {
  const X = centred(proportions.map(quadratic), groups); // [n, terms]
  const y = centred(
    rewards.map((reward) => [reward]),
    groups,
  ).map(([value]) => value!); // [n]
  const terms = X[0]!.length;
  const least = new Set(groups).size + terms + 1;
  if (rewards.length < least) {
    throw new RangeError(`fitPeak: expected at least ${least} evaluations, got ${rewards.length}`);
  }
  const columns = Array.from({ length: terms }, (_, k) => X.map((row) => row[k]!));
  const L = cholesky(columns.map((a, i) => Float64Array.from({ length: i + 1 }, (_, j) => dot(a, columns[j]!))));
  const beta = solveUpper(
    L,
    solveLower(
      L,
      columns.map((a) => dot(a, y)),
    ),
  );
  const rest = X.map((row, i) => y[i]! - dot(row, beta));
  const noise = Math.sqrt(dot(rest, rest) / (rewards.length - least + 1));

  const surface = candidates.map(quadratic);
  const highest = (coefficients: ArrayLike<number>): Proportions => {
    const heights = surface.map((row) => dot(row, coefficients));
    return candidates[heights.indexOf(Math.max(...heights))]!;
  };
  const random = new Random(seed);
  const draws = Array.from({ length: DRAWS }, () => {
    const normals = Array.from({ length: terms }, () => random.normal(0, noise));
    const step = solveUpper(L, normals);
    return highest(beta.map((value, k) => value + step[k]!));
  });
  return { best: highest(beta), draws, noise };
}

/** From the 2.5th to the 97.5th percentile. */
export function percentiles95(values: readonly number[]): [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.025), at(0.975)];
}

interface Question {
  readonly metric: string;
  /** The simplex that is varied. */
  readonly name: string;
  /** How many proportions are tried, and with how many further seeds the best is compared with the hidden ones. */
  readonly counts: (preset: Preset) => { readonly evaluations: number; readonly pairs: number };
  /** What differs from the preset's options, by what it is called. */
  readonly settings: (preset: Preset) => Readonly<Record<string, EnvOptions>>;
  /** The arms whose searches' finds are seen beside it. */
  readonly found: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly hidden: Theta;
}

/** A set of options under which proportions are tried. */
interface Setting {
  readonly title: string;
  readonly log: string;
  readonly envOptions: EnvOptions;
}

function settingsOf({ name, settings }: Question, preset: Preset): Setting[] {
  const all = Object.entries(settings(preset));
  return all.map(([title, envOptions], i) => ({ title, envOptions, log: `best-${name}-${i + 1}` }));
}

/** The simplex with its hidden proportions. */
function simplexOf({ name, parameters, hidden }: Question): { labels: readonly string[]; truth: Proportions } {
  const { labels } = simplexes(parameters).find((simplex) => simplex.name === name)!;
  return { labels, truth: hidden[name] as number[] };
}

/** The proportions to try, and the candidates among which the highest is looked for. */
function drawProportions(question: Question, preset: Preset): { tried: Proportions[]; candidates: Proportions[] } {
  const { name, counts } = question;
  const { labels, truth } = simplexOf(question);
  const random = new Random(deriveSeed(1, 'best proportions', name));
  const centre = truth.map((p) => (p + 1 / labels.length) / 2);
  const draw = (count: number) => Array.from({ length: count }, () => drawAround(centre, random));
  const tried = draw(counts(preset).evaluations);
  return { tried, candidates: [truth, ...draw(CANDIDATES)] };
}

const groupOf = (tried: number) => Math.floor(tried / GROUP);

/** Evaluations of θ* with other proportions. */
function thetasOf(
  { name, hidden }: Question,
  { log, envOptions }: Setting,
  wanted: readonly { key: string; proportions: Proportions; seed: Seed }[],
): FixedThetas {
  const requests = wanted.map(({ key, proportions, seed }) => {
    return { key, theta: { ...hidden, [name]: [...proportions] }, seed };
  });
  return { log, envOptions, test: false, requests };
}

function triedThetas(question: Question, setting: Setting, preset: Preset): FixedThetas {
  const { tried } = drawProportions(question, preset);
  const wanted = tried.map((proportions, i) => {
    return { key: `tried/${i + 1}`, proportions, seed: deriveSeed(groupOf(i), 'best proportions') };
  });
  return thetasOf(question, setting, wanted);
}

function peakOf(question: Question, setting: Setting, evidence: Evidence): Peak {
  const { preset } = evidence;
  const { tried, candidates } = drawProportions(question, preset);
  const rewards = validationScores(evidence, triedThetas(question, setting, preset), question.metric);
  const groups = tried.map((_, i) => groupOf(i));
  return fitPeak(tried, rewards, groups, candidates, deriveSeed(1, 'posterior', question.name));
}

/** The hidden proportions and the best ones, with the same seeds. */
function pairThetas(question: Question, setting: Setting, { best }: Peak, preset: Preset): FixedThetas {
  const { truth } = simplexOf(question);
  const wanted = Array.from({ length: question.counts(preset).pairs }, (_, i) =>
    [truth, best].map((proportions, which) => {
      return { key: `pair/${i + 1}/${which}`, proportions, seed: deriveSeed(i, 'best or hidden proportions') };
    }),
  );
  return thetasOf(question, setting, wanted.flat());
}

/**
 * Which proportions of one simplex teach best by the validation scores, with all else as in the hidden θ, and how much
 * better they teach than the hidden ones: `best-<name>` as `.csv`, `.md`, `.svg` and `.png`.
 */
export function bestProportionsFigure(question: Question): Figure {
  const { metric, name, counts, found } = question;
  return {
    needs: [
      ({ preset }) => settingsOf(question, preset).map((setting) => triedThetas(question, setting, preset)),
      (evidence) =>
        settingsOf(question, evidence.preset).map((setting) =>
          pairThetas(question, setting, peakOf(question, setting, evidence), evidence.preset),
        ),
    ],
    async draw(evidence, folder) {
      const { preset } = evidence;
      const { labels, truth } = simplexOf(question);
      const peaks = settingsOf(question, preset).map((setting) => {
        const peak = peakOf(question, setting, evidence);
        const compared = validationScores(evidence, pairThetas(question, setting, peak, preset), metric);
        const gains = Array.from({ length: compared.length / 2 }, (_, i) => compared[2 * i + 1]! - compared[2 * i]!);
        const intervals = labels.map((_, label) => percentiles95(peak.draws.map((p) => p[label]!)));
        return { title: setting.title, ...peak, intervals, gain: summarise(gains) };
      });
      const searches = found.flatMap((arm) => evidence.searches()[arm]!);
      const shown = { name, labels, truth, peaks, found: searches.map(({ learned }) => learned.theta) };
      writePeaks(folder, shown, { metric, ...counts(preset) });
      await drawPeaks(shown, join(folder, `best-${name}`));
    },
  };
}

/** What is written and drawn of the peaks. */
interface Shown {
  readonly name: string;
  readonly labels: readonly string[];
  readonly truth: Proportions;
  readonly peaks: readonly (Peak & {
    readonly title: string;
    readonly intervals: readonly (readonly [low: number, high: number])[];
    readonly gain: Summary;
  })[];
  /** θ that searches found. */
  readonly found: readonly Theta[];
}

function writePeaks(
  folder: string,
  { name, labels, truth, peaks }: Shown,
  { metric, evaluations, pairs }: { metric: string; evaluations: number; pairs: number },
): void {
  const csv = peaks.flatMap(({ title, best, intervals }) =>
    labels.map((label, i) => [`"${title}"`, label, truth[i], best[i], ...intervals[i]!].join()),
  );
  writeWhole(join(folder, `best-${name}.csv`), `${['setting,label,hidden,best,low,high', ...csv].join('\n')}\n`);
  const ranged = (value: number, ends: readonly number[]) =>
    `${value.toFixed(2)} (${ends.map((end) => end.toFixed(2)).join('–')})`;
  const rows = peaks.map(({ title, best, intervals, noise, gain }) => [
    title,
    ...best.map((p, i) => ranged(p, intervals[i]!)),
    l1(best, truth).toFixed(2),
    withInterval(gain, 4),
    noise.toFixed(4),
  ]);
  const text = [
    `# Where the reward is highest`,
    '',
    `The proportions of ${name} that teach best, with all else as in the hidden θ*: where a quadratic is highest that was fitted to ${metric} (validation) at ${evaluations} proportions, in groups of ${GROUP} with the same seeds; in brackets 95 % intervals, within what was tried. \`distance\`: Σ |p − p*| to the hidden ones. \`gain\`: how much higher the reward is there than at the hidden ones, over ${pairs} further seeds, paired; mean ± half of the 95 % interval. \`noise\`: the standard deviation of what neither the surface nor common seeds explain. Of a flat surface, too, the highest point is somewhere: the gain says whether it is better.`,
    '',
    ...markdownTable(
      ['setting', ...labels, 'distance', 'gain', 'noise'],
      [...rows, ['the hidden θ*', ...truth.map((p) => p.toFixed(2)), '0.00', '', '']],
    ),
    '',
  ];
  writeWhole(join(folder, `best-${name}.md`), text.join('\n'));
}

/** Draws for each label the hidden proportion, the best ones with their intervals, and what searches found. */
async function drawPeaks({ name, labels, truth, peaks, found }: Shown, path: string): Promise<void> {
  const x = { field: 'label', type: 'nominal', sort: null, title: null, axis: { labelAngle: 0 } } as const;
  const y = { type: 'quantitative', title: 'probability', scale: { zero: true } } as const;
  const of = (proportions: Proportions) => labels.map((label, i) => ({ label, p: proportions[i]! }));
  const best = peaks.flatMap(({ title, best, intervals }) =>
    of(best).map((point, i) => ({ ...point, title, low: intervals[i]![0], high: intervals[i]![1] })),
  );
  const titles = peaks.map(({ title }) => title);
  const scale = { domain: titles };
  const beside = { field: 'title', scale } as const;
  const color = { field: 'title', type: 'nominal' as const, title: 'reward highest at', scale };
  await writeChart(
    {
      title: `${name}: hidden (black), best by the reward (with 95 % intervals), found by searches (gray)`,
      width: 460,
      height: 280,
      layer: [
        {
          data: { values: found.flatMap((theta) => of(theta[name] as number[])) },
          mark: { type: 'point', filled: true, color: '#999', size: 26, opacity: 0.8 },
          encoding: { x, y: { field: 'p', ...y } },
        },
        {
          data: { values: of(truth) },
          mark: { type: 'tick', color: 'black', thickness: 2, size: 70 },
          encoding: { x, y: { field: 'p', ...y } },
        },
        {
          data: { values: best },
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { x, xOffset: beside, y: { field: 'low', ...y }, y2: { field: 'high' }, color },
        },
        {
          data: { values: best },
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { x, xOffset: beside, y: { field: 'p', ...y }, color },
        },
      ],
    },
    path,
  );
}
