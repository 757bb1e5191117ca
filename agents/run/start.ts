/** The action where a search starts, according to `--start`. */
import type { Specification } from '../../protocol/messages.ts';
import { actionSize, completeTheta, defaultTheta, thetaToAction, type Theta } from '../../protocol/parameters.ts';
import type { Random } from '../../protocol/random.ts';
import { jsonObject } from './flags.ts';

/**
 * @param where `start` (the environment's own), `default`, `centre`, `random`, or θ as {…} or a file of it
 * @returns [D], each from -1 to 1
 * @throws {Error} naming what was expected
 */
export function startAction(
  where: string,
  { parameters, start }: Pick<Specification, 'parameters' | 'start'>,
  random: Random,
): number[] {
  const size = actionSize(parameters);
  const named: Record<string, () => number[]> = {
    start: () => thetaToAction(parameters, start),
    default: () => thetaToAction(parameters, defaultTheta(parameters)),
    centre: () => Array.from({ length: size }, () => 0),
    random: () => Array.from({ length: size }, () => random.uniform(-1, 1)),
  };
  if (Object.hasOwn(named, where)) return named[where]!();
  try {
    return thetaToAction(parameters, completeTheta(parameters, jsonObject(where) as Theta));
  } catch (error) {
    const known = `${Object.keys(named).join(', ')}, or θ as {…} or a file`;
    throw new Error(`--start: expected ${known}: ${(error as Error).message}`, { cause: error });
  }
}
