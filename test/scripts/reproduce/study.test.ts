import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines } from '../../../agents/run/line-log.ts';
import type { EvaluationRecord, LogRecord } from '../../../agents/run/trial-log.ts';
import { DEFAULT_RUNTIME } from '../../../env/runtime.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { MIXTURE_PARAMETERS, realPoints } from '../../../env/simulators/mixture/mixture.ts';
import { ownPrograms } from '../../../scripts/programs.ts';
import { everySearch, randomArm, thetasOf } from '../../../scripts/reproduce/arms.ts';
import { collect } from '../../../scripts/reproduce/collect.ts';
import { evaluationsToReachFigure } from '../../../scripts/reproduce/evaluations-to-reach.ts';
import { keepLogs, readLog, readRecord, restoreLogs, writeRecord } from '../../../scripts/reproduce/logs.ts';
import { report } from '../../../scripts/reproduce/report.ts';
import { curvesFigure } from '../../../scripts/reproduce/reward-curves.ts';
import { identityOf, prepareFolders, redraw, runStudy } from '../../../scripts/reproduce/run-study.ts';
import { searchesOf } from '../../../scripts/reproduce/search-log.ts';
import type { Arm, Preset, Study } from '../../../scripts/reproduce/study.ts';
import type { Summary } from './reproduction.ts';
import { startBanditServer } from '../../env/server/bandit-server.ts';

/** What the training of a real model does before it begins. */
let beforeTraining: (number: number) => void = () => {};

const search = { finalists: 1, finalistSeeds: 1, reportSeeds: 2 };
const arms = {
  reinforce: { kind: 'search', title: 'REINFORCE', agent: 'reinforce', options: { ...search, batch: 4 } },
  randomSearch: { kind: 'search', title: 'random search', agent: 'random-search', options: search, mostSeeds: 1 },
  random: randomArm('random θ', MIXTURE_PARAMETERS),
  randomBest: { kind: 'best', title: 'the best of them', of: 'random' },
  real: {
    kind: 'trained',
    title: (points) => `${points} real points`,
    async real(_, number) {
      beforeTraining(number);
      return realPoints(number, 40);
    },
  },
} satisfies Record<string, Arm>;
const preset: Preset = {
  searchSeeds: 2,
  evaluations: everySearch(arms, 24),
  randomThetas: 3,
  envOptions: { validation: 60, test: 60, pointsPerComponent: 10 },
};
const study: Study = {
  name: 'tiny',
  environment: 'Mixture-v0',
  backend: 'libsvm',
  presets: { quick: preset },
  arms,
  learned: { seeds: 2 },
  metric: 'accuracy',
  alsoReported: [],
  figures: [
    evaluationsToReachFigure({ metric: 'accuracy', seeds: 2 }),
    curvesFigure({ file: 'rewards', title: 'R', axis: 'a', score: (s) => s['accuracy'], levels: [{ arm: 'real' }] }),
  ],
  isLean: true,
};
/** 3 random θ; of each search 24, its best again, start and end twice each, the end twice more; REINFORCE’s own choice. */
const BEFORE_MILESTONES = 3 + 3 * (24 + 1 + 2 * 2 + 2) + 2;

/** Beside each log of a search lies the θ that it found. */
const logsIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

/** A hash of the bytes of every file of a folder, by name. */
function bytesOf(folder: string): Record<string, string> {
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(readdirSync(folder).map((name) => [name, hash(name)]));
}

const keysOf = (records: readonly LogRecord[]) =>
  records.filter((record) => record.type === 'evaluation').map(({ key }) => key);

describe('a study @slow', function () {
  this.timeout(120_000);
  let server: EnvironmentServer;
  const folder = mkdtempSync(join(tmpdir(), 'study-'));
  const [logs, kept] = [join(folder, 'logs'), join(folder, 'kept')];
  const programs = ownPrograms();
  const start = () => startBanditServer({ environments: ['Mixture-v0'] });
  const collected = () => collect(study, preset, { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs });
  /** Evaluations that the server has made. */
  const made = async () => {
    const text = await (await fetch(`${server.url.replace('ws', 'http')}/metrics`)).text();
    return Number(/^lts_evaluations_total\{outcome="ok"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const record = { study: 'tiny', command: 'c', commit: 'd', backend: 'e', machine: 'f', identity: 'i', preset };

  before(async () => {
    server = await start();
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('that was stopped goes on from its logs, also from a cut last line, and evaluates nothing twice', async () => {
    const trained: number[] = [];
    beforeTraining = (number) => {
      if (number === 2 && !trained.includes(2)) throw new Error('the power fails');
      trained.push(number);
    };
    await assert.rejects(collected(), { message: 'the power fails' });
    assert.equal(await made(), BEFORE_MILESTONES);
    beforeTraining = (number) => void trained.push(number);
    for (const name of ['random', 'real', 'learned-reinforce', 'reinforce-1']) {
      appendFileSync(join(logs, `${name}.jsonl`), '{"type":"evaluation","key":"ra');
    }
    writeFileSync(join(logs, 'milestones.jsonl'), '{"type":"ru'); // killed within the first line
    await collected();
    const milestones = keysOf(readLog(logs, 'milestones')).length;
    assert.ok(milestones > 0);
    assert.equal(await made(), BEFORE_MILESTONES + milestones);
    assert.deepEqual(keysOf(readLog(logs, 'real')), ['real/1', 'real/2']);
    for (const name of logsIn(logs)) {
      const keys = keysOf(readLines(join(logs, name)));
      assert.equal(new Set(keys).size, keys.length, `${name} has no evaluation twice`);
    }
    const before = bytesOf(logs);
    beforeTraining = () => assert.fail('it is there');
    await collected();
    assert.equal(await made(), BEFORE_MILESTONES + milestones);
    delete before['reinforce-1.jsonl']; // its search has ended: the cut line stays, and is none
    assert.deepEqual({ ...bytesOf(logs), ...before }, bytesOf(logs));
  });

  it('goes on with a search that was cut, to the same end', async () => {
    const path = join(logs, 'randomSearch-1.jsonl');
    const whole = readLines<EvaluationRecord>(path);
    const bytes = readFileSync(path, 'utf8');
    truncateSync(path, bytes.indexOf('search/10') + 5);
    await collected();
    const scores = (records: readonly EvaluationRecord[]) =>
      new Map(
        records.filter(({ type }) => type === 'evaluation').map(({ key, action, scores }) => [key, { action, scores }]),
      );
    assert.deepEqual(scores(readLines(path)), scores(whole));
  });

  it('refuses a log that was made with other options', async () => {
    const other = { ...study, arms: { ...arms, random: { ...arms.random, envOptions: { gamma: 2 } } } };
    const laboratory = { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs };
    await assert.rejects(
      collect(other, preset, laboratory),
      /random\.jsonl: expected Mixture-v0 with spec .*move it away/,
    );
  });

  it('is reported without a server, with the same bytes each time', async () => {
    await server.stop();
    await assert.rejects(report(study, logs, join(folder, 'a')), /expected the complete logs of tiny, got none/);
    writeRecord(logs, record);
    await report(study, logs, join(folder, 'a'));
    await report(study, logs, join(folder, 'b'));
    const files = bytesOf(join(folder, 'a'));
    const figures = ['rewards', 'evaluations-to-reach'].flatMap((name) => [`${name}.svg`, `${name}.png`]);
    const texts = ['evaluations-to-reach.csv', 'evaluations-to-reach.md', 'summary.json', 'table.csv', 'table.md'];
    assert.deepEqual(Object.keys(files).sort(), [...figures, ...texts].sort());
    assert.deepEqual(bytesOf(join(folder, 'b')), files);
    assert.match(readFileSync(join(folder, 'a', 'table.md'), 'utf8'), /\| 40 real points \| 0 \|/);
  });

  it('is drawn from compressed logs alone as from plain ones', async () => {
    keepLogs(logs, kept, record);
    keepLogs(logs, join(folder, 'lean'), record, true);
    for (const from of [kept, join(folder, 'lean')]) {
      await redraw(study, [join(folder, 'nowhere'), from], join(folder, 'c'), 'make');
      assert.deepEqual(bytesOf(join(folder, 'c')), bytesOf(join(folder, 'a')));
    }
    const trials = readLog(join(folder, 'lean'), 'reinforce-1').filter((r) => r.type === 'evaluation');
    assert.ok(trials.filter(({ action }) => action.length === 0).length > 12, 'lean logs leave actions out');
  });

  it('says which log lacks what, where one is not whole', async () => {
    const broken = join(folder, 'broken');
    keepLogs(logs, broken, record);
    rmSync(join(broken, 'random.jsonl.gz'));
    writeFileSync(
      join(broken, 'random.jsonl'),
      readFileSync(join(logs, 'random.jsonl'), 'utf8').split('\n')[0]! + '\n',
    );
    await assert.rejects(
      report(study, broken, join(folder, 'c')),
      /random: expected an evaluation random\/0\/1, got none/,
    );
    rmSync(join(broken, 'cem-1.jsonl.gz'), { force: true });
    rmSync(join(broken, 'reinforce-2.jsonl.gz'));
    await assert.rejects(report(study, broken, join(folder, 'c')), /reinforce-2\.jsonl: expected a log/);
    const say = 'nowhere has no logs: expected them in x or y; `make` makes them';
    await assert.rejects(redraw(study, ['x', 'y'], 'nowhere', 'make'), { message: say });
  });

  it('keeps its logs in the same bytes, whole ones to the bit, and lean ones also when they were restored', () => {
    const again = join(folder, 'again');
    keepLogs(logs, again, record);
    assert.deepEqual(bytesOf(again), bytesOf(kept));
    const restored = join(folder, 'restored');
    assert.equal(restoreLogs(kept, restored, 'of others'), 0);
    assert.ok(restoreLogs(kept, restored, 'i') > 5);
    assert.equal(restoreLogs(kept, restored, 'i'), 0, 'what is there stays');
    for (const name of readdirSync(restored)) {
      assert.deepEqual(readLines(join(restored, name)), readLines(join(logs, name)), name);
    }
    const lean = join(folder, 'lean');
    const fromLean = join(folder, 'from-lean');
    restoreLogs(lean, fromLean, 'i');
    writeRecord(fromLean, readRecord(lean)!);
    keepLogs(fromLean, join(folder, 'lean-again'), record, true);
    assert.deepEqual(bytesOf(join(folder, 'lean-again')), bytesOf(lean));
  });

  it('goes on from restored lean logs: what has ended is kept, a search that has not is made anew', async () => {
    server = await start();
    const restored = join(folder, 'restored-lean');
    restoreLogs(join(folder, 'lean'), restored, 'i');
    const laboratory = { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs: restored };
    await collect(study, preset, laboratory);
    assert.equal(await made(), 0);
    const more = { ...preset, evaluations: { ...preset.evaluations, randomSearch: 28 } };
    await collect(study, more, laboratory);
    const evaluated = keysOf(readLog(restored, 'randomSearch-1')).filter((key) => key.startsWith('search/'));
    assert.equal(evaluated.length, 28);
    writeRecord(restored, { ...record, preset: more });
    await report(study, restored, join(folder, 'd'));
    const [old, now] = ['a', 'd'].map((out) => {
      const { arms } = JSON.parse(readFileSync(join(folder, out, 'summary.json'), 'utf8')) as {
        arms: Record<string, unknown>;
      };
      return arms;
    });
    assert.deepEqual(now!['reinforce'], old!['reinforce']);
    assert.deepEqual(Object.keys(now!), Object.keys(arms));
  });

  it('that was stopped on one machine goes on from its compressed logs on another, and back', async () => {
    const [out, unfinished] = [join(folder, 'machines'), join(folder, 'machines', 'unfinished')];
    const few = { random: arms.random, real: arms.real };
    const short: Omit<Study, 'isLean'> & { isLean?: true } = { ...study, arms: few, figures: [] };
    delete short.isLean; // its logs are kept when it is stopped
    let interrupted = false;
    const stoppable = { ...programs };
    Object.defineProperty(stoppable, 'interrupted', { get: () => interrupted });
    const run = async (machine: string) => {
      const own = join(folder, machine);
      prepareFolders(own, out);
      const laboratory = { programs: stoppable, url: server.url, runtime: DEFAULT_RUNTIME, logs: own };
      await runStudy(short, preset, laboratory, record, out);
    };
    const before = await made();
    let calls = 0; // one for the log's first line, one for the first training
    beforeTraining = () => {
      interrupted = ++calls === 2;
    };
    await assert.rejects(run('one'), /interrupted; the same command goes on/);
    interrupted = false;
    assert.deepEqual(readdirSync(unfinished).sort(), ['random.jsonl.gz', 'real.jsonl.gz', 'study.json']);

    const trained: number[] = [];
    beforeTraining = (number) => void trained.push(number);
    await run('another');
    assert.deepEqual([trained, (await made()) - before], [[2], 3], 'nothing is made twice');
    assert.deepEqual(readdirSync(out).sort(), ['logs', 'summary.json', 'table.csv', 'table.md']);
    await run('one');
    assert.deepEqual([trained, (await made()) - before], [[2], 3], 'its logs have gone on elsewhere');

    // An error is no stop, and logs of something else are not kept under this study's name.
    appendFileSync(join(folder, 'one', 'identity.txt'), 'of something else');
    rmSync(join(folder, 'one', 'real.jsonl'));
    rmSync(join(out, 'logs'), { recursive: true });
    beforeTraining = () => {
      interrupted = true;
    };
    await assert.rejects(run('one'), /interrupted/);
    assert.deepEqual(readdirSync(out).sort(), ['summary.json', 'table.csv', 'table.md']);
    assert.throws(() => prepareFolders(unfinished, out), /--logs: expected another folder than that of the logs/);
  });

  it('measures only the arms that its preset names, and draws figures without the others', async () => {
    const few = { ...preset, arms: ['random', 'reinforce'] };
    assert.deepEqual(
      searchesOf(study, few).map(({ arm, seed }) => `${arm}-${seed}`),
      ['reinforce-1', 'reinforce-2'],
    );
    const own = join(folder, 'few');
    const references = ['reinforce', 'randomSearch'];
    const figures = [evaluationsToReachFigure({ metric: 'accuracy', seeds: 1, references })];
    const narrow = { ...study, figures };
    await collect(narrow, few, { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs: own });
    const names = ['learned-reinforce', 'milestones', 'random', 'reinforce-1', 'reinforce-2'];
    assert.deepEqual(
      logsIn(own).sort(),
      names.map((name) => `${name}.jsonl`),
    );
    writeRecord(own, { ...record, preset: few });
    await report(narrow, own, join(folder, 'e'));
    const { arms: reported } = JSON.parse(readFileSync(join(folder, 'e', 'summary.json'), 'utf8')) as Summary;
    assert.deepEqual(Object.keys(reported), ['reinforce', 'random']);
    const reached = readFileSync(join(folder, 'e', 'evaluations-to-reach.csv'), 'utf8');
    assert.match(reached, /\nreinforce,reinforce,1,24,/);
    assert.doesNotMatch(reached, /randomSearch/);
  });

  it('may search with shorter evaluations, and scores what was found in whole ones', async () => {
    const few = { reinforce: arms.reinforce, real: arms.real } satisfies Record<string, Arm>;
    const whole: Preset = { ...preset, searchSeeds: 1, evaluations: everySearch(few, 16) };
    const short: Preset = { ...whole, searchOptions: { pointsPerComponent: 5 } };
    const path = join(folder, 'short');
    const own = { ...study, arms: few };
    await collect(own, short, { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs: path });
    const pointsOf = (log: string) => {
      const { environment } = readLog(path, log)[0] as unknown as { environment: { options: Record<string, unknown> } };
      return environment.options['pointsPerComponent'];
    };
    assert.deepEqual(['reinforce-1', 'milestones', 'learned-reinforce'].map(pointsOf), [5, 5, 10]);
    const identities = [short, whole].map((of) => identityOf(own, of, DEFAULT_RUNTIME, 'quick'));
    assert.equal(new Set(await Promise.all(identities)).size, 2, 'the logs of one are not those of the other');

    const written = async (own: Preset, name: string) => {
      writeRecord(path, { ...record, preset: own });
      await report({ ...study, arms: few }, path, join(folder, name));
      return ['table.md', 'rewards.svg'].map((file) => readFileSync(join(folder, name, file), 'utf8'));
    };
    const [table, chart] = await written(short, 'h');
    assert.match(table!, /shorter \(pointsPerComponent 5\); all scores of this table are of whole ones/);
    assert.doesNotMatch(chart!, /40 real points/, 'a level of another evaluation');
    assert.match(chart!, /short evaluations/);
    const [wholeTable, wholeChart] = await written(whole, 'i');
    assert.doesNotMatch(wholeTable!, /shorter/);
    assert.match(wholeChart!, /40 real points/);
  });

  it('compares searches with those of the same options', async () => {
    const elsewhere = (title: string) => ({ ...arms.randomSearch, title, envOptions: { pointsPerComponent: 5 } });
    const few = {
      reinforce: arms.reinforce,
      ownFew: elsewhere('few'),
      otherFew: elsewhere('few again'),
    } satisfies Record<string, Arm>;
    const figures = [evaluationsToReachFigure({ metric: 'accuracy', seeds: 1, references: ['reinforce', 'ownFew'] })];
    const own = { ...preset, searchSeeds: 1, evaluations: everySearch(few, 16) };
    const path = join(folder, 'apart');
    const whole = { ...study, arms: few, figures };
    await collect(whole, own, { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs: path });
    writeRecord(path, { ...record, preset: own });
    await report(whole, path, join(folder, 'g'));
    const csv = readFileSync(join(folder, 'g', 'evaluations-to-reach.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    assert.deepEqual(
      csv.map((line) => line.split(',').slice(0, 2).join()),
      ['reinforce,reinforce', 'ownFew,ownFew', 'ownFew,otherFew'],
    );
    const charts = readdirSync(join(folder, 'g')).filter((name) => name.endsWith('.svg'));
    assert.deepEqual(charts.sort(), ['evaluations-to-reach-ownFew.svg', 'evaluations-to-reach.svg']);
  });

  it('starts a search from the trials of another, in an environment of its own, and counts what these took', async () => {
    const cheap = { ...preset.envOptions, pointsPerComponent: 5 };
    const pair = {
      after: { ...arms.reinforce, title: 'after', startsFrom: 'before', evaluations: 8 },
      reinforce: arms.reinforce,
      before: { ...arms.randomSearch, title: 'before', environment: 'Mixture-v0', envOptions: cheap, evaluations: 12 },
    } satisfies Record<string, Arm>;
    const figures = [evaluationsToReachFigure({ metric: 'accuracy', seeds: 1 })];
    const both = { ...study, arms: pair, figures };
    const own = { ...preset, searchSeeds: 1, evaluations: everySearch(pair, 24) };
    assert.deepEqual(own.evaluations, { after: 8, reinforce: 24, before: 12 });
    const path = join(folder, 'pair');
    await collect(both, own, { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs: path });
    const foreign = {
      ...both,
      arms: { ...pair, before: { ...pair.before, envOptions: { ...cheap, validation: 90 } } },
    };
    const laboratory = { programs, url: server.url, runtime: DEFAULT_RUNTIME, logs: path };
    await assert.rejects(collect(foreign, own, laboratory), /(before|after)-1\.jsonl: expected .*; move it away/);
    const [header, warm] = readLog(path, 'after-1');
    assert.ok(header?.type === 'run' && warm?.type === 'warm-start', 'the log has its past');
    assert.deepEqual(header.environment.options['pointsPerComponent'], 10);
    assert.equal(warm.trials.length, 12);
    writeRecord(path, { ...record, preset: own });
    await report(both, path, join(folder, 'f'));
    const milestones = keysOf(readLog(path, 'milestones'));
    assert.deepEqual(
      milestones.filter((key) => key.startsWith('before')),
      [],
      'its rewards are of something else',
    );
    const csv = readFileSync(join(folder, 'f', 'evaluations-to-reach.csv'), 'utf8');
    const budget = Number(/^reinforce,after,1,(\d+),/m.exec(csv)![1]);
    assert.ok(budget > 8, `8 of its own and the price of 12 cheap ones: ${budget}`);
  });

  it('has every search with its own seeds, and fewer where an arm says so', () => {
    const names = searchesOf(study, preset).map(({ arm, seed }) => `${arm}-${seed}`);
    assert.deepEqual(names, ['reinforce-1', 'randomSearch-1', 'reinforce-2']);
    const { requests } = thetasOf('random', arms.random.thetas(preset), { seeds: 2 });
    assert.deepEqual(
      requests.map(({ key }) => key),
      ['random/0/1', 'random/0/2', 'random/1/1', 'random/1/2', 'random/2/1', 'random/2/2'],
    );
  });
});
