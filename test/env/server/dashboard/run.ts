/** Runs for tests, made of rewards and θ. */
import { RunData } from '../../../../env/server/dashboard/analysis/run-data.ts';
import type {
  EvaluationRow,
  RunDescription,
  ShownParameter,
  ThetaValue,
} from '../../../../env/server/dashboard/answers.ts';

export interface TestEvaluation {
  readonly theta: readonly ThetaValue[];
  readonly reward: number | null;
  readonly step_id?: string;
}

export const number = (name: string, more: Partial<ShownParameter> = {}): ShownParameter => ({
  ...{
    name,
    meaning: `what ${name} is`,
    kind: 'continuous',
    low: 0,
    high: 1,
    scale: 'linear',
    unit: '1',
    default: 0.5,
  },
  ...more,
});

export function testRun(
  parameters: readonly ShownParameter[],
  evaluations: readonly TestEvaluation[],
  more: Partial<RunDescription> = {},
): RunData {
  const data = new RunData({
    ...{ run: 'run', env_id: 'Test-v0', spec_hash: 'hash', title: 'A test', options: {}, parameters, reward: 'gain' },
    ...{ metrics: [{ name: 'gain', meaning: 'what is gained' }], shows: false },
    ...more,
  });
  data.add(
    evaluations.map(({ theta, reward, step_id }, i): EvaluationRow => ({
      ...{ seq: i + 1, step_id: step_id ?? `id/search/${i}`, outcome: reward === null ? 'diverged' : 'ok', reward },
      ...{ at: 1000 * i, ms: 10, end: 1000 * i + 10, theta, scores: [reward], seed: i },
    })),
  );
  return data;
}
