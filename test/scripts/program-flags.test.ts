import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newCommand } from '../../agents/run/run-program.ts';
import { addProgramFlags, programsOf, type ProgramFlags } from '../../scripts/program-flags.ts';

describe('the flags of programs', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'flags-'));
    file = join(folder, 'θ.json');
    writeFileSync(file, '{"parameters":[{"name":"x","low":0,"high":1,"default":0}],"deterministic":true}');
  });
  after(() => rmSync(folder, { recursive: true }));

  const programs = (words: readonly string[], workers = 2) => {
    const command = addProgramFlags(newCommand('test'))
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    const options = command.parse(['--work', join(folder, 'work'), ...words], { from: 'user' }).opts<ProgramFlags>();
    return programsOf(options, workers);
  };
  const simulator = () => ['--simulator', 'draw {request}', '--parameters', file];

  it('name a simulator with its parameters, a trainer with its metrics, or nothing', () => {
    assert.equal(programs([]), undefined);
    const drawn = programs(simulator())!;
    assert.deepEqual(
      [drawn.simulator!.command, drawn.simulator!.warm, drawn.trainer],
      ['draw {request}', false, undefined],
    );
    assert.deepEqual(
      drawn.simulator!.parameters.map(({ name }) => name),
      ['x'],
    );
    const trained = programs([
      '--trainer',
      'train {out}',
      '--metric',
      'iou=0..1',
      '--metric',
      'negativeLoss=-10..0',
      '--metric',
      'other',
    ])!;
    assert.deepEqual(trained.trainer!.metrics, [
      { name: 'iou', low: 0, high: 1 },
      { name: 'negativeLoss', low: -10, high: 0 },
      { name: 'other', low: null, high: null },
    ]);
    assert.deepEqual(programs(['--trainer', 'train {out}'])!.trainer!.metrics, [
      { name: 'score', low: null, high: null },
    ]);
    const warm = programs([
      '--simulator',
      'draw',
      '--parameters',
      file,
      '--warm-simulator',
      '--calls-per-start',
      '3',
      '--cache',
      join(folder, 'sets'),
      '--cache-mb',
      '2',
    ])!;
    assert.deepEqual(
      [warm.simulator!.warm, warm.callsPerStart, warm.cache],
      [true, 3, { folder: join(folder, 'sets'), mostBytes: 2 ** 21 }],
    );
  });

  it('[G10] promise equal results where each program does', () => {
    assert.equal(programs(simulator())!.deterministic, true); // the file says so
    assert.equal(programs([...simulator(), '--trainer', 'train {out}'])!.deterministic, false);
    assert.equal(programs([...simulator(), '--trainer', 'train {out}', '--deterministic'])!.deterministic, true);
    assert.equal(programs(['--trainer', 'train {out}'])!.deterministic, false);
  });

  it('[G3] share the cores among the workers, unless OMP_NUM_THREADS says otherwise', () => {
    const before = process.env['OMP_NUM_THREADS'];
    delete process.env['OMP_NUM_THREADS'];
    assert.equal(programs(simulator(), 1000)!.threads, 1);
    process.env['OMP_NUM_THREADS'] = '5';
    assert.equal(programs(simulator(), 1000)!.threads, 5);
    if (before === undefined) delete process.env['OMP_NUM_THREADS'];
    else process.env['OMP_NUM_THREADS'] = before;
  });

  it('are refused where one lacks another, breaks a rule, or would do nothing', () => {
    const wrong: [words: readonly string[], message: RegExp][] = [
      [['--simulator', 'draw {request}'], /^--simulator: expected --parameters with it, got none$/],
      [['--parameters', file], /^--parameters: expected --simulator with it, got none$/],
      [['--warm-simulator'], /^--warm-simulator: expected --simulator with it/],
      [['--metric', 'iou'], /^--metric: expected --trainer with it/],
      [['--cache', folder, '--trainer', 'train {out}'], /^--cache: expected --simulator with it/],
      [['--keep'], /^--keep: expected --simulator or --trainer with it/],
      [['--deterministic'], /^--deterministic: expected --simulator or --trainer with it/],
      [['--simulator', 'draw {seed}', '--parameters', file], /^--simulator: expected \{request\} or \{out\}/],
      [['--trainer', 'train {out} | tee log'], /^--trainer: expected a command without a shell, got \|/],
      [
        ['--trainer', 'train {out}', '--metric', 'iou=1..0'],
        /Expected a name, or with its bounds as carIou=0\.\.1, got "iou=1\.\.0"/,
      ],
      [['--trainer', 'train {out}', '--metric', 'a', '--metric', 'a'], /Expected a once/],
      [
        ['--simulator', 'draw {out}', '--parameters', join(folder, 'no.json')],
        /Expected a readable file of JSON, got .*no\.json/,
      ],
      [[...simulator(), '--work', '/proc/x'], /\/proc\/x: expected a folder that can be made/],
    ];
    for (const [words, message] of wrong) assert.throws(() => programs(words), { message }, words.join(' '));
    assert.throws(() => programs(simulator(), 0), /^Error: --workers: expected at least 1 for programs, got 0$/);
    writeFileSync(join(folder, 'bad.json'), '[{"name":"x","low":0,"high":1}]');
    const bad = ['--simulator', 'draw {out}', '--parameters', join(folder, 'bad.json')];
    assert.throws(() => programs(bad), /bad\.json: parameters\.0\.default: /);
    writeFileSync(join(folder, 'bad.json'), '[\n  {"name":"x", low:0}\n]');
    assert.throws(() => programs(bad), /bad\.json, line 2, column 16: expected JSON, got low:0} after /);
  });
});
