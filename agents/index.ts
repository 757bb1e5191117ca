/**
 * What you need for an agent of your own.
 *
 *     import { clip, program, type Agent, type Problem } from 'learning-to-simulate/agent';
 *
 *     function hillClimber({ start, random }: Problem): Agent {
 *       let best = { action: start, reward: -Infinity };
 *       return {
 *         ask: () => Array.from({ length: 4 }, () => clip(best.action.map((a) => random.normal(a, 0.2)))),
 *         tell: (trials) => {
 *           for (const { action, reward } of trials) {
 *             if (reward !== null && reward > best.reward) best = { action, reward };
 *           }
 *         },
 *       };
 *     }
 *
 *     void program('hill-climber', hillClimber, (command) => command.description('Keeps the best neighbour.'))();
 */
export { bestFirst, clip, type Agent, type Problem, type Trial } from './agent.ts';
export { program } from './run/program.ts';
/** Readers of flags, for `command.option('--batch <n>', 'actions per iteration', integer(1), 8)`. */
export { absolutePath, choice, filePath, integer, isProgram, jsonObject, number, seed, word } from './run/flags.ts';
export { deriveSeed, Random, type Seed } from '../protocol/random.ts';
