import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Experiment } from '../../../env/experiments/experiment.ts';
import type { ProgramsRuntime } from '../../../env/runtime.ts';
import { evaluated, linesOf, simulating, training, workshop, type Workshop } from './workshop.ts';

/** A number of seconds that marks the programs of one test. */
let seconds = 3_000_000 + process.pid;
const sleeps = (mark: number) => spawnSync('pgrep', ['-f', `^sleep ${mark}`]).status === 0;

describe('a program that stays up', () => {
  let shop: Workshop;
  let trains: string;
  let open: Experiment | undefined;
  beforeEach(() => {
    shop = workshop();
    trains = `sh ${shop.script('train.sh', `echo '{"scores":{"score":0.5}}' > "$1/result.json"`)} {out}`;
  });
  afterEach(async () => {
    open?.dispose?.();
    open = undefined;
    await pause(50);
    shop.remove();
  });

  /**
   * A simulator that reads requests, and does this for each; $id, $out and $x are of the request. It writes down its
   * starts, and its end when its input ends.
   */
  const simulator = async (text: string, programs: Partial<ProgramsRuntime> = {}) => {
    const field = (name: string) => `$(echo "$line" | sed 's/.*"${name}":"\\{0,1\\}\\([^",}]*\\).*/\\1/')`;
    const path = shop.script(
      'warm.sh',
      `echo $$ >> ${shop.folder}/starts
       while read -r line; do id=${field('id')}; out=${field('out')}; x=${field('x')}
       ${text}
       done
       echo end >> ${shop.folder}/ends`,
    );
    return (open = await shop.experiment({ ...simulating(`sh ${path}`, true), ...training(trains), ...programs }));
  };
  const draw = () => `cp -r ${shop.ready}/. "$out"`;
  const answer = `echo "{\\"id\\": $id, \\"exit\\": 0}"`;
  const starts = () => linesOf(join(shop.folder, 'starts')).length;

  it('[G17] is started once, and draws for one request after the other', async () => {
    const experiment = await simulator(`echo some log; ${draw()}; ${answer}; echo '{"id": 1}'`);
    for (const seed of [1, 2, 3]) assert.equal((await evaluated(experiment, { seed })).outcome, 'ok');
    assert.equal(starts(), 1);
    assert.deepEqual(shop.left(), []);
  });

  it('[G17] is shared by experiments with other options', async () => {
    const text = `${draw()}; ${answer}`;
    assert.equal((await evaluated(await simulator(text))).outcome, 'ok');
    const programs = { ...simulating(`sh ${shop.folder}/warm.sh`, true), ...training(trains) };
    assert.equal((await evaluated(await shop.experiment(programs, { trainingImages: 1 }))).outcome, 'ok');
    assert.equal(starts(), 1);
  });

  it('[G17] [G13] says with its answer that a θ is infeasible, or what went wrong, and stays up', async () => {
    const experiment = await simulator(
      `if [ "$x" = 3 ]; then echo 'too small' > "$(dirname "$out")/simulator/failure.txt"; echo "{\\"id\\": $id, \\"exit\\": 3}"
       elif [ "$x" = 4 ]; then echo "{\\"id\\": $id, \\"exit\\": 1, \\"reason\\": \\"out of paint\\"}"
       else ${draw()}; ${answer}; fi`,
    );
    const said = async (x: number) => {
      const { outcome, reason } = await evaluated(experiment, { x });
      return [outcome, reason];
    };
    assert.deepEqual(await said(3), ['infeasible', 'too small']);
    assert.deepEqual(await said(4), ['failed', 'simulator: out of paint']);
    assert.deepEqual(await said(5), ['ok', undefined]);
    assert.equal(starts(), 1);
  });

  it('[G18] is started anew after a number of calls, and ends when its input ends', async () => {
    const experiment = await simulator(`${draw()}; ${answer}`, { callsPerStart: 2 });
    for (let seed = 1; seed <= 5; seed++) assert.equal((await evaluated(experiment, { seed })).outcome, 'ok');
    assert.equal(starts(), 3);
    assert.deepEqual(linesOf(join(shop.folder, 'ends')), ['end', 'end']);
  });

  it('[G18] fails where it ends before it has answered, with its last words, and is started anew', async () => {
    const experiment = await simulator(
      `if [ "$x" = 7 ]; then echo 'Segmentation fault' >&2; exit 0; fi; ${draw()}; ${answer}`,
    );
    const { outcome, reason } = await evaluated(experiment, { x: 7 });
    assert.deepEqual(
      [outcome, reason],
      ['failed', 'simulator: ended with exit code 0: Segmentation fault (before it answered)'],
    );
    assert.equal((await evaluated(experiment)).outcome, 'ok');
    assert.equal(starts(), 2);
  });

  it('[G18] fails where it answers another call, and is started anew', async () => {
    const experiment = await simulator(`if [ "$x" = 7 ]; then id=99; fi; ${draw()}; ${answer}`);
    const { outcome, reason } = await evaluated(experiment, { x: 7 });
    assert.equal(outcome, 'failed');
    assert.match(reason!, /^simulator: expected the answer to the call \d+, got \{"id": 99, "exit": 0\}$/);
    assert.equal((await evaluated(experiment)).outcome, 'ok');
    assert.equal(starts(), 2);
  });

  it('[G18] [G14] is ended by a cancel, also where it ignores SIGTERM, and started anew', async () => {
    const mark = seconds++;
    const experiment = await simulator(`trap '' TERM; if [ "$x" = 7 ]; then sleep ${mark}; fi; ${draw()}; ${answer}`);
    assert.equal((await evaluated(experiment)).outcome, 'ok');
    const stop = new AbortController();
    const end = evaluated(experiment, { x: 7 }, { signal: stop.signal });
    while (!sleeps(mark)) await pause(20);
    stop.abort(new Error('stopped'));
    await assert.rejects(end, /^Error: stopped$/);
    assert.ok(!sleeps(mark), 'it still runs');
    assert.equal((await evaluated(experiment)).outcome, 'ok');
    assert.equal(starts(), 2);
  });

  it('[G16] may write long lines and much else before its answer', async () => {
    const experiment = await simulator(`head -c 3000000 /dev/zero | tr '\\0' x; echo; ${draw()}; ${answer}`);
    assert.equal((await evaluated(experiment)).outcome, 'ok');
  });

  it('[G19] is started anew where its script has changed, for those who open the environment after that', async () => {
    const experiment = await simulator(`${draw()}; ${answer}`);
    assert.equal((await evaluated(experiment)).outcome, 'ok');
    const changed = await simulator(`${draw()}; ${answer} # changed`);
    assert.match((await evaluated(experiment)).reason!, /warm\.sh: changed since the session was opened/);
    assert.equal((await evaluated(changed)).outcome, 'ok');
    assert.equal(starts(), 2);
  });

  it('[G17] trains too', async () => {
    const path = shop.script(
      'trainer.sh',
      `while read -r line; do out=$(echo "$line" | sed 's/.*"out":"\\([^"]*\\).*/\\1/'); id=$(echo "$line" | sed 's/.*"id":\\([0-9]*\\).*/\\1/')
       echo '{"scores":{"score":0.75}}' > "$out/result.json"; echo "{\\"id\\":$id,\\"exit\\":0}"; done`,
    );
    const draws = `sh ${shop.script('draw.sh', `cp -r ${shop.ready}/. "$1"`)} {out}`;
    open = await shop.experiment({ ...simulating(draws), ...training(`sh ${path}`, true) });
    for (const seed of [1, 2]) assert.equal((await evaluated(open, { seed })).reward, 0.75);
  });
});
