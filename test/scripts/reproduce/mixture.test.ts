import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { reproduction, type Summary } from './reproduction.ts';

const { run: reproduce, out, logs, wrote, summary: readSummary, read, remove } = reproduction('mixture');
const tiny = ['--preset', 'quick', '--evaluations', '16', '--search-seeds', '1'];

describe('reproduce mixture @slow', function () {
  this.timeout(180_000);
  after(remove);
  let first: string;

  it('runs every arm over the socket and writes summary, table, figures and logs', async () => {
    const { code, out: said, err } = await reproduce(...tiny);
    assert.equal(code, 0, err);
    assert.match(said, /^7 searches, 0 of them done before/m);
    first = read('summary.json');
    const summary = JSON.parse(first) as Summary;
    assert.deepEqual(Object.keys(summary), ['experiment', 'command', 'commit', 'backend', 'arms']);
    assert.equal(summary.experiment, 'mixture');
    assert.match(summary.command, /^npm run reproduce -- mixture .*--evaluations 16/);
    assert.match(summary.commit, /^([0-9a-f]{40}(\+changes)?|unknown)$/);
    const reinforce = ['reinforce', 'reinforceCommon', 'reinforceWarm'];
    const searched = [...reinforce, 'randomSearch', 'cem', 'cmaEs', 'gaussianProcess'];
    const fixed = ['random', 'start', 'distributionMatching', 'real'];
    assert.deepEqual(Object.keys(summary.arms).sort(), [...searched, ...fixed].sort());
    for (const [name, { evaluations, validation, test }] of Object.entries(summary.arms)) {
      assert.equal(evaluations, searched.includes(name) ? 16 : 0);
      for (const { mean, ci95, n } of [validation, test]) {
        assert.equal(n, name === 'random' ? 20 : 1);
        assert.ok(mean > 0.3 && mean <= 1, `${name}: ${mean}`);
        if (n === 1) assert.equal(ci95, null, 'one value has no interval');
        else assert.ok(ci95![0] < mean && mean < ci95![1]);
      }
    }
    // What needs no search comes out at any budget: the order is that of the paper.
    const test = (name: string) => summary.arms[name]!.test.mean;
    assert.ok(test('real') > test('distributionMatching') && test('distributionMatching') > test('random') + 0.2);
    wrote('table.md', 'table.csv', 'rewards.svg', 'rewards.png', 'boundaries.svg', 'boundaries.png');
    assert.equal(read('table.csv').trim().split('\n').length, 1 + 11);
    wrote('evaluations-to-reach.md', 'evaluations-to-reach.svg', 'evaluations-to-reach.png');
    // The match teaches an SVM at once what 16 evaluations of REINFORCE do not.
    assert.match(read('evaluations-to-reach.csv'), /^reinforce,reinforceWarm,1,16,0,0,/m);
    assert.ok(readdirSync(logs).includes('reinforce-1.jsonl'));
  });

  it('goes on from what is there: an ended search is kept, a missing one is run again to the same end', async () => {
    for (const path of [join(logs, 'cem-1.jsonl'), join(out, 'logs', 'cem-1.jsonl.gz')]) rmSync(path);
    const kept = readFileSync(join(logs, 'reinforce-1.jsonl'), 'utf8');
    const { code, out: said, err } = await reproduce(...tiny);
    assert.equal(code, 0, err);
    assert.match(said, /^7 searches, 6 of them done before/m);
    assert.equal(readFileSync(join(logs, 'reinforce-1.jsonl'), 'utf8'), kept);
    const { arms } = readSummary();
    assert.deepEqual(arms, (JSON.parse(first) as Summary).arms);
  });

  it('draws everything again from the logs beside the results, and evaluates nothing', async () => {
    rmSync(logs, { recursive: true });
    const files = readdirSync(out).filter((name) => name !== 'logs');
    const before = files.map((name) => readFileSync(join(out, name)));
    for (const name of files) rmSync(join(out, name));
    const { code, out: said, err } = await reproduce('--figures-only');
    assert.equal(code, 0, err);
    assert.doesNotMatch(said, /evaluations/);
    files.forEach((name, i) => assert.ok(readFileSync(join(out, name)).equals(before[i]!), name));
    assert.ok(!existsSync(logs));
  });

  it('says in a sentence that there is nothing to draw from, and what makes it', async () => {
    rmSync(join(out, 'logs'), { recursive: true });
    const { code, err } = await reproduce('--figures-only');
    assert.equal(code, 1);
    const kept = join(out, 'logs');
    const sentence = `${out} has no logs: expected them in ${logs} or ${kept}; \`npm run reproduce -- mixture --preset standard\` makes them`;
    assert.equal(err, `reproduce: ${sentence}\n`);
  });

  it('refuses to write the logs where their copies are kept', async () => {
    const kept = join(out, 'logs');
    const { code, err } = await reproduce(...tiny, '--logs', kept);
    assert.equal(code, 1);
    assert.match(err, /^reproduce: --logs: expected another folder than that of the logs beside the results, got /m);
    assert.ok(!existsSync(join(kept, 'study.json')), 'nothing is written');
  });

  it('refuses an experiment that it does not know, and a number that is none', async () => {
    const { code, err } = await reproduce('--evaluations', 'many');
    assert.equal(code, 1);
    assert.match(err, /Expected a number of at least 1/);
    assert.ok(existsSync(out));
  });
});
