import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  progressLine,
  simulatorRequest,
  trainerRequest,
  trainerResult,
  warmAnswer,
} from '../../../env/programs/contract.ts';
import { parametersOf } from '../../../env/programs/parameter-file.ts';
import { PLACEHOLDERS } from '../../../env/programs/template.ts';

const page = readFileSync('env/programs.md', 'utf8');

describe('env/programs.md', () => {
  it('numbers its rules without a gap, and each is in the title of a test', () => {
    const rules = [...page.matchAll(/^- \*\*\[(G\d+)\]\*\*/gm)].map(([, id]) => id!);
    assert.deepEqual(
      rules,
      Array.from({ length: rules.length }, (_, i) => `G${i + 1}`),
    );
    assert.ok(rules.length > 20, 'there are rules');
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.test.ts'),
    );
    const titles = files
      .flatMap((name) => readFileSync(join('test', name), 'utf8').match(/\b(?:it|describe)\(\s*['"`].*/g) ?? [])
      .join('\n');
    for (const id of rules) assert.ok(titles.includes(`[${id}]`), id);
  });

  it('[G5] [G11] [G12] [G17] shows files and lines that are as the schemas say', () => {
    const blocks = [...page.matchAll(/^```json\n([^]*?)^```/gm)].map(
      ([, text]) => JSON.parse(text!) as { kind?: string },
    );
    simulatorRequest.strict().parse(blocks.find(({ kind }) => kind === 'simulate'));
    trainerRequest.strict().parse(blocks.find(({ kind }) => kind === 'train'));
    parametersOf(
      blocks.find((block) => 'parameters' in block),
      'the page',
    );
    const line = (start: string) => JSON.parse(page.slice(page.indexOf(`\`${start}`) + 1).split('`')[0]!) as unknown;
    trainerResult.strict().parse(line('{"scores"'));
    progressLine.strict().parse(line('{"fraction"'));
    warmAnswer.strict().parse(line('{"id"'));
  });

  it('[G2] lists what may stand in braces, of which role', () => {
    const rows = [...page.matchAll(/^\| (`\{.*?) \| (both|simulator|trainer) \|/gm)];
    for (const role of ['simulator', 'trainer'] as const) {
      const names = rows
        .filter(([, , of]) => of === 'both' || of === role)
        .flatMap(([, cell]) => [...cell!.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!));
      assert.deepEqual(names.sort(), [...PLACEHOLDERS[role]].sort());
    }
  });
});
