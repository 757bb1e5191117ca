/** Runs, read from the store for those who watch. */
import type { Parameter } from '../../../protocol/parameters.ts';
import type { Specification } from '../../../protocol/specification.ts';
import type { Theta } from '../../../protocol/parameters.ts';
import { describeExperiment, type ServedEnvironment } from '../describe.ts';
import type { Server } from '../dispatch.ts';
import type { SessionEntry, Store } from '../store.ts';
import { columnsOf, parametersOf, type Column } from './analysis/columns.ts';
import { evaluationRow } from './analysis/rows.ts';
import { policyNote } from './policy.ts';
import type { About, EvaluationEntry, EvaluationRow, PolicyNote, RunDescription, RunEntry } from './answers.ts';

/** A described run, and what its rows are made with. */
export interface DescribedRun {
  readonly description: RunDescription;
  readonly columns: readonly Column[];
  /** Undefined where the specification is not known. */
  readonly parameters: readonly Parameter[] | undefined;
  /** What serves it now, where its environment is the same as then. */
  readonly served: ServedEnvironment | undefined;
}

/** The number of runs whose descriptions are kept. */
const MOST_DESCRIBED = 64;

/** The runs of a server: what does not change is kept for the next question. */
export class Runs {
  private readonly described = new Map<string, DescribedRun>();

  constructor(private readonly server: Pick<Server, 'store' | 'environments' | 'runtime' | 'reveal'>) {}

  /** All runs, in small pages. */
  *list(): Generator<RunEntry[]> {
    const { store } = this.server;
    for (const page of store.sessions()) yield page.map((entry) => runEntry(store, entry));
  }

  /** @returns undefined when there is no such run */
  describe(run: string): DescribedRun | undefined {
    const known = this.described.get(run);
    if (known) return known;
    const entry = this.server.store.session(run);
    if (!entry) return undefined;
    const described = this.describeEntry(entry);
    // Until it has an evaluation, its parameters may be unknown; and who searches is told after it was opened.
    if (entry.seq > 0) this.described.set(run, described);
    for (const [oldest] of this.described) if (this.described.size > MOST_DESCRIBED) this.described.delete(oldest);
    return described;
  }

  private describeEntry(entry: SessionEntry): DescribedRun {
    const { store, environments, runtime, reveal } = this.server;
    const { record } = entry;
    const { run, env_id, spec_hash, about } = runEntry(store, entry);
    const same = { run, env_id, spec_hash, ...(about && { about }), options: record.options };
    const served = environments.find(({ definition }) => definition.id === env_id);
    const unknown = (why: string): DescribedRun => {
      const description = { ...same, ...unknownDescription(env_id, firstOf(store.evaluations(run, 0)), why) };
      return {
        description,
        columns: columnsOf(description.parameters),
        parameters: undefined,
        served: undefined,
      };
    };
    if (!served) return unknown(`this server does not serve ${env_id}`);
    try {
      const { experiment, spec } = describeExperiment(served.definition, record.options, runtime, served.spec.backend);
      if (spec.spec_hash !== spec_hash) return unknown(`${env_id} is another environment now than it was then`);
      const truth = reveal ? experiment.target.truth : undefined;
      const known = knownDescription(spec, { truth, shows: experiment.pictures !== undefined });
      const description = { ...same, ...known };
      return { description, columns: columnsOf(known.parameters), parameters: spec.parameters, served };
    } catch (error) {
      return unknown((error as Error).message);
    }
  }

  /** The evaluations of a run after a `seq`, in order, in small pages. */
  *rows({ description, columns }: DescribedRun, after: number): Generator<EvaluationRow[]> {
    const names = description.metrics.map(({ name }) => name);
    for (const page of this.server.store.evaluations(description.run, after)) {
      yield page.map((entry) => evaluationRow(entry, columns, names));
    }
  }

  /** What the client of a run has told about its iterations after a number, in order, in small pages. */
  *notes({ description, columns, parameters }: DescribedRun, after: number): Generator<PolicyNote[]> {
    for (const page of this.server.store.notes(description.run, after)) {
      yield page.flatMap(({ number, topic, value }) => {
        const { evaluations, mean, spread } = value;
        if (!/^iteration\/\d+$/.test(topic) || typeof evaluations !== 'number') return [];
        return [policyNote({ number, evaluations, mean, spread }, columns, parameters)];
      });
    }
  }
}

/** What a specification says of a run. */
export function knownDescription(
  { title, parameters, metrics, reward, start, default: byDefault }: Specification,
  { truth, shows }: { readonly truth: Theta | undefined; readonly shows: boolean },
) {
  return {
    ...{ title, parameters, start, default: byDefault, shows, reward: reward.metric },
    metrics: metrics.map(({ name, meaning }) => ({ name, meaning })),
    ...(truth && { truth }),
  };
}

/** What the first evaluation of a run says of it. @param why nothing else does */
export function unknownDescription(
  title: string,
  first: Pick<EvaluationEntry, 'theta' | 'scores' | 'reward'> | undefined,
  why: string,
) {
  const { theta = {}, scores = {}, reward = null } = first ?? {};
  const metrics = Object.keys(scores).map((name) => ({ name, meaning: '' }));
  return {
    ...{ title, parameters: parametersOf(theta), metrics, shows: false, unknown: why },
    reward: metrics.find(({ name }) => scores[name] === reward)?.name ?? 'reward',
  };
}

function firstOf<T>(pages: Iterable<readonly T[]>): T | undefined {
  for (const [first] of pages) return first;
  return undefined;
}

function runEntry(store: Store, { record, open, seq, latestAt, notes }: SessionEntry): RunEntry {
  const about = store.note(record.id, 'run')?.value as About | undefined;
  return {
    run: record.id,
    env_id: record.envId,
    spec_hash: record.specHash,
    ...{ open, seq, notes },
    latest_at: latestAt,
    ...(about && { about: aboutOf(about) }),
  };
}

/** What is right of a note that any client may have written. */
function aboutOf({ agent, run_id, options }: About): About {
  return {
    ...(typeof agent === 'string' && { agent }),
    ...(typeof run_id === 'string' && { run_id }),
    ...(typeof options === 'object' && options !== null && { options }),
  };
}
