import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineParameters } from '../../../protocol/parameters.ts';
import { learnedThetaFigure } from '../../../scripts/reproduce/learned-theta.ts';
import type { Evidence } from '../../../scripts/reproduce/study.ts';

const text = { description: '', group: 'g' };
const parameters = defineParameters([
  { kind: 'continuous', name: 'height', low: 2, high: 6, default: 2, scale: 'linear', unit: 'm', ...text },
  { kind: 'continuous', name: 'fog', low: 0.001, high: 0.1, default: 0.01, scale: 'log', unit: '1', ...text },
  { kind: 'simplex', name: 'weather', labels: ['dry', 'wet'], default: [0.5, 0.5], ...text },
] as never);

describe('what searches found', () => {
  it('is told in units, as a place in the range of the action, and beside θ that are known', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'learned-'));
    try {
      const learned = [
        { height: 3, fog: 0.01, weather: [0.2, 0.8], other: 1 },
        { height: 5, fog: 0.01, weather: [0.4, 0.6], other: 1 },
      ];
      const evidence = { arms: () => ({ agent: { title: 'REINFORCE' } }), learned: () => learned };
      const start = { height: 2, fog: 0.1, weather: [0.5, 0.5] };
      const figure = learnedThetaFigure('agent', parameters, { 'the start': start });
      await figure.draw(evidence as unknown as Evidence, folder);
      const rows = readFileSync(join(folder, 'learned-theta.md'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) => line.slice(2, -2).split(' | '));
      assert.deepEqual(rows[0], ['component', 'range', 'the start', 'learned', 'place of the learned']);
      // Two values 2 apart, and half as far in the range: t(.975, 1) times half of their distance.
      assert.deepEqual(rows[1], ['height', '2..6 m', '2', '4.00 ± 12.71', '0.50 ± 3.18']);
      assert.deepEqual(rows[2], ['fog', '0.001..0.1', '0.1', '0.0100 ± 0.0000', '0.50 ± 0.00']);
      assert.deepEqual(rows[3], ['weather.dry', '', '0.5', '0.300 ± 1.271', '0.30 ± 1.27']);
      assert.equal(rows.length, 5);
      assert.match(readFileSync(join(folder, 'learned-theta.svg'), 'utf8'), /What REINFORCE found/);
      assert.ok(existsSync(join(folder, 'learned-theta.png')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a parameter that has no number', () => {
    const [flag] = defineParameters([{ kind: 'boolean', name: 'night', default: false, ...text }] as never);
    assert.throws(
      () => learnedThetaFigure('agent', [flag!], {}),
      /night: expected a parameter with numbers, got a boolean one/,
    );
  });
});
