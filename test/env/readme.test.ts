import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { BUILT_IN } from '../../env/experiments/index.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import { withThetaTable } from '../../scripts/theta-table.ts';

const path = 'env/README.md';
const readme = readFileSync(path, 'utf8');

/** Gymnasium's headings for the card of an environment. */
const HEADINGS = [
  'Description',
  'Action space',
  'Observation space',
  'Rewards',
  'Starting state',
  'Episode end',
  'Arguments',
  'Version history',
];

/** The text below each heading of an environment's card, by heading. */
function card(id: string): Map<string, string> {
  const text = readme.split(/^## /m).find((section) => section.startsWith(`${id}\n`));
  assert.ok(text !== undefined, `a section ## ${id}`);
  const parts = text.split(/^### /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n'))]));
}

/** The rows of the table with this header's first cell: the cells, without the backquotes around a whole cell. */
function table(text: string, firstCell: string): string[][] {
  const lines = text.slice(text.indexOf(`| ${firstCell} |`)).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(2, end).map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.replace(/^`([^`]*)`$/, '$1')),
  );
}

/** The range of an option as the page writes it; undefined where the page has its own words. */
function range(rule: z.core.JSONSchema.BaseSchema): string | undefined {
  if (rule.enum) return rule.enum.map((value) => `\`${value as string}\``).join(', ');
  if (rule.type === 'integer') return `${rule.minimum} … ${rule.maximum}`;
  if (rule.type === 'number')
    return `> ${rule.exclusiveMinimum}${rule.maximum === undefined ? '' : `, ≤ ${rule.maximum}`}`;
  return undefined;
}

describe('env/README.md', () => {
  for (const [id, load] of Object.entries(BUILT_IN)) {
    it(`has a card of ${id} with Gymnasium's headings`, () => {
      assert.deepEqual([...card(id).keys()], HEADINGS);
    });

    it(`lists the options of ${id} with their defaults and ranges, and its presets`, async () => {
      const { options, presets = {} } = (await load()).default;
      const text = card(id).get('Arguments')!;
      const listed = table(text, 'option').map(([name, byDefault]) => [name!, JSON.parse(byDefault!) as unknown]);
      assert.deepEqual(listed, Object.entries(options.parse({})));
      const rules = z.toJSONSchema(options, { io: 'input' }).properties!;
      for (const [name, , shown] of table(text, 'option')) {
        const expected = range(rules[name!] as z.core.JSONSchema.BaseSchema);
        if (expected !== undefined) assert.equal(shown, expected, name);
      }
      const sets = text.includes('| preset |') ? table(text, 'preset') : [];
      assert.deepEqual(Object.fromEntries(sets.map(([name, set]) => [name!, JSON.parse(set!) as unknown])), presets);
    });
  }

  it('has the spaces of the environments that need no folder of real images', async () => {
    for (const id of ['Mixture-v0', 'TrafficCounting-v0', 'TrafficSegmentation-v0', 'TrafficDetection-v0']) {
      const { spec } = describeExperiment((await BUILT_IN[id]!()).default, {}, DEFAULT_RUNTIME, undefined);
      assert.match(card(id).get('Action space')!, new RegExp(`Box\\(-1, 1, \\(${spec.spaces.action.shape[0]},\\)`));
      const rows = table(card(id).get('Observation space')!, 'index').map((cells) => cells.slice(0, 4));
      const metrics = spec.metrics.map(({ name, low, high }, i) => [i, name, low, high].map(String));
      assert.deepEqual(rows, metrics, id);
    }
  });

  it('has the table of θ as it is (else run: node --import tsx scripts/theta-table.ts)', () => {
    assert.equal(readme, withThetaTable(readme));
  });

  it('points to headings that are there', () => {
    const headings = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!);
    const anchors = headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-'),
    );
    const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!);
    assert.ok(links.length > 10);
    for (const link of links) assert.ok(anchors.includes(link), link);
  });

  it('points to files that are there, whose pictures are small', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^https?:/.test(link));
    assert.ok(links.length > 10);
    let bytes = 0;
    for (const link of new Set(links)) {
      const file = join(dirname(path), link);
      assert.ok(existsSync(file), `${link} is there`);
      if (file.endsWith('.jpg')) bytes += statSync(file).size;
    }
    assert.ok(bytes < 1.5e6, `${bytes} bytes of pictures`);
  });
});
