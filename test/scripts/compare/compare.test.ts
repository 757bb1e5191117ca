import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { compare, rewardsBySpending } from '../../../scripts/compare/measures.ts';
import { writeComparison } from '../../../scripts/compare/report.ts';
import { readGroups } from '../../../scripts/compare/runs.ts';

interface LogOptions {
  readonly agent?: string;
  readonly seed?: number;
  readonly options?: object;
  readonly specHash?: string;
  /** null where the evaluation failed. */
  readonly rewards?: readonly (number | null)[];
  /** What each evaluation costs. */
  readonly work?: number;
  /** Test scores of the start and of what was learned; a run without them has not ended. */
  readonly test?: readonly [start: number, learned: number];
}

describe('npm run compare', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'compare-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes the log of a run. @returns its path */
  function log(name: string, given: LogOptions = {}): string {
    const { agent = 'cem', seed = 1, options = {}, specHash = 'abc', rewards = [1, 2, 3, 4], work = 1, test } = given;
    const header = {
      type: 'run',
      runId: name,
      agent,
      options: { ...options, seed, evaluations: rewards.length, url: `ws://${name}` },
      environment: { id: 'Bandit-v0', specHash, options: {} },
    };
    const trials = rewards.map((reward, i) => ({
      ...{ type: 'evaluation', key: `search/${i}`, action: [], theta: {}, outcome: reward === null ? 'failed' : 'ok' },
      ...{ reward, scores: {}, seeds: {}, timing: {}, ...(work !== 1 && { work }) },
    }));
    const reported = ['start', 'learned'].map((name, i) => ({ name, validation: [], test: [{ iou: test?.[i] }] }));
    const lines = [header, ...trials.toReversed(), ...(test ? [{ type: 'summary', reported }] : [])];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const path = join(folder, name);
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
    return path;
  }

  it('puts runs together that differ in their seed alone, and names what tells the others apart', () => {
    const paths = [
      log('a', { seed: 2, options: { population: 8, sigma: 1 } }),
      log('b.gz', { seed: 1, options: { sigma: 1, population: 8 } }),
      log('c', { options: { population: 16, sigma: 1 } }),
      log('d', { options: { population: 8, sigma: 1 }, rewards: [1, 2] }),
      log('e', { agent: 'random-search', options: { batch: 8 } }),
    ];
    const groups = readGroups(paths).map(({ name, runs }) => [name, runs.map(({ header }) => header.options['seed'])]);
    assert.deepEqual(groups, [
      ['cem (population 16, evaluations 4)', [1]],
      ['cem (population 8, evaluations 2)', [1]],
      ['cem (population 8, evaluations 4)', [1, 2]],
      ['random-search', [1]],
    ]);
  });

  it('reads the logs of a folder', () => {
    mkdirSync(join(folder, 'runs'));
    log('runs/a.jsonl');
    log('runs/b.jsonl.gz', { seed: 2 });
    writeFileSync(join(folder, 'runs/notes.txt'), 'hello');
    writeFileSync(join(folder, 'runs/._a.jsonl'), 'of macOS');
    assert.equal(readGroups([join(folder, 'runs')])[0]!.runs.length, 2);
  });

  it('measures each run, and each group over its runs', () => {
    const rising = Array.from({ length: 40 }, (_, i) => i / 10); // 0 to 3.9; the last tenth: 3.6 to 3.9
    const paths = [
      log('a', { rewards: rising, test: [0.1, 0.5] }),
      log('b', { rewards: rising.map((r) => r + 1), seed: 2, test: [0.1, 0.7] }),
      log('c', { rewards: rising.map(() => 0.5), agent: 'random-search' }),
    ];
    const { groups, level } = compare(readGroups(paths), 2);
    const [cem, random] = groups;
    assert.equal(level, 2);
    assert.ok(Math.abs(cem!.best.mean - 4.4) < 1e-12);
    assert.ok(Math.abs(cem!.lastTenth.mean - 4.25) < 1e-12);
    // The mean of four in a row is at least 2 from the 23rd to the 26th on: 2.2, …; a reward higher, ten earlier.
    assert.deepEqual(
      cem!.runs.map(({ toReach }) => toReach),
      [23, 13],
    );
    assert.equal(cem!.toReach, 18);
    assert.ok(Math.abs(cem!.test.learned['iou']!.mean - 0.6) < 1e-12);
    assert.equal(cem!.test.start['iou']!.mean, 0.1);
    assert.equal(random!.toReach, null);
    assert.deepEqual(random!.test, { start: {}, learned: {} });
    // Nine tenths of the way from the mean of the first tenths (.15, 1.15, .5) to 4.25.
    assert.ok(Math.abs(compare(readGroups(paths)).level - (4.25 - 0.1 * (4.25 - 0.6))) < 1e-12);
  });

  it('counts what was spent: a discarded evaluation by its share, a failed one without a reward', () => {
    const trials = (...given: [reward: number | null, work?: number][]) =>
      given.map(([reward, work]) => ({ reward, ...(work !== undefined && { work }) }));
    const of = (...given: [number | null, number?][]) => rewardsBySpending({ trials: trials(...given) as never });
    assert.deepEqual(of([1], [null], [3]), [1, null, 3]);
    assert.deepEqual(of([1], [null, 0.25], [null, 0.5], [5, 0.25], [6]), [1, 5, 6]);
    assert.deepEqual(of(...Array<[number, number]>(10).fill([2, 0.1])), [2]);
    const discarded = { reward: null, estimate: 1, work: 0.5 };
    const estimated = rewardsBySpending({ trials: [discarded, { reward: 3, work: 0.5 }] as never });
    assert.deepEqual(estimated, [2], 'a discarded one counts with its estimate');
  });

  it('refuses, in a sentence with the file, what cannot be compared', () => {
    const a = log('a');
    const cases: [paths: string[], error: RegExp][] = [
      [
        [a, log('b', { specHash: 'other' })],
        /b: expected a run in Bandit-v0 with spec abc as .*a, got .* cannot be compared/,
      ],
      [[a, a], /a: expected another seed than .*a, got 1 and the same options/],
      [[a, join(folder, 'none')], /none: expected the log of a run, got no such file/],
      [[a, log('c', { rewards: [] })], /c: expected the log of a search, got one without its evaluations/],
      [[folder], /: expected logs of runs \(\.jsonl\) in this folder, found none/],
    ];
    for (const [paths, error] of cases) assert.throws(() => readGroups(paths), error);
    assert.throws(() => compare(readGroups([log('d', { rewards: [null] })])), /d: expected a reward, got none in 1/);
  });

  it('writes tables and a figure, the same bytes each time', async () => {
    const paths = [
      log('a', { rewards: [1, 2, 3, 4], test: [0.1, 0.5] }),
      log('b', { rewards: [1, 2, 3, 5], seed: 2 }),
      log('c', { agent: 'random "search"', rewards: [1, 1, 1, 1], test: [0.1, 0.2] }),
    ];
    const files = ['table.md', 'table.csv', 'runs.csv', 'rewards.svg', 'rewards.png'];
    const written = async (out: string) => {
      await writeComparison(compare(readGroups(paths)), 'Bandit-v0', join(folder, out));
      return files.map((file) => readFileSync(join(folder, out, file)));
    };
    const [markdown, table, runs, svg, png] = await written('one');
    assert.deepEqual(await written('two'), [markdown, table, runs, svg, png]);
    assert.match(
      markdown!.toString(),
      /^\| cem \| 2 \| 4 \| 4\.5000 ± 6\.3531 \| 4\.5000 ± 6\.3531 \| – \(1 of 2\) \| 0\.5000 \|$/m,
    );
    assert.match(markdown!.toString(), /^\| cem, random "search" \| 0\.1000 \|$/m);
    assert.match(markdown!.toString(), /^1 of the runs has not ended/m);
    assert.match(runs!.toString(), /^"cem",2,".*b",false,4,5,5,4,,$/m);
    assert.match(table!.toString(), /^"random ""search""",1,4,/m);
    assert.match(svg!.toString(), /random/);
    assert.equal(png!.subarray(1, 4).toString(), 'PNG');
  });

  it('ends with a sentence and code 1 where a log is missing @slow', async () => {
    const { code, err } = await new Promise<{ code: unknown; err: string }>((settle) =>
      execFile('npx', ['tsx', 'scripts/compare.ts', 'none.jsonl'], (error, _, err) =>
        settle({ code: error?.code, err }),
      ),
    );
    assert.equal(code, 1);
    assert.match(err, /^compare: none\.jsonl: expected the log of a run, got no such file$/m);
  });
});
