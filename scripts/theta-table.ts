/** `node --import tsx scripts/theta-table.ts`: writes the table of the traffic simulator's θ into env/README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isProgram } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { TRAFFIC_PARAMETERS } from '../env/simulators/traffic/parameters.ts';
import type { Parameter } from '../protocol/parameters.ts';

const README = 'env/README.md';
const BEGIN = '<!-- θ of traffic: written by scripts/theta-table.ts -->\n<!-- prettier-ignore-start -->\n';
const END = '<!-- prettier-ignore-end -->';

function rangeAndUnit(p: Parameter): [range: string, unit: string] {
  switch (p.kind) {
    case 'continuous':
      return [`${p.low} … ${p.high}${p.scale === 'log' ? ' (log)' : ''}`, p.unit];
    case 'integer':
      return [`${p.low} … ${p.high}, whole${p.scale === 'log' ? ' (log)' : ''}`, p.unit];
    case 'boolean':
      return ['true, false', ''];
    case 'categorical':
      return [`one of ${p.choices.join(', ')}`, ''];
    case 'simplex':
      return [p.labels.join(', '), 'probabilities'];
  }
}

/** A Markdown table of parameters: name, range, default and meaning. */
function thetaTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map((p) => {
    return `| \`${p.name}\` | ${rangeAndUnit(p).join(' | ')} | ${[p.default].flat().join(', ')} | ${p.meaning} |`;
  });
  return ['| name | range | unit | default | meaning |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}

/** A README with the table between its two marks. @throws {Error} when the marks are missing */
export function withThetaTable(readme: string): string {
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.slice(rest.indexOf(END));
  if (before === undefined || after === undefined || !after.startsWith(END)) {
    throw new Error(`${README}: expected the lines ${BEGIN.trim()} and ${END}, found none`);
  }
  return `${before}${BEGIN}${thetaTable(TRAFFIC_PARAMETERS)}${after}`;
}

if (isProgram(import.meta.url)) {
  newCommand('theta-table').description(`Writes the table of the traffic simulator’s θ into ${README}.`).parse();
  await runProgram('theta-table', () => {
    writeFileSync(README, withThetaTable(readFileSync(README, 'utf8')));
    console.log(README);
  });
}
