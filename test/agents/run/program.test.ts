import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionTicket } from '../../../agents/client/index.ts';
import { seedRange } from '../../../agents/run/flags.ts';
import { readTrialLog, type EvaluationRecord, type LogRecord, type WarmStart } from '../../../agents/run/trial-log.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import type { Theta } from '../../../protocol/parameters.ts';
import { searchTrials } from '../../../scripts/reproduce/search-log.ts';
import { startBanditServer } from '../../env/server/bandit-server.ts';
import { Peer } from '../../env/server/peer.ts';

const folder = mkdtempSync(join(tmpdir(), 'agents-'));
const records = (log: string) =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogRecord);
const evaluations = (log: string) => records(log).filter((record) => record.type === 'evaluation');

interface Reported {
  readonly name: string;
  readonly action: number[];
  readonly theta: Theta;
  readonly validation: { gain: number }[];
  readonly test: { gain: number }[];
}
const reported = (log: string) =>
  (records(log).find((record) => record.type === 'summary') as unknown as { reported: Reported[] }).reported;

/** Starts an agent as its user would. */
function start(agent: string, ...flags: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', `agents/${agent}.ts`, ...flags], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ['', ''];
  child.stdout!.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

describe('an agent’s program @slow', () => {
  let server: EnvironmentServer;
  let log: string;
  let logs = 0;
  before(async () => {
    server = await startBanditServer();
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    log = join(folder, `${logs++}.jsonl`);
  });

  const noisy = ['--env-options', '{"noise":0.02}'];
  const run = (agent: string, ...flags: string[]) =>
    finish(start(agent, '--url', server.url, '--log', log, ...noisy, ...flags));

  // Of all actions, drawn uniformly, the mean gain is about .6; the start gains .48; the optimum gains 1.
  const budgets = {
    reinforce: ['--evaluations', '400', '--advantage', 'normalised', '--learning-rate', '0.15'],
    cem: ['--evaluations', '320'],
    'random-search': ['--evaluations', '320'],
  };
  const least = { reinforce: 0.96, cem: 0.96, 'random-search': 0.85 };
  for (const agent of ['reinforce', 'cem', 'random-search'] as const) {
    it(`nears the known optimum of a bandit over the socket, for every seed: ${agent}`, async () => {
      const runs = await Promise.all(
        [1, 2, 3].map(async (seed) => {
          const path = join(folder, `${agent}-${seed}.jsonl`);
          const flags = ['--url', server.url, '--log', path, ...noisy, ...budgets[agent], '--seed', String(seed)];
          const { code, err } = await finish(start(agent, ...flags));
          assert.equal(code, 0, err);
          return reported(path);
        }),
      );
      for (const [before, after] of runs) {
        const gain = ({ validation }: Reported) =>
          validation.reduce((sum, score) => sum + score.gain, 0) / validation.length;
        assert.ok(gain(before!) < 0.6, `the start gained ${gain(before!)}`);
        assert.ok(gain(after!) > least[agent], `the learned θ gained ${gain(after!)}`);
      }
    });
  }

  it('prints its options, a line for each evaluation, and both θ by name with their scores', async () => {
    const { code, out, err } = await run('random-search', '--evaluations', '10', '--seed', '4');
    assert.equal(code, 0, err);
    assert.match(out, /^random-search \{.*"evaluations":10.*"seed":4/);
    assert.equal(
      out.match(/^\[ ?\d+\/10\] gain -?[\d.]+ {2}best -?[\d.]+ {2}[\d.]+\/min {2}\d+:\d\d left$/gm)?.length,
      10,
    );
    assert.match(out, /^θ +start +learned +unit$/m);
    assert.match(out, /^x +0\.100 +[\d.]+ +m$/m);
    assert.match(out, /^weather\.low sun +0\.400/m);
    assert.match(out, /^validation gain \(reward\) +[\d.]+ ± [\d.]+ +[\d.]+ ± [\d.]+$/m);
    assert.match(out, /^test distance/m);
    const file = log.replace(/\.jsonl$/, '.theta.json');
    assert.ok(out.endsWith(`\nlearned θ: ${file}\n`), out);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), reported(log)[1]!.theta);
  });

  it('prints and logs integers, booleans and choices as such, and starts from them', async () => {
    const dice = await startBanditServer({ environments: ['./env/examples/dice.ts'] });
    const from = '{"dice":3,"die":"octahedron","bestOfTwo":true}';
    const flags = ['--url', dice.url, '--log', log, '--evaluations', '20', '--seed', '2', '--start', from];
    const { code, out, err } = await finish(start('gaussian-process', ...flags));
    await dice.stop();
    assert.equal(code, 0, err);
    assert.match(out, /^dice +3 +[1-6] +dice$/m);
    assert.match(out, /^die +octahedron +(tetrahedron|cube|octahedron|icosahedron)$/m);
    assert.match(out, /^bestOfTwo +true +(true|false)$/m);
    assert.match(out, /^luck\.any +0\.997/m);
    const types = ({ dice, die, bestOfTwo }: Theta) => [Number.isInteger(dice), typeof die, typeof bestOfTwo];
    // Four finalists: the best three, and what the agent recommends.
    assert.equal(evaluations(log).length, 20 + 4 * 2 + 2 * 3);
    for (const { theta } of evaluations(log)) assert.deepEqual(types(theta), [true, 'string', 'boolean']);
  });

  it('asks for test scores only in the final report', async () => {
    await run('cem', '--evaluations', '16', '--seed', '1');
    for (const { key, testScores } of evaluations(log)) {
      assert.equal(testScores !== undefined, /^(start|after-16\/learned)\/\d$/.test(key), key);
    }
    assert.equal(evaluations(log).filter(({ testScores }) => testScores).length, 6);
  });

  it('makes the same evaluations again with the same seed, and others with another seed', async () => {
    const trace = async (seed: string, path: string) => {
      await finish(start('cem', '--url', server.url, '--log', path, ...noisy, '--evaluations', '40', '--seed', seed));
      return evaluations(path)
        .map(({ key, action, reward }) => ({ key, action, reward }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    };
    const [a, b, c] = await Promise.all([
      trace('5', join(folder, 'a.jsonl')),
      trace('5', join(folder, 'b.jsonl')),
      trace('6', join(folder, 'c.jsonl')),
    ]);
    assert.deepEqual(a, b);
    assert.notDeepEqual(a, c);
  });

  it('continues where it was killed: nothing is evaluated twice, and the end is the same', async () => {
    const slow = ['--env-options', '{"noise":0.02,"delayMs":40}', '--evaluations', '48', '--seed', '2'];
    const whole = join(folder, 'whole.jsonl');
    await finish(start('cem', '--url', server.url, '--log', whole, ...slow));

    const child = start('cem', '--url', server.url, '--log', log, ...slow);
    while (!existsSync(log) || evaluationsSoFar(log) < 20) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await once(child, 'close');
    const before = evaluations(log).length;
    assert.ok(before >= 20 && before < 48, `it was killed after ${before} evaluations`);
    appendFileSync(log, '{"type":"evaluation","key":"sear'); // as if it was killed in the middle of a line

    const { code, err } = await finish(start('cem', '--resume', log));
    assert.equal(code, 0, err);
    const keys = evaluations(log).map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length, 'an evaluation was made twice');
    const outcome = (path: string) => {
      const byKey = new Map(evaluations(path).map((record: EvaluationRecord) => [record.key, record.reward]));
      return { rewards: Object.fromEntries([...byKey].sort()), reported: reported(path) };
    };
    assert.deepEqual(outcome(log), outcome(whole));
  });

  it('takes up its session after it was killed, and pays for nothing twice', async () => {
    const ended = async () => {
      const text = await (await fetch(`${server.url.replace('ws', 'http')}/metrics`)).text();
      const counts = [...text.matchAll(/^lts_evaluations_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await ended();
    const flags = ['--env-options', '{"delayMs":150}', '--evaluations', '40', '--parallel', '20', '--seed', '2'];
    const child = start('cem', '--url', server.url, '--log', log, ...flags);
    while (!existsSync(log) || evaluationsSoFar(log) < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.equal(statSync(`${log}.session`).mode & 0o777, 0o600);
    const both = await Promise.all([finish(start('cem', '--resume', log)), finish(start('cem', '--resume', log))]);
    const [first, second] = both.sort((a, b) => a.code! - b.code!);
    assert.equal(first.code, 0, first.err);
    // The log is locked: the other one ends, or comes when the first has ended and finds nothing to do.
    if (second.code !== 0) assert.match(second.err, /expected a log that nobody writes at the moment/);
    const keys = evaluations(log).map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length, 'an evaluation was logged twice');
    assert.equal((await ended()) - before, keys.length, 'an evaluation was paid twice');
    assert.equal(existsSync(`${log}.session`), false);
  });

  it('evaluates anew what was cancelled when it was stopped, where its session is still there', async () => {
    const flags = ['--env-options', '{"delayMs":300}', '--evaluations', '12', '--parallel', '6', '--seed', '2'];
    const child = start('random-search', '--url', server.url, '--log', log, ...flags);
    while (!existsSync(log) || evaluationsSoFar(log) < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGKILL');
    await once(child, 'close');
    // Somebody cancels everything in its session, as the agent itself would before it is killed.
    const ticket = JSON.parse(readFileSync(`${log}.session`, 'utf8')) as SessionTicket;
    const peer = await Peer.welcomed(server.url);
    const resumed = await peer.ask({ t: 'resume', id: 1, ...ticket }, 'resumed');
    for (const step_id of resumed['in_flight'] as string[]) {
      peer.send({ t: 'cancel', id: step_id, session_id: ticket.session_id, step_id });
    }
    while ((resumed['in_flight'] as string[]).length > 0 && (await peer.next('result'))['outcome'] !== 'cancelled');
    writeFileSync(`${log}.session`, JSON.stringify({ ...ticket, resume_token: resumed['resume_token'] }));
    peer.close();
    const { code, err } = await finish(start('random-search', '--resume', log));
    assert.equal(code, 0, err);
    assert.ok(evaluations(log).every(({ outcome }) => outcome === 'ok'));
  });

  describe('with --discard median', () => {
    const flags = ['--env-options', '{"noise":0.02,"delayMs":40}', '--evaluations', '40', '--seed', '2'];
    // A population that stays broad: of one that rises as a whole little is below the median of those before.
    flags.push('--population', '8', '--smoothing', '0.2', '--sigma-floor', '0.4', '--discard', 'median');
    const searched = (path: string) =>
      evaluations(path)
        .filter(({ key }) => key.startsWith('search/'))
        .sort((a, b) => Number(a.key.slice(7)) - Number(b.key.slice(7)));
    const decided = (path: string) =>
      searched(path).map(({ key, action, outcome, reward, early, estimate, work }) => {
        return { key, action, outcome, reward, early, estimate, work };
      });
    let whole: string;
    before(async () => {
      whole = join(folder, 'discard.jsonl');
      const { code, err } = await finish(start('cem', '--url', server.url, '--log', whole, ...flags));
      assert.equal(code, 0, err);
    });

    it('cancels the weaker ones after the first iteration, and spends the budget on more of them', () => {
      const trials = searched(whole);
      const weak = trials.filter(({ outcome }) => outcome === 'discarded');
      assert.ok(weak.length > 5 && weak.length < trials.length / 2 + 8, `${weak.length} of ${trials.length}`);
      assert.ok(trials.slice(0, 8).every(({ outcome }) => outcome === 'ok'));
      assert.ok(trials.length > 40);
      const spent = trials.reduce((sum, { work = 1 }) => sum + work, 0);
      assert.ok(spent > 36 && spent <= 40, `it spent ${spent}`);
      for (const { reward, scores, early, estimate, work } of weak) {
        assert.deepEqual([reward, scores], [null, {}]);
        assert.equal(work, early!.at(-1)!.fraction);
        // the bandit gains the share of the training that is left, whatever the action
        assert.ok(Math.abs(estimate! - (early!.at(-1)!.score + 1 - work)) < 1e-9);
      }
    });

    it('makes no discarded evaluation a finalist', () => {
      const bad = new Set(searched(whole).flatMap(({ outcome, action }) => (outcome === 'ok' ? [] : [action.join()])));
      const finalists = evaluations(whole).filter(({ key }) => key.includes('/finalist/'));
      assert.ok(finalists.length > 0 && finalists.every(({ action }) => !bad.has(action.join())));
    });

    it('decides the same with any number of evaluations at once', async () => {
      const { code, err } = await finish(start('cem', '--url', server.url, '--log', log, ...flags, '--parallel', '1'));
      assert.equal(code, 0, err);
      assert.deepEqual(decided(log), decided(whole));
    });

    it('decides the same after it was killed and resumed', async () => {
      const child = start('cem', '--url', server.url, '--log', log, ...flags);
      while (!existsSync(log) || evaluationsSoFar(log) < 25) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGKILL');
      await once(child, 'close');
      const { code, err } = await finish(start('cem', '--resume', log));
      assert.equal(code, 0, err);
      assert.deepEqual(decided(log), decided(whole));
      assert.deepEqual(reported(log), reported(whole));
      const iterations = (path: string) => records(path).filter(({ type }) => type === 'iteration');
      assert.deepEqual(iterations(log), iterations(whole));
    });

    it('says when the environment reports no early scores', async () => {
      const { out } = await run('cem', '--evaluations', '16', '--discard', 'median');
      assert.match(out, /^--discard: nothing will be, as this environment tells no scores before the end/m);
    });
  });

  it('stops on Ctrl-C and says how to continue', async () => {
    const child = start('cem', '--url', server.url, '--log', log, '--env-options', '{"delayMs":200}');
    const end = finish(child);
    while (!existsSync(log) || evaluationsSoFar(log) < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const { code, out } = await end;
    assert.equal(code, 130);
    assert.match(out, new RegExp(`stopped; go on with --resume ${log}`));
    assert.ok(evaluations(log).every(({ outcome }) => outcome === 'ok'));
  });

  it("refuses to resume another agent's log, or a log with other options", async () => {
    await run('random-search', '--evaluations', '2', '--seed', '1');
    const other = await finish(start('cem', '--resume', log));
    assert.equal(other.code, 1);
    assert.match(other.err, /expected a log of cem, got one of random-search/);
    const changed = await finish(start('random-search', '--resume', log, '--seed', '2'));
    assert.match(changed.err, /option seed: expected 1 as in .*, got 2/);
  });

  describe('with --warm-start', () => {
    const first = join(folder, 'first.jsonl');
    const flags = ['--env-options', '{"noise":0.02,"delayMs":40}', '--evaluations', '32', '--seed', '2'];
    before(async () => {
      const { code, err } = await finish(
        start('random-search', '--url', server.url, '--log', first, ...noisy, '--evaluations', '48', '--seed', '9'),
      );
      assert.equal(code, 0, err);
    });
    const decided = (path: string) => {
      const all = evaluations(path).map(({ key, action, reward }) => ({ key, action, reward }));
      const iterations = records(path).filter(({ type }) => type === 'iteration');
      return { all: all.sort((a, b) => (a.key < b.key ? -1 : 1)), iterations, reported: reported(path) };
    };

    it('starts from the trials of another run, which cost nothing', async () => {
      const { code, out, err } = await finish(
        start('cem', '--url', server.url, '--log', log, ...noisy, '--evaluations', '32', '--warm-start', first),
      );
      assert.equal(code, 0, err);
      assert.match(out, new RegExp(`^warm start: 48 trials of ${first}, best [01]\\.\\d{4}$`, 'm'));
      assert.equal(out.match(/^\[ ?\d+\/32\]/gm)?.length, 32);
      const warm = records(log)[1] as WarmStart;
      const trials = evaluations(first).filter(({ key }) => key.startsWith('search/'));
      assert.deepEqual(
        warm.trials.map(({ action, reward }) => [action, reward]),
        trials
          .sort((a, b) => Number(a.key.slice(7)) - Number(b.key.slice(7)))
          .map(({ action, reward }) => [action, reward]),
      );
      assert.deepEqual([warm.type, warm.trials[47]!.key], ['warm-start', 'warm-start/47']);
      assert.equal(evaluations(log).filter(({ key }) => key.startsWith('search/')).length, 32);
    });

    it('has the best of them among its finalists, also where the agent learns nothing', async () => {
      const bad = ['--start', '{"x":0}', '--evaluations', '2', '--batch', '2', '--finalists', '2', '--seed', '1'];
      const { out } = await run('random-search', ...bad, '--warm-start', first);
      assert.match(out, /^ {2}this agent learns nothing from them; the best of them join its finalists$/m);
      const tried = evaluations(log).filter(({ key }) => key.startsWith('after-2/finalist/'));
      const best = Math.max(...(records(log)[1] as WarmStart).trials.map(({ reward }) => reward!));
      const winner = (records(log)[1] as WarmStart).trials.find(({ reward }) => reward === best)!;
      assert.ok(
        tried.some(({ action }) => String(action) === String(winner.action)),
        'not the best of them',
      );
    });

    it('takes rewards of another specification as a guide alone, and says so', async () => {
      const { out, err } = await finish(
        start('cem', '--url', server.url, '--log', log, ...flags, '--population', '16', '--warm-start', first),
      );
      assert.equal(err, '');
      assert.match(
        out,
        /^ {2}48 of them were made under another specification than \w+, so their rewards may not compare/m,
      );
      const known = new Set((records(log)[1] as WarmStart).trials.map(({ action }) => String(action)));
      const finalists = evaluations(log).filter(({ key }) => key.includes('/finalist/'));
      assert.ok(
        finalists.length > 0 && finalists.every(({ action }) => !known.has(String(action))),
        'one is a finalist',
      );
    });

    it('gives the same run again when it was killed and resumed, without the file of the trials', async () => {
      const whole = join(folder, 'warm-whole.jsonl');
      const moved = join(folder, 'moved.jsonl');
      writeFileSync(moved, readFileSync(first));
      const words = ['--url', server.url, ...flags, '--warm-start', moved];
      await finish(start('cem', ...words, '--log', whole));
      const child = start('cem', ...words, '--log', log);
      while (!existsSync(log) || evaluationsSoFar(log) < 20) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGKILL');
      await once(child, 'close');
      rmSync(moved);
      const { code, err } = await finish(start('cem', '--resume', log));
      assert.equal(code, 0, err);
      assert.deepEqual(decided(log), decided(whole));
    });

    it('is refused in a run that began without it, and where its trials are of other parameters', async () => {
      const cold = await finish(start('random-search', '--resume', first, '--warm-start', first));
      assert.equal(cold.code, 1);
      assert.match(cold.err, /option warmStart: expected none as in .*first\.jsonl, got ".*first\.jsonl"/);
      const other = join(folder, 'other.jsonl');
      writeFileSync(other, readFileSync(first, 'utf8').replace('"high":1', '"high":2'));
      const refused = await run('cem', '--warm-start', other);
      assert.equal(refused.code, 1);
      assert.match(
        refused.err,
        /^cem: --warm-start: .*other\.jsonl: expected the parameters of Bandit-v0: x\.high: expected 1, got 2\n$/,
      );
      assert.ok(!existsSync(log), 'no log is begun');
    });
  });

  it('continues with a larger budget than the run had', async () => {
    await run('random-search', '--evaluations', '8', '--seed', '1');
    const { code, out } = await finish(start('random-search', '--resume', log, '--evaluations', '16'));
    assert.equal(code, 0);
    assert.equal(out.match(/^\[/gm)?.length, 8);
  });

  it('refuses a smaller budget than the run has reported on, and leaves its log as it is', async () => {
    await run('random-search', '--evaluations', '8', '--seed', '1');
    const before = readFileSync(log, 'utf8');
    const { code, err } = await finish(start('random-search', '--resume', log, '--evaluations', '4'));
    assert.equal(code, 1);
    assert.match(err, /^random-search: --evaluations: expected at least 8, after which .* has its report, got 4; /);
    assert.equal(readFileSync(log, 'utf8'), before);
  });

  it('makes several runs with --search-seeds, each as with its own --seed, and continues them in their folder', async () => {
    const runs = join(folder, 'several');
    const flags = ['--evaluations', '12', '--batch', '4', '--report-seeds', '2'];
    const several = (range: string) =>
      finish(start('random-search', '--url', server.url, ...noisy, ...flags, '--search-seeds', range, '--log', runs));
    const path = (seed: number) => join(runs, `random-search-${seed}.jsonl`);
    assert.equal((await several('1..2')).code, 0);
    const first = [1, 2].map((seed) => readFileSync(path(seed), 'utf8'));
    const lines = first[1]!.split('\n');
    writeFileSync(path(2), lines.slice(0, 7).join('\n')); // as if it had been killed within its seventh line
    const { code, out, err } = await several('1..3');
    assert.equal(code, 0, err);
    assert.match(out, /^3 runs; logs: .*several$/m);
    assert.equal(readFileSync(path(1), 'utf8'), first[0], 'a run that has ended is left as it is');
    const results = (of: string) => evaluations(of).map(({ key, action, reward }) => [key, action, reward]);
    assert.deepEqual(readFileSync(path(2), 'utf8').split('\n').slice(0, 6), lines.slice(0, 6));
    await run('random-search', ...flags, '--seed', '2');
    assert.deepEqual(new Set(results(path(2))), new Set(results(log)));
    assert.equal(results(path(2)).length, results(log).length);
    assert.equal(reported(path(3)).length, 2);
  });

  it('refuses --search-seeds that are no range, or stand beside --seed', async () => {
    for (const range of ['', '3', '5..1', '1..', '1..2000', '-1..2', '1..4294967296', '1.5..2', 'a..b']) {
      const message = `Expected the first and the last of at most 1000 seeds, as 1..5, got "${range}".`;
      assert.throws(() => seedRange(range), { message });
    }
    assert.deepEqual(seedRange('3..5'), [3, 4, 5]);
    assert.deepEqual(seedRange('4294967295..4294967295'), [4294967295]);
    const { code, err } = await run('cem', '--search-seeds', '1..2', '--seed', '3');
    assert.notEqual(code, 0);
    assert.match(err, /'--search-seeds <range>' cannot be used with option '--seed <n>'/);
  });

  it('goes on where a whole iteration, or an evaluation of the report, had failed: these are asked again', async () => {
    const flags = ['--evaluations', '8', '--population', '4', '--elite', '2', '--finalists', '1'];
    const { code } = await run('cem', ...flags);
    assert.equal(code, 0);
    const whole = readFileSync(log, 'utf8').trim().split('\n');
    type Written = { type: string; key?: string };
    const failed = (text: string) =>
      JSON.stringify({ ...(JSON.parse(text) as object), outcome: 'failed', reward: null });
    const isOfSecond = (text: string) => /^search\/[4-7]$/.test((JSON.parse(text) as Written).key ?? '');
    const first = whole.slice(0, whole.findIndex(isOfSecond));
    writeFileSync(log, [...first, ...whole.filter(isOfSecond).map(failed), ''].join('\n'));
    const again = await finish(start('cem', '--resume', log));
    assert.equal(again.code, 0, again.err);
    assert.deepEqual(
      reported(log),
      (JSON.parse(whole.at(-1)!) as { reported: Reported[] }).reported,
      'as the run that nothing has disturbed',
    );
    const trials = searchTrials(readTrialLog(log).records);
    assert.deepEqual(
      trials.map(({ outcome }) => outcome),
      Array<string>(8).fill('ok'),
    );
    const isOfReport = (text: string) => /learned\/1$/.test((JSON.parse(text) as Written).key ?? '');
    writeFileSync(
      log,
      `${whole
        .map((text) => (isOfReport(text) ? failed(text) : text))
        .slice(0, -1)
        .join('\n')}\n`,
    );
    assert.equal((await finish(start('cem', '--resume', log))).code, 0);
    assert.deepEqual(reported(log), (JSON.parse(whole.at(-1)!) as { reported: Reported[] }).reported);
  });

  it('begins a log anew that a killed program has left within its first word', async () => {
    writeFileSync(log, '{"typ');
    assert.equal((await run('random-search', '--evaluations', '2')).code, 0);
    assert.equal(readTrialLog(log).header.agent, 'random-search');
  });

  it('stops with a sentence at an unknown flag or value', async () => {
    const results = await Promise.all([
      finish(start('cem', '--evalutions', '5')),
      finish(start('cem', '--evaluations', 'many')),
      finish(start('cem', '--url', 'ws://127.0.0.1:9', '--log', log)),
      finish(start('cem', '--url', server.url, '--log', log, '--start', 'center')),
      finish(start('cem', '--resume', 'no-such-log.jsonl')),
    ]);
    assert.match(results[0].err, /unknown option '--evalutions'/);
    assert.match(results[1].err, /Expected a number of at least 1, got "many"/);
    assert.match(results[2].err, /^cem: .*127\.0\.0\.1:9/);
    assert.match(results[3].err, /'--start <where>'.*Expected start, default, centre, random, or θ.*center/);
    assert.match(results[4].err, /^cem: no-such-log\.jsonl: expected the log of a run/);
    assert.ok(results.every(({ code }) => code === 1));
    assert.ok(!existsSync(log), 'no log is begun before there is a server');
  });

  it('gives up when every evaluation fails, with the reason of the first', async () => {
    const { code, err } = await finish(
      start('cem', '--url', server.url, '--log', log, '--env-options', '{"fault":"throw"}', '--population', '4'),
    );
    assert.equal(code, 1);
    assert.match(
      err,
      /all 4 evaluations of iteration 0 failed: .*this bandit throws \(test\/environments\/bandit\.ts:\d+\)/,
    );
  });

  it('shows no control characters of a reason', async () => {
    const flags = ['--url', server.url, '--log', log, '--env', '\u001b[2J', '--evaluations', '1'];
    const { code, err } = await finish(start('cem', ...flags));
    assert.equal(code, 1);
    assert.match(err, /^cem: .*\\u001b\[2J.*\n$/);
  });

  it('fails when its report fails, with the reason of the first, and shows what it has', async () => {
    // Random search learns nothing from its start, so only the evaluations of the start fail.
    const flags = [
      '--env-options',
      '{"fault":"diverge","faultAbove":0.97}',
      '--start',
      '{"x":0.99}',
      '--evaluations',
      '8',
    ];
    const { code, out, err } = await finish(start('random-search', '--url', server.url, '--log', log, ...flags));
    assert.equal(code, 1);
    assert.match(out, /^validation gain \(reward\) +failed +\d/m);
    assert.match(
      err,
      /^random-search: report: expected scores on all seeds, got 3 of 6; start\/0: diverged \(.*NaN\)\n$/,
    );
  });

  it('fails when no evaluation has a reward, with the outcome of the first', async () => {
    const flags = ['--env-options', '{"fault":"diverge"}', '--population', '4', '--evaluations', '8'];
    const { code, err } = await finish(start('cem', '--url', server.url, '--log', log, ...flags));
    assert.equal(code, 1);
    assert.match(err, /^cem: none of the 8 evaluations has a reward; the first one: diverged \(.*NaN/);
  });
});

function evaluationsSoFar(log: string): number {
  return readFileSync(log, 'utf8').split('"type":"evaluation"').length - 1;
}
