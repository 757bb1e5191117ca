/** θ on the command line. */
import { readFileSync } from 'node:fs';
import { completeTheta, type Parameter, type Theta, theta as thetaSchema } from '../protocol/parameters.ts';

/** What `--theta` takes, for its help text. */
export const THETA_HELP = 'θ by name, as JSON or a file of it; what it leaves out takes its default';

/**
 * θ from JSON or from a file of it.
 *
 * @throws {ParameterError} naming the parameter that breaks its rule
 */
export function readTheta(parameters: readonly Parameter[], source: string): Theta {
  const text = source.trimStart().startsWith('{') ? source : readFileSync(source, 'utf8');
  return completeTheta(parameters, thetaSchema.parse(JSON.parse(text)));
}
