import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { cem } from '../../agents/cem.ts';
import { cmaEs } from '../../agents/cma-es.ts';
import { gaussianProcess } from '../../agents/gaussian-process.ts';
import { reinforce } from '../../agents/reinforce.ts';
import { withRunFlags } from '../../agents/run/run-options.ts';
import { Random } from '../../protocol/random.ts';

const folder = join(import.meta.dirname, '../../agents');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');
/** The card of an agent, or what stands before the first card. */
const card = (file: string) => readme.split(/^## /m).find((part) => part.includes(`: [${file}](${file})\n`));

describe('agents/README.md', () => {
  const programs = readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => readFileSync(join(folder, file), 'utf8').includes('isProgram(import.meta.url)) void'));
  const agents = programs.filter((file) => /program(<\w+>)?\(/.test(readFileSync(join(folder, file), 'utf8')));

  it('has a card for each agent, with every flag of its program', () => {
    assert.ok(agents.length >= 5, agents.join());
    for (const file of agents) {
      assert.ok(card(file), file);
      const flags = readFileSync(join(folder, file), 'utf8').matchAll(/'(--[a-z-]+)/g);
      for (const [, flag] of flags) assert.ok(card(file)!.includes(`\`${flag}\``), `${file} ${flag}`);
    }
  });

  it('has every flag that all agents share', () => {
    const flags = withRunFlags(new Command()).options.filter(({ hidden }) => !hidden);
    assert.ok(flags.length > 10);
    for (const { long } of flags) assert.ok(readme.includes(`\`${long}\``), long);
  });

  it('names every figure that an agent logs', () => {
    const problem = { size: 2, start: [0, 0], random: new Random(1) };
    const made = {
      'reinforce.ts': reinforce(problem, {
        ...{ batch: 2, sigma: 0.1, sigmaDecay: 1, sigmaFloor: 0.1, learnSigma: false, learningRate: 0.1 },
        ...{ ascent: 'adam', advantage: 'baseline', baselineDecay: 0.8, average: 0, antithetic: false },
      }),
      'cem.ts': cem(problem, { population: 4, elite: 2, sigma: 0.1, sigmaFloor: 0.1, smoothing: 1 }),
      'cma-es.ts': cmaEs(problem, { population: 4, sigma: 0.1, sigmaFloor: 0.1 }),
      'gaussian-process.ts': gaussianProcess(problem, { initial: 4, batch: 1 }),
    };
    for (const [file, agent] of Object.entries(made)) {
      agent.tell(agent.ask().map((action) => ({ action, reward: action[0]! })));
      for (const figure of Object.keys(agent.state!()))
        assert.ok(card(file)!.includes(`\`${figure}\``), `${file} ${figure}`);
    }
  });
});
