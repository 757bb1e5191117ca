/**
 * An environment whose θ has a parameter of every kind: which dice give sums like those of hidden dice?
 *
 *     npm run serve -- --env ./env/examples/dice.ts --port 7077
 *     node --import tsx agents/gaussian-process.ts --url ws://127.0.0.1:7077 --evaluations 64
 *
 * line.ts beside this file has only one parameter, and explains the rest of an environment.
 */
import { z } from 'zod';
import { completeTheta, defineParameters, type ThetaOf } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import { defineExperiment, type Experiment } from '../experiments/experiment.ts';
import type { Simulator } from '../simulators/simulator.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import type { Task } from '../tasks/task.ts';

const SIDES = { tetrahedron: 4, cube: 6, octahedron: 8, icosahedron: 20 } as const;

const table = [
  {
    kind: 'integer',
    name: 'dice',
    low: 1,
    high: 6,
    scale: 'linear',
    default: 2,
    unit: 'dice',
    meaning: 'Dice in a throw.',
  },
  {
    kind: 'categorical',
    name: 'die',
    choices: ['tetrahedron', 'cube', 'octahedron', 'icosahedron'],
    default: 'cube',
    meaning: 'Body of each die.',
  },
  { kind: 'boolean', name: 'bestOfTwo', default: false, meaning: 'Whether the better of two throws counts.' },
  {
    kind: 'continuous',
    name: 'bonus',
    low: -10,
    high: 10,
    scale: 'linear',
    default: 0,
    unit: 'points',
    meaning: 'Points that are added to each sum.',
  },
  {
    kind: 'simplex',
    name: 'luck',
    labels: ['lowest', 'any', 'highest'],
    default: [0, 1, 0],
    meaning: 'The face on which a die falls.',
  },
] as const;
const parameters = defineParameters(table);
/** `die` is one of the four bodies, `dice` a number, `bestOfTwo` a boolean, `luck` a list of numbers. */
type DiceTheta = ThetaOf<typeof table>;

function throwOf({ dice, die, luck }: DiceTheta, random: Random): number {
  let sum = 0;
  for (let i = 0; i < dice; i++) sum += [1, 1 + random.integer(SIDES[die]), SIDES[die]][random.categorical(luck)]!;
  return sum;
}

/** A sample is the sum of a throw. */
const simulator: Simulator<number> = {
  name: 'dice',
  version: 1,
  parameters,
  open(given, seed) {
    const theta = completeTheta(parameters, given) as unknown as DiceTheta;
    return {
      draw(index) {
        const random = new Random(deriveSeed(seed, index));
        const [first, second] = [throwOf(theta, random), throwOf(theta, random)];
        return theta.bonus + (theta.bestOfTwo ? Math.max(first, second) : first);
      },
    };
  },
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);

/** The model is a normal distribution; its score is the mean log density of the points that it should expect. */
const task: Task<number> = {
  name: 'normal distribution',
  metrics: [{ name: 'logDensity', meaning: 'Mean logarithm of the density', low: -Infinity, high: 0 }],
  reward: 'logDensity',
  train: async (sums) => {
    const middle = mean(sums);
    const variance = Math.max(0.25, mean(sums.map((sum) => (sum - middle) ** 2)));
    const logDensity = (sum: number) => -((sum - middle) ** 2 / variance + Math.log(2 * Math.PI * variance)) / 2;
    return { score: async (set) => ({ logDensity: mean(set.map(logDensity)) }), dispose() {} };
  },
};

export default defineExperiment({
  id: 'Dice-v0',
  title: 'Sums of dice, a normal distribution',
  options: z.strictObject({ throws: z.int().min(2).max(10_000).default(200) }),
  create({ throws }): Experiment<number> {
    const hidden = { dice: 4, die: 'octahedron', bestOfTwo: true, bonus: 3, luck: [0.1, 0.7, 0.2] };
    return {
      simulator,
      task,
      target: hiddenTarget(simulator, hidden, { validation: 400, test: 1000 }, 7),
      trainingSamples: throws,
      start: { dice: 1, die: 'tetrahedron', bonus: -5 },
    };
  },
});
