import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeChart } from '../../../scripts/figures/chart.ts';

describe('a chart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'));
  after(() => rmSync(folder, { recursive: true }));

  const spec = (values: { x: number; y: number }[]) => ({
    title: 'Reward',
    data: { values },
    width: 200,
    height: 100,
    mark: { type: 'point' as const, filled: true, color: '#ff0000' },
    encoding: { x: { field: 'x', type: 'quantitative' as const }, y: { field: 'y', type: 'quantitative' as const } },
  });
  const redPixels = async (path: string) => {
    const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    let count = 0;
    for (let i = 0; i < data.length; i += info.channels) if (data[i]! > 200 && data[i + 1]! < 120) count++;
    return count;
  };

  it('is written as SVG and as PNG, with its marks and its text', async () => {
    const png = await writeChart(spec([{ x: 1, y: 1 }]), join(folder, 'one'));
    assert.equal(png, join(folder, 'one.png'));
    assert.match(readFileSync(join(folder, 'one.svg'), 'utf8'), /^<svg[^]*Reward[^]*<\/svg>/);
    const one = await redPixels(png);
    const three = await redPixels(
      await writeChart(spec([1, 2, 3].map((x) => ({ x, y: x }))), join(folder, 'sub', 'three')),
    );
    assert.ok(one > 20 && three > 2.5 * one, `${one} and ${three} red pixels`);
  });

  it('has legends as strong as its curves, also where its first marks are faint', async () => {
    const encoding = {
      x: { field: 'x', type: 'quantitative' as const },
      y: { field: 'y', type: 'quantitative' as const },
      color: { field: 'arm', type: 'nominal' as const },
    };
    for (const type of ['line', 'area', 'point'] as const) {
      const layer = [
        { mark: { type, opacity: 0.3 }, encoding },
        { mark: { type: 'line' as const, strokeWidth: 3 }, encoding },
      ];
      const values = [1, 2].map((x) => ({ x, y: x, arm: 'one' }));
      await writeChart({ hconcat: [{ layer, data: { values } }] }, join(folder, type));
      const [symbols] = /role-legend-symbol[^]*?<\/g>/.exec(readFileSync(join(folder, `${type}.svg`), 'utf8'))!;
      assert.match(symbols, /<path/);
      assert.doesNotMatch(symbols, /opacity="0/);
    }
  });
});
