/**
 * What the page is told: by a server, or by the file of a report. All of it is JSON.
 *
 * A *run* is a session: what one client has evaluated in one environment. Its evaluations are numbered 1, 2, 3 … by
 * `seq`, its notes by `number`; both only grow, so the page asks for what comes after the last that it has.
 */
import type { Outcome } from '../../../protocol/messages.ts';
import type { WorkerInfo } from '../../workers/evaluations.ts';

/** A value of θ: of one parameter, or of one label of a simplex. */
export type ThetaValue = number | boolean | string;

/** θ by name, of any kind of parameter. */
export type NamedTheta = Readonly<Record<string, ThetaValue | readonly number[]>>;

/** A parameter as the page shows it: what its kind does not have is left out. */
export interface ShownParameter {
  readonly name: string;
  readonly meaning: string;
  /** `continuous`, `simplex`, `integer`, `boolean`, `categorical`. */
  readonly kind: string;
  readonly low?: number;
  readonly high?: number;
  readonly scale?: 'linear' | 'log';
  readonly unit?: string;
  readonly labels?: readonly string[];
  readonly choices?: readonly string[];
  readonly default?: ThetaValue | readonly number[];
}

/** Who asks. */
export interface Visitor {
  readonly roles: readonly ('agent' | 'observer' | 'admin')[];
  /** Whether the server has any token. */
  readonly needsToken: boolean;
}

/** A run in the list of all. */
export interface RunEntry {
  readonly run: string;
  readonly env_id: string;
  readonly spec_hash: string;
  /** Whether its session is open. */
  readonly open: boolean;
  /** Of its latest result, 0 for none. */
  readonly seq: number;
  /** When the step of that result was accepted: milliseconds since 1970, 0 for none. */
  readonly latest_at: number;
  /** Of its latest note, 0 for none. */
  readonly notes: number;
  /** Who searches, where the client has said so. */
  readonly about?: About;
}

/** The note `run`. */
export interface About {
  readonly agent?: string;
  readonly run_id?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What stays the same while a run goes on. */
export interface RunDescription extends Pick<RunEntry, 'run' | 'env_id' | 'spec_hash' | 'about'> {
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly parameters: readonly ShownParameter[];
  readonly metrics: readonly { readonly name: string; readonly meaning: string }[];
  /** The metric that is the reward. */
  readonly reward: string;
  readonly start?: NamedTheta;
  readonly default?: NamedTheta;
  /** The θ that the target is drawn from, where a server shows it (`--reveal`). */
  readonly truth?: NamedTheta;
  /** Whether samples of it can be drawn as pictures. */
  readonly shows: boolean;
  /** Why its specification is not known, in a sentence: then parameters and metrics are those of its evaluations. */
  readonly unknown?: string;
}

/** An evaluation in the list of a run. */
export interface EvaluationRow {
  readonly seq: number;
  readonly step_id: string;
  readonly outcome: Outcome | 'discarded';
  readonly reward: number | null;
  /** When it was accepted: milliseconds since 1970; 0 where a log does not say it. */
  readonly at: number;
  /** How long it ran, without the queue, in milliseconds. */
  readonly ms: number;
  /** When it ended, about; 0 where a log does not say when it began. */
  readonly end: number;
  /** θ, flat: a value for each parameter, or for each label of a simplex, in their order; numbers to 6 digits. */
  readonly theta: readonly ThetaValue[];
  /** In the order of the metrics; null where there is none. */
  readonly scores: readonly (number | null)[];
  /** The seed from which the others follow, unless they are pinned; null where a log does not have it. */
  readonly seed: number | null;
  /** Scores on the test set, by metric. */
  readonly test?: Readonly<Record<string, number>>;
}

/** All that is known about an evaluation; a log knows less than a server. */
export interface EvaluationEntry extends Pick<EvaluationRow, 'seq' | 'step_id' | 'outcome' | 'reward'> {
  readonly scores: Readonly<Record<string, number>>;
  readonly test_scores?: Readonly<Record<string, number>> | undefined;
  readonly early_scores?: EarlyScoresOf | undefined;
  readonly reason?: string | undefined;
  readonly theta: NamedTheta;
  readonly seed?: number;
  readonly seeds: Readonly<Record<string, number>>;
  readonly timing: Readonly<Record<string, number>>;
  /** In ISO 8601. */
  readonly accepted_at?: string;
  readonly repro?: { readonly build: string; readonly backend?: string | undefined };
}

/** A report: what a server would tell of some runs, in the page's own file. */
export interface ReportedRuns {
  readonly runs: readonly {
    readonly entry: RunEntry;
    readonly description: RunDescription;
    readonly evaluations: readonly EvaluationEntry[];
    readonly notes: readonly PolicyNote[];
  }[];
}

/** A note about an iteration of a search. */
export interface PolicyNote {
  readonly number: number;
  /** The number of evaluations that the search has been told. */
  readonly evaluations: number;
  /** The θ of the policy's mean, and of the mean less and plus one standard deviation, flat. */
  readonly mean?: readonly ThetaValue[];
  readonly low?: readonly ThetaValue[];
  readonly high?: readonly ThetaValue[];
}

/** An evaluation that runs. */
export interface Underway {
  readonly session_id: string;
  readonly step_id: string;
  readonly theta: NamedTheta;
  readonly phase: string;
  readonly fraction: number;
  readonly eta_ms?: number;
  /** [share of the training, loss], over the training so far. */
  readonly losses: readonly (readonly [number, number])[];
  readonly early: EarlyScoresOf;
}

export type EarlyScoresOf = readonly {
  readonly fraction: number;
  readonly scores: Readonly<Record<string, number>>;
}[];

/** The state of a server, told whenever it has changed. */
export interface ServerState {
  readonly server: {
    readonly version: string;
    readonly build: string;
    /** Of the process: another one is a restart. */
    readonly started_at: number;
    readonly draining: boolean;
    /** Why the journal cannot be written. */
    readonly failure?: string;
    /** Why the queue on which other machines work cannot be reached. */
    readonly queue_failure?: string;
    readonly workers: number;
    readonly ready_workers: number;
    readonly queued: number;
    readonly running: number;
    readonly restarts: number;
    /** The programs that run evaluations: this server's own, and those of its queue. */
    readonly machines: readonly WorkerInfo[];
    readonly memory_bytes: number;
    /** Sessions that were opened or restored since the process began: another number says that there are other runs. */
    readonly sessions: number;
    /** Evaluations that have ended since the process began. */
    readonly evaluated: number;
  };
  /** Open sessions. */
  readonly runs: readonly LiveRun[];
  readonly underway: readonly Underway[];
}

export interface LiveRun {
  readonly run: string;
  readonly env_id: string;
  readonly spec_hash: string;
  readonly attached: boolean;
  readonly in_flight: number;
  readonly seq: number;
  /** Another number than before says that there are new notes. */
  readonly notes: number;
}

/** What the model of a run's latest evaluation predicts, of those that were asked to show it. */
export interface LatestPrediction {
  readonly step: string;
  /** Or why it cannot be shown, in a sentence. */
  readonly shown: readonly PictureStrip[] | string;
}

/** Pictures of one kind: of some samples, side by side. */
export interface PictureStrip {
  readonly name: string;
  readonly meaning: string;
  readonly pictures: readonly {
    readonly width: number;
    readonly height: number;
    /** A PNG in base64. */
    readonly png: string;
    readonly caption?: string;
  }[];
  /** What colours mean. */
  readonly key?: readonly { readonly name: string; readonly colour: readonly number[] }[];
}
