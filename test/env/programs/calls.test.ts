import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EvaluationProgress } from '../../../env/evaluate.ts';
import { markedProcesses } from '../../../env/marked-processes.ts';
import { simulatorRequest, trainerRequest } from '../../../env/programs/contract.ts';
import { gray } from '../streets/street-folder.ts';
import { evaluated, linesOf, SIDE, simulating, training, workshop, type Workshop } from './workshop.ts';

/** A number of seconds that marks the programs of one test. */
let seconds = 2_000_000 + process.pid;

/** Whether a program sleeps for this number of seconds. */
const sleeps = (mark: number) => spawnSync('pgrep', ['-f', `^sleep ${mark}`]).status === 0;

describe('a call of a program', () => {
  let shop: Workshop;
  /** Words of a simulator that copies two images, and of a trainer that scores .5. */
  let draws: string;
  let trains: string;
  beforeEach(() => {
    shop = workshop();
    draws = `sh ${shop.script('draw.sh', `cp -r ${shop.ready}/. "$1"`)} {out}`;
    trains = `sh ${shop.script('train.sh', `echo '{"scores":{"score":0.5},"test_scores":{"score":0.25}}' > "$1/result.json"`)} {out}`;
  });
  afterEach(() => shop.remove());

  /** An experiment whose simulator does this, with {out} and {request} as $1 and $2. */
  const simulator = (text: string) =>
    shop.experiment({ ...simulating(`sh ${shop.script('sim.sh', text)} {out} {request}`), ...training(trains) });
  const trainer = (text: string) =>
    shop.experiment({ ...simulating(draws), ...training(`sh ${shop.script('own.sh', text)} {out} {request}`) });
  const copy = () => `cp -r ${shop.ready}/. "$1"`;
  const outcomeOf = async (experiment: Awaited<ReturnType<typeof simulator>>) => {
    const { outcome, reason = '' } = await evaluated(experiment);
    assert.deepEqual(shop.left(), [], 'a folder is left');
    return { outcome, reason };
  };

  it('[G11] [G16] ends with the scores of the trainer, and of the test set where they are asked for', async () => {
    const experiment = await shop.experiment({ ...simulating(draws), ...training(trains) });
    const { outcome, reward, scores, testScores } = await evaluated(experiment, { test: true });
    assert.deepEqual([outcome, reward, scores, testScores], ['ok', 0.5, { score: 0.5 }, { score: 0.25 }]);
    assert.equal((await evaluated(experiment)).testScores, undefined);
  });

  it('[G5] has whole requests as the schemas say, and [G6] a folder that --keep keeps', async () => {
    const experiment = await shop.experiment(
      { ...simulating(draws), ...training(trains), keep: true },
      {
        simulatorOptions: { samples: 4 },
        trainerOptions: { epochs: 2, steps: 3 },
      },
    );
    await evaluated(experiment, { x: 42, seed: 9, test: true });
    const kept = join(shop.work, 'kept');
    const [name = ''] = readdirSync(kept);
    const read = (path: string) => JSON.parse(readFileSync(join(kept, name, path), 'utf8')) as unknown;
    const drawn = simulatorRequest.parse(read('simulator/request.json'));
    assert.deepEqual([drawn.theta, drawn.first, drawn.count, drawn.width], [{ x: 42 }, 0, 2, 16]);
    assert.deepEqual(drawn.options, { samples: 4 });
    assert.ok(name.startsWith(`seed-${drawn.seed}-`), name);
    const trained = trainerRequest.parse(read('trainer/request.json'));
    assert.deepEqual([trained.data, trained.count, trained.metrics], [drawn.out, 2, ['score']]);
    assert.deepEqual(
      [trained.validation, trained.test],
      ['validation', 'test'].map((set) => join(shop.folder, 'data', set)),
    );
    assert.deepEqual([trained.options['epochs'], trained.options['steps']], [2, 3]);
    assert.deepEqual(readdirSync(join(kept, name, 'data/images')), ['000000.png', '000001.png']);
  });

  it('[G6] [G13] names the folder that is kept of a program that has failed, which has its output', async () => {
    const failing = `sh ${shop.script('fail.sh', 'echo out; echo err >&2; exit 1')} {out}`;
    const experiment = await shop.experiment({ ...simulating(failing), ...training(trains), keep: true });
    const { reason } = await evaluated(experiment);
    const [, folder = ''] = /^simulator: ended with exit code 1: err; kept in (.*)$/.exec(reason!) ?? [];
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    assert.deepEqual([read('stdout.txt'), read('stderr.txt')], ['out\n', 'err\n']);
  });

  it('[G2] [G3] has its words replaced, the folder and environment of the server, and no input', async () => {
    const said = join(shop.folder, 'said');
    const path = shop.script(
      'words.sh',
      `printf '%s\\n' "$@" "$PWD" "$HOME" "$OMP_NUM_THREADS" "$(cat)" > ${said}; ${copy()}`,
    );
    const command = `sh ${path} {out} {theta} {seed} {first} {count} {width}x{height} '' 'two words'`;
    await evaluated(await shop.experiment({ ...simulating(command), ...training(trains), threads: 3 }), { x: 2.5 });
    const [, theta, seed, first, count, size, ...rest] = linesOf(said);
    assert.deepEqual([theta, first, count, size], ['{"x":2.5}', '0', '2', '16x16']);
    assert.match(seed!, /^\d+$/);
    assert.deepEqual(rest, ['two words', process.cwd(), process.env['HOME'], '3']); // the empty lines are left out
  });

  it('[G4] is refused at the start where the program is missing or may not be executed', async () => {
    const prepare = async (command: string) =>
      (await shop.experiment({ ...simulating(command), ...training(trains) })).prepare!();
    await assert.rejects(
      prepare('no-such-blender {out}'),
      /expected a program to start, found no no-such-blender in the folders of PATH/,
    );
    await assert.rejects(prepare('./no/such {out}'), /expected a program to start, found no \.\/no\/such$/);
    const path = shop.script('plain', '#!/bin/sh\n');
    await assert.rejects(prepare(`${path} {out}`), /expected a program that may be executed, got .*plain \(chmod \+x/);
    chmodSync(path, 0o755);
    await prepare(`${path} {out}`);
  });

  it('[G4] [G13] fails in a sentence where the program has gone since, or can no longer be executed', async () => {
    const path = shop.script('gone', `#!/bin/sh\n${copy()}`);
    chmodSync(path, 0o755);
    const experiment = await shop.experiment({ ...simulating(`${path} {out}`), ...training(trains) });
    chmodSync(path, 0o644);
    assert.match(
      (await outcomeOf(experiment)).reason,
      /^simulator: expected a program that may be executed, got .*gone/,
    );
    rmSync(path);
    assert.match((await outcomeOf(experiment)).reason, /^simulator: .*ENOENT.*gone/);
  });

  it('[G13] is infeasible with code 3, with the reason of failure.txt', async () => {
    const said = `echo 'no room for the car' > "$(dirname "$2")/failure.txt"; exit 3`;
    assert.deepEqual(await outcomeOf(await simulator(said)), { outcome: 'infeasible', reason: 'no room for the car' });
    assert.deepEqual(await outcomeOf(await trainer(said)), { outcome: 'infeasible', reason: 'no room for the car' });
    const silent = await outcomeOf(await simulator('echo oh >&2; exit 3'));
    assert.deepEqual(silent, {
      outcome: 'infeasible',
      reason: 'simulator: ended with exit code 3: oh, without a word in failure.txt',
    });
  });

  it('[G13] fails with another code or a signal, with the last lines of stderr, or else of stdout', async () => {
    const reasons: [text: string, reason: RegExp][] = [
      [
        'for i in 1 2 3 4 5; do echo "line $i" >&2; done; exit 7',
        /^simulator: ended with exit code 7: line 3 \| line 4 \| line 5$/,
      ],
      ['echo out; exit 1', /^simulator: ended with exit code 1: out$/],
      ['exit 1', /^simulator: ended with exit code 1$/],
      ['kill -SEGV $$', /^simulator: ended with signal SIGSEGV/],
      [`printf 'a\\033[31mb\\n' >&2; exit 1`, /a\\u001b\[31mb/],
      ['echo why > "$(dirname "$2")/failure.txt"; exit 4', /exit code 4; failure\.txt: why$/],
    ];
    for (const [text, reason] of reasons) {
      const found = await outcomeOf(await simulator(text));
      assert.equal(found.outcome, 'failed');
      assert.match(found.reason, reason);
    }
    assert.match(
      (await outcomeOf(await trainer('echo CUDA >&2; exit 1'))).reason,
      /^trainer: ended with exit code 1: CUDA$/,
    );
  });

  it('[G9] fails where a simulator has written nothing', async () => {
    const { outcome, reason } = await outcomeOf(await simulator('exit 0'));
    assert.equal(outcome, 'failed');
    assert.match(reason, /^simulator: .*expected files in .*data, found none$/);
  });

  it('[G11] fails with the field of result.json that is missing or wrong, and diverges without a number', async () => {
    const wrong: [result: string, outcome: string, reason: RegExp][] = [
      ['', 'failed', /^trainer: .*result\.json: expected JSON, got ""$/],
      ['{"scores":{"sco', 'failed', /result\.json: expected JSON, got /],
      ['{"score":1}', 'failed', /result\.json: scores: /],
      ['{"scores":{"score":"high"}}', 'failed', /result\.json: scores\.score: .*got "high"$/],
      ['{"scores":{"iou":1}}', 'failed', /result\.json: scores: expected score, got iou$/],
      ['{"scores":{"score":-1}}', 'failed', /scores: expected score from 0 to Infinity, as its metric says, got -1$/],
      ['{"scores":{"score":null}}', 'diverged', /expected a finite score, got NaN$/],
      ['{"scores": {"score": NaN, "loss": -Infinity}}', 'diverged', /expected a finite score, got NaN$/],
      ['{"scores":{"score":2,"other":3}}', 'ok', /^$/],
    ];
    for (const [result, outcome, reason] of wrong) {
      const found = await outcomeOf(await trainer(`printf '%s' '${result}' > "$1/result.json"`));
      assert.equal(found.outcome, outcome, result);
      assert.match(found.reason, reason);
    }
    assert.match(
      (await outcomeOf(await trainer('exit 0'))).reason,
      /result\.json: expected the scores, found no file$/,
    );
    assert.match(
      (await outcomeOf(await trainer('mkfifo "$1/result.json"'))).reason,
      /result\.json: expected a file, got no regular file$/,
    );
    const untested = await evaluated(await trainer(`echo '{"scores":{"score":1}}' > "$1/result.json"`), { test: true });
    assert.match(
      untested.reason!,
      /test_scores: expected the scores of the test set, which were asked for, found none$/,
    );
  });

  it('[G7] fails with the image that is missing, half written, or of another size than its labels', async () => {
    const read = (text: string) =>
      shop.experiment(simulating(`sh ${shop.script('sim.sh', text)} {out}`), {
        steps: 1,
        validationImages: 1,
        testImages: 1,
      });
    writeFileSync(join(shop.folder, 'narrow.png'), gray(8, Array<number>(16).fill(0)));
    writeFileSync(join(shop.folder, 'void.png'), gray(SIDE, Array<number>(SIDE ** 2).fill(255)));
    const wrong: [text: string, reason: RegExp][] = [
      [
        'rm "$1/images/000001.png"',
        /^simulator: .*data\/images\/000001\.png: expected an image, or 000001\.jpg, found none$/,
      ],
      ['rm "$1/labels/000000.png"', /data\/labels\/000000\.png: expected the labels of image 0, found none$/],
      [
        'head -c 50 "$1/images/000001.png" > "$1/half"; mv "$1/half" "$1/images/000001.png"',
        /000001\.png: expected a readable image/,
      ],
      [
        `cp ${shop.folder}/narrow.png "$1/labels/000001.png"`,
        /labels\/000001\.png: expected 16×16 as its image, got 8×2$/,
      ],
      [
        `cp ${shop.folder}/void.png "$1/labels/000000.png"; cp ${shop.folder}/void.png "$1/labels/000001.png"`,
        /labels\/000000\.png: expected ids or colours of Cityscapes’ classes, got void everywhere, as in all/,
      ],
      ['echo no > "$1/labels/000001.png"', /labels\/000001\.png: expected a readable image \(no PNG/],
    ];
    for (const [text, reason] of wrong) {
      const found = await outcomeOf(await read(`${copy()}; ${text}`));
      assert.equal(found.outcome, 'failed');
      assert.match(found.reason, reason);
    }
  });

  it('[G12] has its progress passed on, with scores of the unfinished model where they are wanted', async () => {
    const line = (text: string) => `echo '${text}' >> "$(dirname "$2")/progress.jsonl"`;
    const lines = [
      line('{"fraction": 0.25, "metrics": {"loss": 2, "score": 0.9}}'),
      line('nonsense'),
      line('{"fraction": 7}'),
      line('{"fraction": 0.5, "metrics": {"score": 0.4}, "scored": true}'),
    ];
    const text = `${lines.join('; ')}; sleep 0.3; echo '{"scores":{"score":1}}' > "$1/result.json"`;
    const progressOf = async (early: boolean) => {
      const all: EvaluationProgress[] = [];
      await evaluated(await trainer(text), { early }, { report: (progress) => void all.push(progress) });
      return all.filter(({ phase }) => phase === 'train');
    };
    const [first, second] = await progressOf(true);
    // An unscored line has nothing with the name of a score, by which an agent could give up the θ.
    assert.deepEqual(first, { phase: 'train', fraction: 0.25, metrics: { loss: 2 } });
    assert.deepEqual(second, { phase: 'train', fraction: 0.5, metrics: { score: 0.4 }, scored: true });
    assert.deepEqual((await progressOf(false))[1], { phase: 'train', fraction: 0.5, metrics: {} });
  });

  it('[G12] reports the share of the images that a simulator has drawn', async () => {
    const step = (fraction: number) =>
      `echo '{"fraction": ${fraction}}' >> "$(dirname "$2")/progress.jsonl"; sleep 0.3`;
    const seen: number[] = [];
    const report = ({ phase, fraction }: EvaluationProgress) => void (phase === 'simulate' && seen.push(fraction));
    await evaluated(await simulator(`${step(0.3)}; ${step(0.6)}; ${copy()}`), {}, { report });
    assert.deepEqual(seen.slice(0, 3), [0, 0.3, 0.6]);
  });

  it('[G12] ends with the error of whoever hears its progress, and leaves nothing', async () => {
    const mark = seconds++;
    const text = `echo '{"fraction": 0.5}' >> "$(dirname "$2")/progress.jsonl"; sleep ${mark}`;
    const report = ({ phase }: EvaluationProgress) => {
      if (phase === 'train') throw new Error('enough');
    };
    await assert.rejects(evaluated(await trainer(text), {}, { report }), /^Error: enough$/);
    assert.ok(!sleeps(mark), 'it still runs');
    assert.deepEqual(shop.left(), []);
  });

  it('[G14] ends at once when it is stopped, also where it ignores SIGTERM, and leaves nothing', async () => {
    for (const ignoring of ['', `trap '' TERM;`]) {
      const mark = seconds++;
      const stop = new AbortController();
      const experiment = await simulator(`${ignoring} sleep ${mark} & wait; sleep ${mark}`);
      const end = evaluated(experiment, {}, { signal: stop.signal });
      while (!sleeps(mark)) await pause(20);
      const began = performance.now();
      stop.abort(new Error('stopped'));
      await assert.rejects(end, /^Error: stopped$/);
      const seconds_ = (performance.now() - began) / 1000;
      assert.ok(seconds_ < 2, `${seconds_} s`);
      assert.ok(!sleeps(mark), 'it still runs');
      assert.deepEqual(shop.left(), []);
    }
  });

  it('[G15] takes along what it has started, also what has left its group, after code 0 too', async () => {
    for (const way of ['', 'setsid ', 'nohup setsid ']) {
      const mark = seconds++;
      const { outcome } = await outcomeOf(await simulator(`${way}sleep ${mark} > /dev/null 2>&1 & ${copy()}`));
      assert.equal(outcome, 'ok');
      assert.ok(!sleeps(mark), `${way}sleep still runs`);
    }
  });

  it('[G15] does not wait for what holds its output, whatever its environment is', async () => {
    const mark = seconds++;
    const began = performance.now();
    const { outcome } = await outcomeOf(await simulator(`setsid env -i sleep ${mark} & sleep 0.3; ${copy()}`));
    assert.equal(outcome, 'ok');
    assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`);
    const [pid] = spawnSync('pgrep', ['-f', `^sleep ${mark}`], { encoding: 'utf8' }).stdout.split('\n');
    assert.ok(Number(pid) > 1, 'it has left the group, and has taken off the mark');
    process.kill(Number(pid), 'SIGKILL');
  });

  it('[G16] may write a gigabyte to its output @slow', async () => {
    const before = process.memoryUsage().rss;
    const { outcome } = await outcomeOf(
      await simulator(`head -c 1000000000 /dev/zero; head -c 100000000 /dev/zero >&2; ${copy()}`),
    );
    assert.equal(outcome, 'ok');
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grown < 200, `${grown} MiB more`);
  });

  it('[G16] fails alone where the disk is full, and works again when there is room', async function () {
    const disk = join(shop.folder, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]).status !== 0) {
      console.log('      skipped: nobody may mount a small disk here');
      return this.skip();
    }
    try {
      const text = `[ -e ${shop.folder}/small ] && ${copy()} || head -c 100000 /dev/zero > "$1/large"`;
      const experiment = await shop.experiment({
        ...simulating(`sh ${shop.script('sim.sh', text)} {out}`),
        ...training(trains),
        work: join(disk, 'work'),
      });
      const full = await evaluated(experiment);
      assert.equal(full.outcome, 'failed');
      assert.match(full.reason!, /^simulator: ended with exit code 1: .*No space left on device/);
      shop.script('small', '');
      assert.equal((await evaluated(experiment)).outcome, 'ok');
      spawnSync('dd', ['if=/dev/zero', `of=${disk}/filler`, 'bs=1k', 'count=64']);
      const ours = await evaluated(experiment);
      assert.equal(ours.outcome, 'failed');
      assert.match(ours.reason!, /ENOSPC/);
    } finally {
      spawnSync('umount', ['-l', disk]); // this process has a lock there until it ends
    }
  });

  it('[G19] fails once a file of its command has changed', async () => {
    const path = shop.script('sim.sh', copy());
    const experiment = await shop.experiment({ ...simulating(`sh ${path} {out}`), ...training(trains) });
    assert.equal((await evaluated(experiment)).outcome, 'ok');
    shop.script('sim.sh', `${copy()} # changed`);
    const { outcome, reason } = await outcomeOf(experiment);
    assert.equal(outcome, 'failed');
    assert.match(reason, /^simulator: .*sim\.sh: changed since the session was opened; open a new one$/);
  });

  it('[G15] finds no process with a mark that nobody has', () => {
    assert.deepEqual(markedProcesses('LTS_PROGRAM', 'nobody'), []);
    assert.ok(existsSync('/proc') || process.platform !== 'linux', 'Linux has /proc');
  });
});
