import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { descriptionOf, readDescription } from '../../../env/tables/description.ts';
import { readTable } from '../../../env/tables/table.ts';

const DESCRIPTION = {
  parameters: [
    { name: 'fog', low: 0, high: 2, default: 1 },
    { name: 'lamps', kind: 'integer', low: 1, high: 5, default: 2 },
    { name: 'trees', kind: 'boolean', default: true },
    { name: 'camera', kind: 'categorical', choices: ['wide', 'long, slow'], default: 'wide' },
    { name: 'weather', kind: 'simplex', labels: ['dry', 'rain'], default: [0.5, 0.5] },
  ],
  metrics: [{ name: 'iou', low: 0, high: 1 }, { name: 'loss' }],
};
const THETA = ['fog', 'lamps', 'trees', 'camera', 'weather.dry', 'weather.rain'];

describe('a table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'table-'));
  after(() => rmSync(folder, { recursive: true }));
  const description = descriptionOf(DESCRIPTION, 'x.json');

  function csv(text: string): string {
    const path = join(folder, 'x.csv');
    writeFileSync(path, text);
    return path;
  }

  it('has the evaluations of each θ together, with all their numbers', async () => {
    const columns = [
      ...THETA.map((name) => `theta.${name}`),
      'outcome',
      'reason',
      'scores.iou',
      'scores.loss',
      'test_scores.heldOut.iou',
      'early_scores.0.50.iou',
      'timing.trainMs',
    ];
    const path = csv(
      [
        columns.join(),
        '1.5,3,true,"long, slow",0.25,0.75,ok,,0.5,2,0.4,0.3,7',
        '0.5,3,false,wide,0.25,0.75,diverged,too far,,,,,',
        '1.5,3,true,"long, slow",0.25,0.75,ok,,0.6,1,0.5,0.2,8',
        '',
      ].join('\n'),
    );
    const { outputs, configurations } = await readTable(path, description);
    assert.deepEqual(outputs, [
      { column: 'scores.iou', set: 'validation', name: 'iou' },
      { column: 'scores.loss', set: 'validation', name: 'loss' },
      { column: 'test_scores.heldOut.iou', set: 'test', name: 'heldOut.iou' },
      { column: 'early_scores.0.50.iou', set: 'early', name: 'iou', fraction: 0.5 },
    ]);
    assert.deepEqual(
      configurations.map(({ theta, results, failures }) => ({ theta, results, failures })),
      [
        {
          theta: { fog: 1.5, lamps: 3, trees: true, camera: 'long, slow', weather: [0.25, 0.75] },
          results: [
            [0.5, 2, 0.4, 0.3],
            [0.6, 1, 0.5, 0.2],
          ],
          failures: [],
        },
        {
          theta: { fog: 0.5, lamps: 3, trees: false, camera: 'wide', weather: [0.25, 0.75] },
          results: [],
          failures: [{ outcome: 'diverged', reason: 'too far' }],
        },
      ],
    );
  });

  it('of another project has plain names, and no outcomes', async () => {
    const path = csv(`${THETA.join()},iou,loss,seed\n0,1,1,wide,0,1,0.5,2,7\n`);
    const { configurations } = await readTable(path, description);
    assert.deepEqual(configurations[0]!.theta['trees'], true);
    assert.deepEqual(configurations[0]!.results, [[0.5, 2]]);
  });

  it('may be the log of a run: without stopped evaluations, and without scores that only its report has', async () => {
    const head = `outcome,${THETA.join()},scores.iou,scores.loss,test_scores.iou,early_scores.0.50.iou`;
    const rows = ['ok,0,1,1,wide,0,1,0.5,2,,0.3', 'discarded,0,1,1,wide,0,1,,,,0.1', 'ok,0,1,1,wide,0,1,0.6,3,0.4,0.2'];
    const { outputs, incomplete, configurations } = await readTable(csv([head, ...rows, ''].join('\n')), description);
    assert.deepEqual(incomplete, ['test_scores.iou']);
    assert.deepEqual(
      outputs.map(({ column }) => column),
      ['scores.iou', 'scores.loss', 'early_scores.0.50.iou'],
    );
    assert.deepEqual(configurations[0]!.results, [
      [0.5, 2, 0.3],
      [0.6, 3, 0.2],
    ]);
    assert.deepEqual(configurations[0]!.failures, []);
  });

  it('may be Parquet', async () => {
    const path = join(folder, 'x.parquet');
    const columnData = [
      { name: 'fog', data: [0.5, 1], type: 'DOUBLE' },
      { name: 'lamps', data: [1n, 2n], type: 'INT64' },
      { name: 'trees', data: [true, false], type: 'BOOLEAN' },
      { name: 'camera', data: ['wide', 'wide'], type: 'STRING' },
      { name: 'weather.dry', data: [1, 0], type: 'DOUBLE' },
      { name: 'weather.rain', data: [0, 1], type: 'DOUBLE' },
      { name: 'iou', data: [0.5, 0.25], type: 'DOUBLE' },
      { name: 'loss', data: [1, 2], type: 'DOUBLE' },
    ] as const;
    writeFileSync(
      path,
      new Uint8Array(parquetWriteBuffer({ columnData: columnData.map((one) => ({ ...one, data: [...one.data] })) })),
    );
    const { configurations } = await readTable(path, description);
    assert.deepEqual(
      configurations.map(({ theta, results }) => [theta['lamps'], theta['trees'], results]),
      [
        [1, true, [[0.5, 1]]],
        [2, false, [[0.25, 2]]],
      ],
    );
  });

  const row = '0,1,1,wide,0,1,0.5,2';
  const wrong: readonly [what: string, text: string, error: RegExp][] = [
    ['nothing', '', /x\.csv: expected an evaluation that has ended, got none/],
    ['no rows', `${THETA.join()},iou,loss\n`, /x\.csv: expected an evaluation that has ended, got none/],
    [
      'a metric missing',
      `${THETA.join()},iou\n0,1,1,wide,0,1,0.5\n`,
      /x\.csv: expected a column scores\.loss or loss, got fog/,
    ],
    ['a parameter missing', 'lamps,iou,loss\n1,2,3\n', /x\.csv: expected a column theta\.fog, got lamps, iou, loss/],
    [
      'a word for a number',
      `${THETA.join()},iou,loss\n${row}\n${row.replace('0.5', 'good')}\n`,
      /x\.csv, row 2, iou: expected a number, got "good"/,
    ],
    [
      'an empty cell',
      `${THETA.join()},iou,loss\n${row.replace('0.5', '')}\n`,
      /x\.csv, row 1, iou: expected a number, got ""/,
    ],
    [
      'a θ out of range',
      `${THETA.join()},iou,loss\n${row.replace('0', '9')}\n`,
      /x\.csv, row 1: fog: expected 0\.\.2, got 9/,
    ],
    [
      'an unknown choice',
      `${THETA.join()},iou,loss\n${row.replace('wide', 'long')}\n`,
      /x\.csv, row 1: camera: expected one of wide, long, slow, got "?long/,
    ],
    [
      'an unknown outcome',
      `${THETA.join()},iou,loss,outcome\n${row},good\n`,
      /x\.csv, row 1, outcome: expected one of ok, .*got good/,
    ],
    ['too few cells', `${THETA.join()},iou,loss\n0,1\n`, /x\.csv: expected a table that can be read, got .*[Cc]olumn/],
  ];
  for (const [what, text, error] of wrong) {
    it(`with ${what} is refused by name`, async () => {
      await assert.rejects(readTable(csv(text), description), error);
    });
  }

  it('that is no Parquet is refused by name', async () => {
    const path = join(folder, 'broken.parquet');
    writeFileSync(path, 'no table');
    await assert.rejects(readTable(path, description), /broken\.parquet: expected a table that can be read, got /);
  });
});

describe('the description of a table', () => {
  const wrong: readonly [what: string, change: object, error: RegExp][] = [
    ['no metrics', { metrics: undefined }, /x\.json: metrics: .*got undefined/],
    ['a metric without a name', { metrics: [{ low: 0 }] }, /x\.json: metrics\.0\.name: /],
    ['a metric twice', { metrics: [{ name: 'iou' }, { name: 'iou' }] }, /x\.json: metrics: .*got iou twice/],
    ['an unknown reward', { reward: 'score' }, /x\.json: reward: expected one of iou, loss, got score/],
    ['a parameter without bounds', { parameters: [{ name: 'fog' }] }, /x\.json: parameters\.0\./],
    ['a misspelt field', { metric: [] }, /x\.json: .*metric/],
    [
      'lengths of another table',
      { surrogate: { lengths: [1], noise: 0.1 } },
      /x\.json: surrogate\.lengths: expected 7 numbers, got 1/,
    ],
  ];
  for (const [what, change, error] of wrong) {
    it(`with ${what} is refused by name`, () => {
      assert.throws(() => descriptionOf({ ...DESCRIPTION, ...change }, 'x.json'), error);
    });
  }

  it('must lie beside the table', () => {
    assert.throws(
      () => readDescription('/nowhere/x.csv'),
      /\/nowhere\/x\.json: expected JSON that describes the table/,
    );
    assert.throws(
      () => readDescription('/nowhere/x.txt'),
      /\/nowhere\/x\.txt: expected a name that ends in \.csv or \.parquet/,
    );
  });

  it('is refused with the place where it is no JSON', () => {
    const folder = mkdtempSync(join(tmpdir(), 'description-'));
    writeFileSync(join(folder, 'x.json'), '{"metrics": [\n  {"name": "iou",}\n]}');
    const said = /x\.json, line 2, column 18: expected JSON, got } after .*"iou", \(property name expected\)$/;
    assert.throws(() => readDescription(join(folder, 'x.csv')), { message: said });
    rmSync(folder, { recursive: true });
  });
});
