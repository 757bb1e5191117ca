/** What an experiment of `npm run reproduce` is: a file of this folder exports one, and reproduce.ts lists it. */
import type { Programs, StartedServer } from '../programs.ts';

export interface Preset {
  /** Runs of each search, with seeds 1, 2, 3, … */
  readonly searchSeeds: number;
  /** Evaluations that a search may spend, by arm. */
  readonly evaluations: Readonly<Record<string, number>>;
  /** How many θ the arm `random` draws. */
  readonly randomThetas: number;
}

/** How one arm of an experiment did. */
export interface Arm {
  /** What it is, in a few words, for tables and figures. */
  readonly title: string;
  /** What each of its searches spent; 0 where nothing is searched. */
  readonly evaluations: number;
  /** The reward's metric on the validation set: a value for each search seed, or each θ. */
  readonly validation: readonly number[];
  /** The same on the test set, which the search has not seen. */
  readonly test: readonly number[];
}

/** What an experiment is given. */
export interface Laboratory {
  readonly programs: Programs;
  readonly server: StartedServer;
  readonly preset: Preset;
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
  /** The metric of the reward. */
  readonly metric: string;
  readonly presets: Readonly<Record<'quick' | 'standard', Preset>>;
  /** Runs every arm, draws the figures, and gives the arms by their names in summary.json. */
  run(laboratory: Laboratory): Promise<Record<string, Arm>>;
}
