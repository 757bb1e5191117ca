/** The table of `npm run noise`, and its conclusions. */
import type { Scores } from '../../env/tasks/task.ts';
import { markdownTable } from '../markdown.ts';
import { mean, rankCorrelation, replicatesFor, singleSeedAgreement, variances, type Rewards } from './analysis.ts';

/** The measurement of one length of evaluation. */
export interface Measurement {
  /** [thetas][seeds]; null for an evaluation without a reward. */
  readonly rewards: readonly (readonly (number | null)[])[];
  /** All scores of the same evaluations, the reward among them; none of one without a reward. */
  readonly scores: readonly (readonly Scores[])[];
  /** The mean time of an evaluation. */
  readonly seconds: number;
  readonly options: Readonly<Record<string, unknown>>;
  /** Of another environment: its id, in the place of the options that differ. */
  readonly environment?: string;
}

export interface NoiseReport {
  readonly title: string;
  readonly metric: string;
  readonly command: string;
  readonly full: Measurement;
  /** One or more kinds of shorter evaluations, or of other ones. */
  readonly short: readonly Measurement[];
}

/** The loss of rank agreement that is accepted for the speed of a short evaluation. */
const TOLERATED_LOSS = 0.05;

/** @returns Markdown @throws {RangeError} when fewer than 3 θ have a reward for every seed */
export function noiseReport({ title, metric, command, full, short }: NoiseReport): string {
  const all = [full, ...short];
  const whole = full.rewards.map((_, i) => all.every(({ rewards }) => rewards[i]!.every((reward) => reward !== null)));
  const rewardsOf = ({ rewards }: Measurement) => rewards.filter((_, i) => whole[i]) as Rewards;
  const fullRewards = rewardsOf(full);
  if (fullRewards.length < 3) {
    throw new RangeError(`noise: expected at least 3 θ with a reward for every seed, got ${fullRewards.length}`);
  }
  const agreement = (measurement: Measurement) => singleSeedAgreement(rewardsOf(measurement), fullRewards);
  const rows = all.map((measurement) => {
    const v = variances(rewardsOf(measurement));
    const sd = (variance: number) => Math.sqrt(Math.max(0, variance)).toFixed(4);
    const cells = [sd(v.between), sd(v.within), sd(v.withinCommon), v.reliability.toFixed(2)];
    const agrees = agreement(measurement).toFixed(2);
    const name = measurement === full ? 'full' : nameOf(measurement, full);
    return `| ${[name, measurement.seconds.toFixed(1), ...cells, agrees, replicatesFor(v)].join(' | ')} |`;
  });
  const left = full.rewards.length - fullRewards.length;
  return [
    `# Noise of ${title}`,
    '',
    `Reward: ${metric}. ${fullRewards.length} random θ × ${fullRewards[0]!.length} seeds${left > 0 ? `; ${left} θ without a reward for some seed were left out` : ''}.`,
    '',
    `    ${command}`,
    '',
    '| evaluation | seconds | sd between θ | sd within θ | sd within θ, common seeds | share that is θ | rank agreement of one seed | replicates for 90 % |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    "- Rank agreement: Spearman's correlation of one evaluation of each θ with the mean of the full ones of the other seeds.",
    ...short.map((measurement) => {
      const name = nameOf(measurement, full);
      const means = rankCorrelation(rewardsOf(measurement).map(mean), fullRewards.map(mean)).toFixed(2);
      const speed = `${(full.seconds / measurement.seconds).toFixed(1)} times as fast`;
      return `- ${name}: ${recommendation(speed, agreement(measurement), agreement(full))} Rank agreement of the means: ${means}.`;
    }),
    `- ${commonSeeds(fullRewards)}`,
    '',
    ...otherScores(
      full.scores.filter((_, i) => whole[i]),
      metric,
      fullRewards,
    ),
  ].join('\n');
}

/** How well a search for the reward finds θ that are good by the other scores. */
function otherScores(scores: Measurement['scores'], reward: string, rewards: Rewards): string[] {
  const names = Object.keys(scores[0]![0]!).filter((name) => name !== reward);
  if (names.length === 0) return [];
  const rows = names.map((name) => {
    const own = scores.map((row) => row.map((all) => all[name]!));
    const [itself, byReward] = [singleSeedAgreement(own, own), singleSeedAgreement(rewards, own)];
    const means = rankCorrelation(rewards.map(mean), own.map(mean));
    const shown = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(2)); // a score that does not vary
    return [name, ...[variances(own).reliability, itself, byReward, means].map(shown)];
  });
  const head = ['score', 'share that is θ', 'rank agreement of one seed', `of ${reward} with it`, 'of the means'];
  return [
    '## Other scores of the full evaluations',
    '',
    `Rank agreement of one evaluation of each θ with the mean of the score over the other seeds: of the score itself, and of ${reward}, which a search would go by; and that of both means.`,
    '',
    ...markdownTable(head, rows),
    '',
  ];
}

/** The options in which a short evaluation differs, or the other environment. */
function nameOf({ options: short, environment }: Measurement, { options: full }: Measurement): string {
  if (environment !== undefined) return environment;
  return Object.keys(full)
    .filter((name) => JSON.stringify(short[name]) !== JSON.stringify(full[name]))
    .map((name) => `${name} ${JSON.stringify(short[name])} of ${JSON.stringify(full[name])}`)
    .join(', ');
}

function recommendation(speed: string, short: number, full: number): string {
  return short >= full - TOLERATED_LOSS
    ? `search with it: it is ${speed} as the full evaluation, and ranks nearly as well (${short.toFixed(2)} against ${full.toFixed(2)}).`
    : `it is ${speed} as the full evaluation, but ranks worse (${short.toFixed(2)} against ${full.toFixed(2)}).`;
}

function commonSeeds(rewards: Rewards): string {
  const { within, withinCommon } = variances(rewards);
  const gain = within > 0 ? 1 - Math.sqrt(withinCommon / within) : 0;
  return gain > 0.1
    ? `Common seeds within a batch take ${(100 * gain).toFixed(0)} % off the noise of a comparison: pin them.`
    : 'Common seeds within a batch gain little.';
}
