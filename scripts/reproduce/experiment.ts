/** What an experiment of `npm run reproduce` is: a file of this folder exports one, and reproduce.ts lists it. */
import type { Runtime } from '../../env/runtime.ts';
import type { Pretraining } from '../pretraining.ts';
import type { Programs, StartedServer } from '../programs.ts';

/** Scores of one θ on one set, by metric. */
export type Scores = Readonly<Record<string, number>>;

/** Options of the environment, as `open` takes them. */
export type EnvOptions = Readonly<Record<string, unknown>>;

export interface Preset {
  /** Runs of each search, with seeds 1, 2, 3, … */
  readonly searchSeeds: number;
  /** Evaluations that a search may spend, by arm. */
  readonly evaluations: Readonly<Record<string, number>>;
  /** How many θ the arm `random` draws. */
  readonly randomThetas: number;
  readonly envOptions: EnvOptions;
  /** Where every evaluation is fine-tuned: how the weights are made that it starts from. */
  readonly pretraining?: Pretraining & { readonly envOptions: EnvOptions };
}

/** How one arm of an experiment did. */
export interface Arm {
  /** What it is, in a few words, for tables and figures. */
  readonly title: string;
  /** What each of its searches spent; 0 where nothing is searched. */
  readonly evaluations: number;
  /** On the validation set: the scores of each search seed, or of each θ. */
  readonly validation: readonly Scores[];
  /** The same on the test set, which the search has not seen; those of a further set are `<set>.<metric>`. */
  readonly test: readonly Scores[];
}

/** What an experiment is given. */
export interface Laboratory {
  readonly programs: Programs;
  readonly server: StartedServer;
  readonly preset: Preset;
  /** What the server runs on, for networks that are trained in this process: they are to be like the server's. */
  readonly runtime: Runtime;
  /** Where logs are kept, so that a stopped reproduction goes on. */
  readonly logs: string;
  /** Where tables and figures go. */
  readonly out: string;
}

export interface Experiment {
  /** The environment that it serves. */
  readonly environment: string;
  /** What trains, where the server does not say. */
  readonly backend: string;
  /** Whether it needs a folder of real images. */
  readonly needsData?: true;
  /** The metric that the arms are compared by; the higher the better. */
  readonly metric: string;
  /** Further test scores that are reported, such as `heldOut.carIou`. */
  readonly alsoReported: readonly string[];
  readonly presets: Readonly<Record<'quick' | 'standard', Preset>>;
  /** Runs every arm, draws the figures, and gives the arms by their names in summary.json. */
  run(laboratory: Laboratory): Promise<Record<string, Arm>>;
}
