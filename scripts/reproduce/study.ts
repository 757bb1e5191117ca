/**
 * A study of `npm run reproduce` is data: its arms, seeds, presets and figures. Each study has a file in this folder.
 *
 *     collect.ts   makes the evaluations that the logs lack, over the server or in this process
 *     evidence.ts  reads the logs
 *     report.ts    turns the logs into tables and figures
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
  /** The name on the command line, and of the folder in results/. */
  readonly name: string;
  /** The id of its environment. */
  readonly environment: string;
  /** What trains the models, if the server does not say. */
  readonly backend: string;
  /** Whether it needs a folder of real images. */
  readonly needsData?: true;
  /** The table that its server looks evaluations up in, instead of making them. */
  readonly table?: string;
  /** By the names that `--preset` takes. */
  readonly presets: Readonly<Record<string, Preset>>;
  /** By their names in summary.json, in the same order. */
  readonly arms: Readonly<Record<string, Arm>>;
  /** How the θ that a search found is scored again. When left out, the final report of the search counts. */
  readonly learned?: {
    readonly seeds: number;
    /** What differs from the preset's options. */
    readonly envOptions?: EnvOptions;
  };
  /** The metric that the arms are compared by; the higher the better. */
  readonly metric: string;
  /** Further test scores that are reported, such as `heldOut.carIou`. */
  readonly alsoReported: readonly string[];
  /** A sentence about the numbers of the table. When left out, it is the one about searches. */
  readonly about?: string;
  readonly figures: readonly Figure[];
  readonly pictures?: readonly StudyPicture[];
  /** Whether its kept logs are lean (logs.ts), because whole logs are too large for the repository. */
  readonly isLean?: true;
}

/** How large a study is. */
export interface Preset {
  /** Runs of each search, and trainings on real data, with seeds 1, 2, 3, … */
  readonly searchSeeds: number;
  /** Evaluations that a search may spend, by arm. */
  readonly evaluations: Readonly<Record<string, number>>;
  /** The number of random θ that are scored. */
  readonly randomThetas: number;
  readonly envOptions: EnvOptions;
  /**
   * What differs while searches go on: shorter evaluations, if their rewards rank θ nearly as well (`npm run noise`). What
   * they find is scored in full (`learned` of the study).
   */
  readonly searchOptions?: EnvOptions | undefined;
  /** The names of the arms that it measures. When left out, it measures all of them. */
  readonly arms?: readonly string[];
  /** How the weights are made from which every training starts. When left out, trainings start from random weights. */
  readonly pretraining?: Pretraining & { readonly envOptions: EnvOptions };
}

export type Arm = SearchArm | ExampleArm | ThetasArm | TrainedArm | BestArm;

/** Runs of an agent, one per seed. */
export interface SearchArm {
  readonly kind: 'search';
  readonly title: string;
  /** The agent's file in agents/, such as `random-search`. */
  readonly agent: string;
  readonly options: AgentOptions;
  /** What differs from the preset's options. */
  readonly envOptions?: EnvOptions;
  /**
   * What differs besides while it searches and chooses its θ. What it finds is scored as the others are (`learned` of the
   * study).
   */
  readonly searchOptions?: EnvOptions;
  /** The id of its environment, where that is another one than the study's; the preset's options are not its own. */
  readonly environment?: string;
  /** What a run may spend, whatever the preset says. */
  readonly evaluations?: number;
  /** The search arm from whose trials, of the same seed, a run starts (`--warm-start`). */
  readonly startsFrom?: string;
  /** The most runs, even if the preset asks for more. */
  readonly mostSeeds?: number;
  /** θ where the search of a seed starts; overrides the start in `options`. */
  readonly start?: (seed: number) => Theta;
}

/** Runs of an optimiser of Python, one per seed; the study says how the θ that they end with is scored (`learned`). */
interface ExampleArm {
  readonly kind: 'example';
  readonly title: string;
  /** The program's file in agents/python/examples, such as `optuna_tpe`. */
  readonly example: string;
  readonly options: AgentOptions;
  /** The most evaluations, even if the preset has more. */
  readonly mostEvaluations?: number;
}

/** Given θ, which no search has found. */
export interface ThetasArm {
  readonly kind: 'thetas';
  readonly title: string;
  readonly thetas: (preset: Preset) => readonly Theta[];
  /** The number of seeds on which each θ is scored. */
  readonly seeds: number;
  /** Whether a θ may have no score, as when it is infeasible: it is left out. */
  readonly mayFail?: true;
  /** What differs from the preset's options. */
  readonly envOptions?: EnvOptions;
}

/** Models that this process trains on real samples, on drawn samples, or on both. */
export interface TrainedArm {
  readonly kind: 'trained';
  /** @param real the number of real samples that each model is trained on */
  readonly title: (real: number) => string;
  /** The real samples of training `number`, from 1. */
  readonly real?: (experiment: Experiment, number: number) => Promise<readonly unknown[]>;
  /** The θ of the drawn samples, one per training. When left out, there is one training per search seed. */
  readonly drawn?: (evidence: Evidence) => readonly Theta[];
  /** What differs from the preset's options. */
  readonly envOptions?: EnvOptions;
}

/** The θ of another arm that is best on validation: somebody who tried them all would choose it. */
interface BestArm {
  readonly kind: 'best';
  readonly title: string;
  readonly of: string;
}

/** How an arm did. */
export interface ArmScores {
  /** A few words for tables and figures. */
  readonly title: string;
  /** The evaluations of each search; 0 if there is no search. */
  readonly evaluations: number;
  /** On the validation set: the scores of each search seed, or of each θ. */
  readonly validation: readonly Scores[];
  /** The same on the test set, which the search has not seen; those of a further set are `<set>.<metric>`. */
  readonly test: readonly Scores[];
}

/** Evaluations of given θ, in one log. */
export interface FixedThetas {
  /** The log's name. Others with the same options may use the same log. */
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

/** The result of one of them. */
export interface Scored {
  readonly outcome: string;
  /** Empty unless the outcome is `ok`, and so is `test`. */
  readonly validation: Scores;
  /** Empty if it was not asked for. */
  readonly test: Scores;
}

/**
 * The content of a study's logs.
 *
 * @throws {Error} each function: naming the log and what it lacks
 */
export interface Evidence {
  readonly study: Study;
  readonly preset: Preset;
  /** The searches by arm, each by seed. */
  searches(): Readonly<Record<string, readonly FinishedSearch[]>>;
  /** The θ that the runs of an arm ended with, by seed; of a search, or of an optimiser of Python. */
  learned(arm: string): Theta[];
  /** In the order of the requests. */
  scored(thetas: FixedThetas): Scored[];
  /** In the order of the study's arms. */
  arms(): Readonly<Record<string, ArmScores>>;
}

/** Tables or charts that are drawn from logs alone. */
export interface Figure {
  /** Further evaluations that it needs, in steps: a step may depend on the results of the steps before it. */
  readonly needs?: readonly ((evidence: Evidence) => readonly FixedThetas[])[];
  /** @param folder where its files go */
  draw(evidence: Evidence, folder: string): void | Promise<void>;
}

/** A picture that needs more than logs: a whole run draws it, `--figures-only` leaves it as it is. */
interface StudyPicture {
  readonly file: string;
  /** What it needs beside the logs, in words. */
  readonly needs: string;
  draw(evidence: Evidence, path: string, runtime: Runtime): Promise<void>;
}
