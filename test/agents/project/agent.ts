/** An agent as somebody writes it in a project of their own. */
import { clip, integer, isProgram, program, type Agent, type Problem } from 'learning-to-simulate/agent';

function hillClimber({ start, random }: Problem, { batch }: { readonly batch: number }): Agent {
  let best = { action: start, reward: -Infinity };
  return {
    ask: () => Array.from({ length: batch }, () => clip(best.action.map((a) => random.normal(a, 0.3)))),
    tell: (trials) => {
      for (const { action, reward } of trials) if (reward !== null && reward > best.reward) best = { action, reward };
    },
  };
}

const hillClimberProgram = program<{ readonly batch: number }>('hill-climber', hillClimber, (command) =>
  command.description('Keeps the best of its neighbours.').option('--batch <n>', 'actions an iteration', integer(1), 4),
);

if (isProgram(import.meta.url)) void hillClimberProgram();
