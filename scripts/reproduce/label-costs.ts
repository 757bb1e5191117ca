/** What the reward loses where a label is drawn too often: how closely a search can find a proportion at all. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../../agents/statistics.ts';
import type { Parameter, Theta } from '../../protocol/parameters.ts';
import { deriveSeed } from '../../protocol/random.ts';
import { seedsOf } from './arms.ts';
import type { Laboratory } from './experiment.ts';
import { scoreThetas } from './fixed-thetas.ts';
import { simplexes } from './proportions.ts';

/** Shares that are moved from the hidden proportions to one label. */
const MOVED = [0.3, 0.9];
const SEEDS = 5;

/** The hidden θ* with a share of one simplex moved to one label: p = (1 − t) p* + t e. */
export function movedTo(hidden: Theta, name: string, label: number, share: number): Theta {
  const moved = (hidden[name] as number[]).map((p, i) => (1 - share) * p + (i === label ? share : 0));
  return { ...hidden, [name]: moved };
}

/**
 * Writes `label-costs.csv` and `label-costs.md`: by how much the reward of θ* falls when a share goes to one label, on
 * validation, with the same seeds for all θ, whose noise then cancels in the difference.
 */
export async function reportLabelCosts(
  { server, logs, preset, out }: Laboratory,
  { environment, metric }: { readonly environment: string; readonly metric: string },
  parameters: readonly Parameter[],
  hidden: Theta,
): Promise<void> {
  const moves = simplexes(parameters).flatMap(({ name, labels }) =>
    labels.flatMap((label, i) =>
      MOVED.map((share) => ({ name, label, share, theta: movedTo(hidden, name, i, share) })),
    ),
  );
  const seeds = seedsOf(SEEDS);
  const requestsOf = (key: string, theta: Theta) =>
    seeds.map((seed) => ({ key: `${key}/${seed}`, theta, seed: deriveSeed(seed, 'label costs') }));
  const requests = [
    ...requestsOf('truth', hidden),
    ...moves.flatMap(({ name, label, share, theta }) => requestsOf(`${name}.${label}/${share}`, theta)),
  ];
  console.log(`costs of labels: ${requests.length} evaluations`);
  const log = join(logs, 'label-costs.jsonl');
  const scored = await scoreThetas(
    { url: server.url, environment, envOptions: preset.envOptions, log, test: false },
    requests,
  );
  const rewards = scored.map(({ validation }) => validation[metric]!);
  const truth = rewards.slice(0, SEEDS);
  const costs = moves.map((move, i) => {
    const own = rewards.slice((i + 1) * SEEDS, (i + 2) * SEEDS);
    return { ...move, ...summarise(own.map((reward, seed) => truth[seed]! - reward)) };
  });

  const csv = costs.map(({ name, label, share, mean, ci95 }) => [name, label, share, mean, ...(ci95 ?? [])].join());
  writeFileSync(join(out, 'label-costs.csv'), `${['parameter,label,share,cost,low,high', ...csv].join('\n')}\n`);
  const cell = ({ mean, ci95 }: (typeof costs)[number]) =>
    ci95 ? `${mean.toFixed(3)} ± ${(ci95[1] - mean).toFixed(3)}` : mean.toFixed(3);
  const row = (name: string, label: string, p: number) => {
    const own = costs.filter((cost) => cost.name === name && cost.label === label);
    return `| ${name} | ${label} | ${p.toFixed(2)} | ${own.map(cell).join(' | ')} |`;
  };
  const text = [
    `# What a wrong label costs`,
    '',
    `By how much ${metric} on validation falls from that of the hidden θ* when a share of its scenes (weather) or cars (types) goes to one label, with all else as it is; mean ± half of the 95 % interval over ${SEEDS} seeds, paired with θ*. A proportion whose change costs no more than the interval is not to be found in the reward.`,
    '',
    `| | label | hidden p | ${MOVED.map((share) => `${Math.round(100 * share)} % moved to it`).join(' | ')} |`,
    `|---|---|--:|${MOVED.map(() => '--:|').join('')}`,
    ...simplexes(parameters).flatMap(({ name, labels }) =>
      labels.map((label, i) => row(name, label, (hidden[name] as number[])[i]!)),
    ),
    '',
  ];
  writeFileSync(join(out, 'label-costs.md'), text.join('\n'));
}
