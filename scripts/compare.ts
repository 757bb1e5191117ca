/** `npm run compare -- runs/*.jsonl`: the runs of agents, side by side. */
import { filePath, number } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { compare } from './compare/measures.ts';
import { writeComparison } from './compare/report.ts';
import { readGroups } from './compare/runs.ts';

interface Options {
  readonly out: string;
  readonly reach?: number;
}

const command = newCommand('compare')
  .description(
    'Compares runs of agents by their logs: a figure of reward over evaluations, and tables. ' +
      'Runs of an agent that differ in their seed alone are one curve, with the interval over them.',
  )
  .argument('<logs...>', 'logs of runs (.jsonl or .jsonl.gz), or folders with logs', (path: string, all?: string[]) => [
    ...(all ?? []),
    filePath(path),
  ])
  .option('--out <folder>', 'where figure and tables go', filePath, 'runs/compare')
  .option(
    '--reach <reward>',
    'the reward to be reached (default: nine tenths of the way from how the searches begin to how the best agent ends)',
    number(),
  );

await runProgram('compare', async () => {
  const { out, reach } = command.parse().opts<Options>();
  const groups = readGroups(command.processedArgs[0] as string[]);
  const table = await writeComparison(compare(groups, reach), groups[0]!.runs[0]!.header.environment.id, out);
  console.log(`${table}\n${out}: rewards.png, rewards.svg, table.md, table.csv, runs.csv`);
});
