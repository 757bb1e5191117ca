/** The table of `npm run noise`, and its conclusions. */
import { rankCorrelation, replicatesFor, singleSeedAgreement, variances, type Rewards } from './analysis.ts';

/** The measurement of one length of evaluation. */
export interface Measurement {
  /** [thetas][seeds]; null for an evaluation without a reward. */
  readonly rewards: readonly (readonly (number | null)[])[];
  /** The mean time of an evaluation. */
  readonly seconds: number;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface NoiseReport {
  readonly title: string;
  readonly metric: string;
  readonly command: string;
  readonly full: Measurement;
  readonly short: Measurement;
}

/** The loss of rank agreement that is accepted for the speed of a short evaluation. */
const TOLERATED_LOSS = 0.05;

/** @returns Markdown @throws {RangeError} when fewer than 3 θ have a reward for every seed */
export function noiseReport({ title, metric, command, full, short }: NoiseReport): string {
  const whole = full.rewards.map((row, i) => [...row, ...short.rewards[i]!].every((reward) => reward !== null));
  const rewardsOf = ({ rewards }: Measurement) => rewards.filter((_, i) => whole[i]) as Rewards;
  const [fullRewards, shortRewards] = [rewardsOf(full), rewardsOf(short)];
  if (fullRewards.length < 3) {
    throw new RangeError(`noise: expected at least 3 θ with a reward for every seed, got ${fullRewards.length}`);
  }
  const means = (rewards: Rewards) => rewards.map((row) => row.reduce((a, b) => a + b) / row.length);
  const agreement = {
    full: singleSeedAgreement(fullRewards, fullRewards),
    short: singleSeedAgreement(shortRewards, fullRewards),
    means: rankCorrelation(means(shortRewards), means(fullRewards)),
  };
  const rows = [
    ['full', full, fullRewards, agreement.full] as const,
    ['short', short, shortRewards, agreement.short] as const,
  ].map(([name, { seconds }, rewards, agrees]) => {
    const v = variances(rewards);
    const sd = (variance: number) => Math.sqrt(Math.max(0, variance)).toFixed(4);
    const cells = [sd(v.between), sd(v.within), sd(v.withinCommon), v.reliability.toFixed(2), agrees.toFixed(2)];
    return `| ${[name, seconds.toFixed(1), ...cells, replicatesFor(v)].join(' | ')} |`;
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
    `- Rank agreement: Spearman's correlation of one evaluation of each θ with the mean of the full ones of the other seeds. Means of short and full evaluations: ${agreement.means.toFixed(2)}.`,
    `- Short: ${differences(short.options, full.options)}.`,
    `- ${recommendation(full, short, fullRewards, agreement)}`,
    '',
  ].join('\n');
}

/** The options in which the short evaluation differs. */
function differences(short: Measurement['options'], full: Measurement['options']): string {
  return Object.keys(full)
    .filter((name) => JSON.stringify(short[name]) !== JSON.stringify(full[name]))
    .map((name) => `${name} ${JSON.stringify(short[name])} of ${JSON.stringify(full[name])}`)
    .join(', ');
}

function recommendation(
  full: Measurement,
  short: Measurement,
  rewards: Rewards,
  agreement: { readonly full: number; readonly short: number },
): string {
  const { within, withinCommon } = variances(rewards);
  const speed = `${(full.seconds / short.seconds).toFixed(1)} times as fast`;
  const length =
    agreement.short >= agreement.full - TOLERATED_LOSS
      ? `Search with the short evaluation: it is ${speed} and ranks nearly as well (${agreement.short.toFixed(2)} against ${agreement.full.toFixed(2)}).`
      : `Search with the full evaluation: the short one is ${speed}, but ranks worse (${agreement.short.toFixed(2)} against ${agreement.full.toFixed(2)}).`;
  const gain = within > 0 ? 1 - Math.sqrt(withinCommon / within) : 0;
  const common =
    gain > 0.1
      ? `Common seeds within a batch take ${(100 * gain).toFixed(0)} % off the noise of a comparison: pin them.`
      : 'Common seeds within a batch gain little.';
  return `${length} ${common}`;
}
