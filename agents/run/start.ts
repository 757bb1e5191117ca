/** The action where a search starts, according to `--start`. */
import { InvalidArgumentError } from 'commander';
import type { Specification } from '../../protocol/messages.ts';
import { actionSize, completeTheta, defaultTheta, thetaToAction, type Theta } from '../../protocol/parameters.ts';
import type { Random } from '../../protocol/random.ts';
import { jsonObject } from './flags.ts';

const NAMED = ['start', 'default', 'centre', 'random'] as const;

/**
 * The word of `--start` as a run keeps it: of a file its content, since the file may be another one when the run goes on.
 *
 * @throws {InvalidArgumentError} naming what was expected
 */
export function startText(where: string): string {
  if (NAMED.some((name) => name === where)) return where;
  try {
    return JSON.stringify(jsonObject(where));
  } catch (error) {
    throw new InvalidArgumentError(`Expected ${NAMED.join(', ')}, or θ as {…} or a file: ${(error as Error).message}`);
  }
}

/**
 * @param where `start` (the environment's own), `default`, `centre`, `random`, or θ as {…}
 * @returns [D], each from -1 to 1
 * @throws {Error} naming what was expected
 */
export function startAction(
  where: string,
  { parameters, start }: Pick<Specification, 'parameters' | 'start'>,
  random: Random,
): number[] {
  const size = actionSize(parameters);
  const named: Record<(typeof NAMED)[number], () => number[]> = {
    start: () => thetaToAction(parameters, start),
    default: () => thetaToAction(parameters, defaultTheta(parameters)),
    centre: () => Array.from({ length: size }, () => 0),
    random: () => Array.from({ length: size }, () => random.uniform(-1, 1)),
  };
  const own = NAMED.find((name) => name === where);
  if (own) return named[own]();
  try {
    return thetaToAction(parameters, completeTheta(parameters, jsonObject(where) as Theta));
  } catch (error) {
    throw new Error(`--start: ${(error as Error).message}`, { cause: error });
  }
}
