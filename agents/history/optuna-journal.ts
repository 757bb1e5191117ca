/**
 * Evaluations as the journal file of Optuna's `JournalStorage`: its dashboard shows them, and `study.ask()` goes on from
 * them.
 *
 * Each line is an operation (optuna/storages/journal/_storage.py). A trial is one operation with all that it has. Its
 * parameters are the flat form of the Python package (learning_to_simulate/distributions.py): a number by its name and in
 * its unit (`fog`), true or false and a choice by the name of their parameter (`night`, `sky`), and each class of a simplex
 * (`weather.rain`) as a component of θ's action, from -1 to 1.
 *
 * @see https://optuna.readthedocs.io/en/stable/reference/generated/optuna.storages.JournalStorage.html
 */
import { thetaToAction, type Parameter, type Theta } from '../../protocol/parameters.ts';
import type { PastEvaluation } from '../run/trial-log.ts';

/** Trials whose rewards compare: they were made under one specification. */
export interface OptunaStudy {
  readonly name: string;
  /** The metric of the reward, which is maximised. */
  readonly metric: string;
  readonly parameters: readonly Parameter[];
  /** The oldest first; at least one. */
  readonly evaluations: readonly PastEvaluation[];
  /** The time, in ISO 8601, of an evaluation that has none: Optuna wants one. */
  readonly time: string;
}

/** Of optuna's JournalOperation. */
const CREATE_STUDY = 0;
const SET_STUDY_USER_ATTR = 2;
const SET_STUDY_SYSTEM_ATTR = 3;
const CREATE_TRIAL = 4;
/** Of optuna's StudyDirection. */
const MAXIMIZE = 2;
/** Of optuna's TrialState. */
const [COMPLETE, PRUNED, FAIL] = [1, 2, 3];

/** Who wrote an operation: to Optuna, another process than its own. */
const WORKER = 'learning-to-simulate';

/**
 * The text of a journal.
 *
 * An evaluation without a reward becomes a failed trial, without a value; one that its own run has discarded, a pruned one.
 * What else is known of an evaluation are the trial's user attributes.
 */
export function optunaJournal(studies: readonly OptunaStudy[]): string {
  const operations = studies.flatMap((study, id) => operationsOf(study, id));
  return operations.map((operation) => `${JSON.stringify({ worker_id: WORKER, ...operation })}\n`).join('');
}

/** How many trials of each state a study has. */
export function trialStates({ evaluations }: OptunaStudy): { failed: number; pruned: number } {
  const count = (state: number | undefined) => evaluations.filter((evaluation) => stateOf(evaluation) === state).length;
  return { failed: count(FAIL), pruned: count(PRUNED) };
}

/** @param study_id studies are numbered in the order in which they are created */
function operationsOf(study: OptunaStudy, study_id: number): object[] {
  const { name, metric, parameters, evaluations } = study;
  const [{ env_id, options, repro }] = evaluations as [PastEvaluation];
  const attributes = { env_id, options, spec_hash: repro.spec_hash };
  const distributions = Object.fromEntries(
    dimensions(parameters).map(({ label, distribution }) => [label, JSON.stringify(distribution)]),
  );
  return [
    { op_code: CREATE_STUDY, study_name: name, directions: [MAXIMIZE] },
    { op_code: SET_STUDY_SYSTEM_ATTR, study_id, system_attr: { 'study:metric_names': [metric] } },
    // One key an operation: Optuna takes no more.
    ...Object.entries(attributes).map(([key, value]) => {
      return { op_code: SET_STUDY_USER_ATTR, study_id, user_attr: { [key]: value } };
    }),
    ...evaluations.map((evaluation) => ({
      ...{ op_code: CREATE_TRIAL, study_id, distributions },
      ...trialOf(evaluation, study),
    })),
  ];
}

function stateOf({ outcome }: PastEvaluation): number | undefined {
  return outcome === 'ok' ? COMPLETE : outcome === 'discarded' ? PRUNED : FAIL;
}

/** With +00:00 in place of Z, which Python reads from 3.11 on. */
const isoTime = (ms: number) => new Date(ms).toISOString().replace(/Z$/, '+00:00');

function trialOf(evaluation: PastEvaluation, { parameters, metric, time }: OptunaStudy): object {
  const { accepted_at = time, outcome, reward, theta, early_scores = [], timing = {} } = evaluation;
  const took = Object.values(timing).reduce((sum, ms) => sum + ms, 0);
  const early = early_scores.flatMap(({ fraction, scores: { [metric]: score } }) =>
    score === undefined ? [] : [[Math.floor(100 * fraction), score] as const],
  );
  return {
    state: stateOf(evaluation),
    value: outcome === 'ok' ? reward : null,
    values: null,
    datetime_start: isoTime(Date.parse(accepted_at)),
    datetime_complete: isoTime(Date.parse(accepted_at) + took),
    params: internalValues(parameters, theta),
    user_attrs: attributesOf(evaluation),
    system_attrs: {},
    intermediate_values: Object.fromEntries(early),
  };
}

/** What else is known: scores each by its own name, which the dashboard can plot. */
function attributesOf(evaluation: PastEvaluation): Record<string, unknown> {
  const { step_id, key, outcome, reason, theta, scores, test_scores = {}, seeds, timing } = evaluation;
  const named = (of: string, values: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${of}.${name}`, value]));
  const all = { step_id, key, outcome, reason, ...named('score', scores), ...named('test', test_scores) };
  return Object.fromEntries(
    Object.entries({ ...all, theta, seeds, timing }).filter(([, value]) => value !== undefined),
  );
}

/** A parameter of Optuna's search space. */
interface Dimension {
  readonly label: string;
  /** As Optuna writes one down. */
  readonly distribution: { readonly name: string; readonly attributes: object };
}

function dimensions(parameters: readonly Parameter[]): Dimension[] {
  const float = (low: number, high: number, log: boolean) => {
    return { name: 'FloatDistribution', attributes: { step: null, low, high, log } };
  };
  const choice = (choices: readonly (boolean | string)[]) => {
    return { name: 'CategoricalDistribution', attributes: { choices } };
  };
  return parameters.flatMap((p): Dimension[] => {
    switch (p.kind) {
      case 'continuous':
        return [{ label: p.name, distribution: float(p.low, p.high, p.scale === 'log') }];
      case 'simplex':
        return p.labels.map((label) => ({ label: `${p.name}.${label}`, distribution: float(-1, 1, false) }));
      case 'integer': {
        const { name, low, high, scale } = p;
        return [
          {
            label: name,
            distribution: { name: 'IntDistribution', attributes: { log: scale === 'log', step: 1, low, high } },
          },
        ];
      }
      case 'boolean':
        return [{ label: p.name, distribution: choice([false, true]) }];
      case 'categorical':
        return [{ label: p.name, distribution: choice(p.choices) }];
    }
  });
}

/** θ in the flat form, as Optuna stores it: a choice by its position. */
function internalValues(parameters: readonly Parameter[], theta: Theta): Record<string, number> {
  const action = thetaToAction(parameters, theta);
  return Object.fromEntries(
    parameters.flatMap((p): [string, number][] => {
      const value = theta[p.name];
      switch (p.kind) {
        case 'continuous':
        case 'integer':
          return [[p.name, value as number]];
        case 'boolean':
          return [[p.name, Number(value)]];
        case 'categorical':
          return [[p.name, p.choices.indexOf(value as string)]];
        case 'simplex':
          return p.labels.map((label, i) => [`${p.name}.${label}`, action[p.slice[0] + i]!]);
      }
    }),
  );
}
