/**
 * What a study of `npm run reproduce` is: data. A file of this folder exports one, and reproduce.ts lists it.
 *
 *     collect.ts   evaluates what the logs lack, over the server or in this process
 *     evidence.ts  what the logs say
 *     report.ts    from the logs to tables and figures
 */
import type { Scores } from '../../env/tasks/task.ts';
import type { Experiment } from '../../env/experiments/experiment.ts';
import type { Runtime } from '../../env/runtime.ts';
import type { Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import type { Pretraining } from '../pretraining.ts';
import type { AgentOptions, FinishedSearch } from './search-log.ts';

/** Options of the environment, as `open` takes them. */
export type EnvOptions = Readonly<Record<string, unknown>>;

export interface Study {
  /** As on the command line, and of its folder in results/. */
  readonly name: string;
  /** The id of the environment that it evaluates in. */
  readonly environment: string;
  /** What trains, where the server does not say. */
  readonly backend: string;
  /** Whether it needs a folder of real images. */
  readonly needsData?: true;
  /** By the names that `--preset` takes. */
  readonly presets: Readonly<Record<string, Preset>>;
  /** By their names in summary.json, in its order. */
  readonly arms: Readonly<Record<string, Arm>>;
  /** How what a search found is scored again; where left out, the final report of its run counts. */
  readonly learned?: {
    readonly seeds: number;
    /** What differs from the preset's options. */
    readonly envOptions?: EnvOptions;
  };
  /** The metric that the arms are compared by; the higher the better. */
  readonly metric: string;
  /** Further test scores that are reported, such as `heldOut.carIou`. */
  readonly alsoReported: readonly string[];
  /** What the numbers of the table are, where they are not those of searches. */
  readonly about?: string;
  readonly figures: readonly Figure[];
  readonly pictures?: readonly StudyPicture[];
  /** Whether its kept logs are lean (logs.ts): whole ones would be too large to go with the results. */
  readonly isLean?: true;
}

/** How large a study is. */
export interface Preset {
  /** Runs of each search, and trainings on real data, with seeds 1, 2, 3, … */
  readonly searchSeeds: number;
  /** Evaluations that a search may spend, by arm. */
  readonly evaluations: Readonly<Record<string, number>>;
  /** How many θ the arm `random` draws. */
  readonly randomThetas: number;
  readonly envOptions: EnvOptions;
  /** Where every evaluation is fine-tuned: how the weights are made that it starts from. */
  readonly pretraining?: Pretraining & { readonly envOptions: EnvOptions };
}

export type Arm = SearchArm | ThetasArm | TrainedArm | BestArm;

/** Runs of an agent. */
export interface SearchArm {
  readonly kind: 'search';
  readonly title: string;
  /** The agent's file in agents/, such as `random-search`. */
  readonly agent: string;
  readonly options: AgentOptions;
  /** What differs from the preset's options. */
  readonly envOptions?: EnvOptions;
  /** Runs at most, where the preset asks for more. */
  readonly mostSeeds?: number;
  /** θ where the search of a seed starts, where it is not the one that `options` name. */
  readonly start?: (seed: number) => Theta;
}

/** θ that nobody searches. */
export interface ThetasArm {
  readonly kind: 'thetas';
  readonly title: string;
  readonly thetas: (preset: Preset) => readonly Theta[];
  /** On how many seeds each θ is scored. */
  readonly seeds: number;
  /** What differs from the preset's options. */
  readonly envOptions?: EnvOptions;
}

/** Models that are trained in this process on samples which are no evaluation of a θ: on real ones, or on both. */
export interface TrainedArm {
  readonly kind: 'trained';
  /** @param real how many real samples each of its models is trained on */
  readonly title: (real: number) => string;
  /** The real samples of training `number`, from 1. */
  readonly real?: (experiment: Experiment, number: number) => Promise<readonly unknown[]>;
  /** For each training the θ of drawn samples. Without it there are as many trainings as search seeds. */
  readonly drawn?: (evidence: Evidence) => readonly Theta[];
}

/** Of another arm's θ the one that is best on validation: the pick of somebody who tried them all. */
interface BestArm {
  readonly kind: 'best';
  readonly title: string;
  readonly of: string;
}

/** How an arm did. */
export interface ArmScores {
  /** What it is, in a few words, for tables and figures. */
  readonly title: string;
  /** What each of its searches spent; 0 where nothing is searched. */
  readonly evaluations: number;
  /** On the validation set: the scores of each search seed, or of each θ. */
  readonly validation: readonly Scores[];
  /** The same on the test set, which the search has not seen; those of a further set are `<set>.<metric>`. */
  readonly test: readonly Scores[];
}

/** Evaluations of θ that nobody searches, in a log of their own. */
export interface FixedThetas {
  /** The log's name; several may share it where their options are the same. */
  readonly log: string;
  /** What differs from the preset's options. */
  readonly envOptions?: EnvOptions;
  /** Whether the test set is scored as well. */
  readonly test: boolean;
  /** Whether a θ may have no score, as when it is infeasible. */
  readonly mayFail?: true;
  readonly requests: readonly FixedTheta[];
}

/** θ by name, or as an action. */
export type FixedTheta = ({ readonly theta: Theta } | { readonly action: readonly number[] }) & {
  /** Such as `random/3`. */
  readonly key: string;
  readonly seed: Seed;
};

/** What came of one of them. */
export interface Scored {
  readonly outcome: string;
  /** Empty unless the outcome is `ok`, and so is `test`. */
  readonly validation: Scores;
  /** Empty where it was not asked for. */
  readonly test: Scores;
}

/**
 * What the logs of a study say.
 *
 * @throws {Error} from each of its functions, naming the log and what it lacks
 */
export interface Evidence {
  readonly study: Study;
  readonly preset: Preset;
  /** The searches by arm, each by seed. */
  searches(): Readonly<Record<string, readonly FinishedSearch[]>>;
  /** In the order of the requests. */
  scored(thetas: FixedThetas): Scored[];
  /** In the order of the study's arms. */
  arms(): Readonly<Record<string, ArmScores>>;
}

/** Tables or charts that are drawn from logs alone. */
export interface Figure {
  /** What it needs beside the arms, step by step: the evaluations of a step may depend on those of the steps before. */
  readonly needs?: readonly ((evidence: Evidence) => readonly FixedThetas[])[];
  /** @param folder where its files go */
  draw(evidence: Evidence, folder: string): void | Promise<void>;
}

/** A picture that no log can draw: a whole run draws it, `--figures-only` leaves it as it is. */
interface StudyPicture {
  readonly file: string;
  /** What it needs that the logs do not have, in words. */
  readonly needs: string;
  draw(evidence: Evidence, path: string, runtime: Runtime): Promise<void>;
}
