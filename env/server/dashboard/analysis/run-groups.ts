/** Runs that differ in their seed alone, as groups: what intervals are taken over. */
import type { RunData } from './run-data.ts';

export interface RunGroup {
  /** The agent, with the options that tell it from the other groups. */
  readonly name: string;
  readonly runs: readonly RunData[];
}

/** Options that do not tell one group from another. */
const OF_THE_RUN = ['seed', 'url', 'env', 'searchSeeds'];

function optionsOf({ description }: RunData): Record<string, unknown> {
  const options = Object.entries(description.about?.options ?? {}).filter(([name]) => !OF_THE_RUN.includes(name));
  return Object.fromEntries(options.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A run whose client has told nothing is a group of its own. */
const agentOf = ({ description: { about, run } }: RunData) => about?.agent ?? `unnamed ${run.slice(0, 8)}`;

export function groupRuns(runs: readonly RunData[]): RunGroup[] {
  const groups = new Map<string, RunData[]>();
  for (const run of runs) {
    const key = JSON.stringify([agentOf(run), optionsOf(run)]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const all = [...groups.values()];
  return all.map((own) => ({ name: nameOf(own, all), runs: own })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameOf([first]: readonly RunData[], groups: readonly (readonly RunData[])[]): string {
  const agent = agentOf(first!);
  const same = groups.filter(([other]) => agentOf(other!) === agent).map(([other]) => optionsOf(other!));
  const own = optionsOf(first!);
  const names = [...new Set(same.flatMap((options) => Object.keys(options)))];
  const told = names.filter((name) => new Set(same.map((options) => JSON.stringify(options[name]))).size > 1);
  const words = told.flatMap((name) => (own[name] === undefined ? [] : [`${name} ${JSON.stringify(own[name])}`]));
  return words.length > 0 ? `${agent} (${words.join(', ')})` : agent;
}

/** The rewards of a run's search, in the order of its evaluations; null where one failed. */
export function searchRewards({ rewards, purposes }: RunData): (number | null)[] {
  return rewards.flatMap((reward, i) => (purposes[i] === 'search' ? [Number.isNaN(reward) ? null : reward] : []));
}
