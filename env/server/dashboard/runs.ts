/** Runs, read from the store for those who watch. */
import type { HistoryEntry } from '../../../protocol/history.ts';
import { actionToTheta, type Parameter } from '../../../protocol/parameters.ts';
import { describeExperiment, type ServedEnvironment } from '../describe.ts';
import type { Server } from '../dispatch.ts';
import type { NoteRecord, SessionEntry, Store } from '../store.ts';
import { columnsOf, flatTheta, parametersOf, type Column } from './analysis/columns.ts';
import type { About, EvaluationRow, PolicyNote, RunDescription, RunEntry } from './answers.ts';

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
      const first = firstOf(store.evaluations(run, 0));
      const parameters = parametersOf(first?.theta ?? {});
      const metrics = Object.keys(first?.scores ?? {}).map((name) => ({ name, meaning: '' }));
      const reward = metrics.find(({ name }) => first?.scores[name] === first?.reward)?.name ?? 'reward';
      const description = { ...same, title: env_id, parameters, metrics, reward, shows: false, unknown: why };
      return { description, columns: columnsOf(parameters), parameters: undefined, served: undefined };
    };
    if (!served) return unknown(`this server does not serve ${env_id}`);
    try {
      const { experiment, spec } = describeExperiment(served.definition, record.options, runtime, served.spec.backend);
      if (spec.spec_hash !== spec_hash) return unknown(`${env_id} is another environment now than it was then`);
      const { parameters, metrics, reward, start, title } = spec;
      const truth = reveal ? experiment.target.truth : undefined;
      const description = {
        ...same,
        title,
        parameters,
        metrics: metrics.map(({ name, meaning }) => ({ name, meaning })),
        reward: reward.metric,
        start,
        default: spec.default,
        ...(truth && { truth }),
        shows: experiment.pictures !== undefined,
      };
      return { description, columns: columnsOf(parameters), parameters, served };
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
      yield page.flatMap((note) => policyNote(note, columns, parameters));
    }
  }
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

/** @param metrics the names of the scores, in their order */
export function evaluationRow(
  entry: HistoryEntry,
  columns: readonly Column[],
  metrics: readonly string[],
): EvaluationRow {
  const { seq, step_id, outcome, reward, accepted_at, theta, scores, seed, test_scores, timing } = entry;
  return {
    ...{ seq, step_id, outcome, reward, seed },
    at: Date.parse(accepted_at),
    ms: Math.round(timing.simulate_ms + timing.train_ms + timing.validate_ms),
    theta: flatTheta(columns, theta),
    scores: metrics.map((name) => scores[name] ?? null),
    ...(test_scores && { test: test_scores }),
  };
}

const isAction = (value: unknown, size: number): value is number[] =>
  Array.isArray(value) && value.length === size && value.every((each) => typeof each === 'number');

/** A note about an iteration, with the policy as θ; nothing for other notes. */
function policyNote(
  { number, topic, value }: NoteRecord,
  columns: readonly Column[],
  parameters: readonly Parameter[] | undefined,
): PolicyNote[] {
  const { evaluations, mean, spread } = value;
  if (!/^iteration\/\d+$/.test(topic) || typeof evaluations !== 'number') return [];
  const size = parameters?.at(-1)?.slice[1] ?? 0;
  if (!parameters || !isAction(mean, size)) return [{ number, evaluations }];
  const sd = typeof spread === 'number' ? new Array<number>(size).fill(spread) : spread;
  const decoded = (shift: number) => {
    const shifted = mean.map((each, i) => each + shift * (isAction(sd, size) ? sd[i]! : 0));
    const clipped = shifted.map((each) => Math.min(1, Math.max(-1, each)));
    return flatTheta(columns, actionToTheta(parameters, clipped));
  };
  const around = isAction(sd, size) && { low: decoded(-1), high: decoded(1) };
  return [{ number, evaluations, mean: decoded(0), ...around }];
}
