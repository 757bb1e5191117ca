import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '../../agents/client/client.ts';
import { loadDefinition } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import { describeExperiment } from '../../env/server/describe.ts';
import type { ReportedRuns } from '../../env/server/dashboard/answers.ts';
import { actionToTheta } from '../../protocol/parameters.ts';
import { startBanditServer } from '../env/server/bandit-server.ts';

const END = '</script><script>window.wasRead=1</script>';

describe('npm run report @slow', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'report-'))));
  after(() => rmSync(folder, { recursive: true }));

  const report = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/report.ts', ...args]);

  /** Writes the log of a search in Mixture-v0. */
  async function mixtureLog(name: string, specHash?: string): Promise<string> {
    const { spec } = describeExperiment(await loadDefinition('Mixture-v0'), {}, DEFAULT_RUNTIME, undefined);
    const header = {
      ...{ type: 'run', runId: name, agent: `cem ${END}`, options: { seed: 1 } },
      environment: { id: 'Mixture-v0', specHash: specHash ?? spec.spec_hash, options: spec.options },
    };
    const records = Array.from({ length: 24 }, (_, i) => {
      const action = Array.from({ length: 16 }, (_, k) => 0.8 * Math.sin(i + k));
      const reward = 0.5 + i / 100;
      return {
        ...{ type: 'evaluation', key: `search/${i}`, action, theta: actionToTheta(spec.parameters, action) },
        ...{ outcome: 'ok', reward, scores: { accuracy: reward }, seeds: { simulation: i }, timing: { train_ms: 3 } },
      };
    });
    const iteration = { type: 'iteration', iteration: 0, state: { mu: records[3]!.action, sigma: 0.1 } };
    const lines = [header, ...records.slice(0, 12), iteration, ...records.slice(12)];
    const path = join(folder, `${name}.jsonl`);
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return path;
  }

  function read(path: string): { html: string; data: ReportedRuns } {
    const html = readFileSync(path, 'utf8');
    const json = /<script type="application\/json" id="report">(.*?)<\/script>/s.exec(html)![1]!;
    return { html, data: JSON.parse(json) as ReportedRuns };
  }

  it('writes one file that needs no other, and its figures as SVG and PNG', async () => {
    const out = join(folder, 'one.html');
    const { stdout } = await report(await mixtureLog('one'), '--out', out);
    assert.ok(stdout.startsWith(`${out}\n`));
    const { html, data } = read(out);
    const [run] = data.runs;
    assert.deepEqual(
      [run!.evaluations.length, run!.description.reward, run!.description.unknown],
      [24, 'accuracy', undefined],
    );
    assert.deepEqual(run!.description.parameters[0]!.low, -10);
    assert.deepEqual([run!.notes[0]!.evaluations, run!.notes[0]!.mean!.length], [12, 16]);
    // The policy of the file names its one script and its one style by their hashes, and allows no address.
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const script = [...html.matchAll(/<script>([^]*?)<\/script>/g)].map(([, text]) => text!);
    assert.equal(script.length, 1, 'the name of the agent begins no script');
    assert.ok(policy.includes(`script-src ${hash(script[0]!)};`));
    assert.ok(policy.includes(`style-src ${hash(/<style>([^]*?)<\/style>/.exec(html)![1]!)};`));
    assert.ok(!/connect-src|https?:|unsafe/.test(policy));
    assert.ok(!/ (src|href)="(?!data:)/.test(html.replace(script[0]!, '')), 'nothing is loaded');
    const figures = readdirSync(join(folder, 'one-figures'));
    for (const name of ['reward', 'trajectories', 'importance', 'contour', 'parallel']) {
      assert.ok(figures.includes(`${name}.svg`) && figures.includes(`${name}.png`), name);
    }
    const png = readFileSync(join(folder, 'one-figures/reward.png'));
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    const svg = readFileSync(join(folder, 'one-figures/trajectories.svg'), 'utf8');
    assert.ok(svg.includes('cem &lt;/script&gt;') || svg.includes('cem &lt;/script>'), 'names are escaped');
    assert.ok(svg.includes('a0.mean.x') && !svg.includes('NaN'));
  }).timeout(120_000);

  it('shows what it can of an environment that is another one now, and says so', async () => {
    const out = join(folder, 'other.html');
    await report(await mixtureLog('other', 'old'), '--out', out, '--no-figures');
    const { description } = read(out).data.runs[0]!;
    assert.match(description.unknown!, /^Mixture-v0 is another environment now/);
    assert.deepEqual(
      [description.parameters.length, description.parameters[0]!.low, description.reward],
      [16, undefined, 'accuracy'],
    );
  }).timeout(60_000);

  it('takes sessions of a server, and says what is wrong with what it is given', async () => {
    const server = await startBanditServer();
    const client = await connect(server.url);
    const environment = await client.open({ env_id: 'Bandit-v0' });
    environment.note('iteration/0', { evaluations: 2, mean: [0, 0, 0, 0, 0, 0], spread: 0.1 });
    for (const seed of [1, 2]) await environment.evaluate({ action: [0, 0, 0, 0, 0, 0], seed });
    const out = join(folder, 'session.html');
    await report(environment.sessionId, '--url', server.url, '--out', out, '--no-figures');
    const [run] = read(out).data.runs;
    assert.deepEqual(
      [run!.evaluations.map(({ seq, seed }) => [seq, seed]), run!.notes.length],
      [
        [
          [1, 1],
          [2, 2],
        ],
        1,
      ],
    );
    const refused = async (args: string[], words: RegExp) =>
      assert.rejects(report(...args), (error: { code: number; stderr: string }) => {
        assert.equal(error.code, 1);
        assert.match(error.stderr, words);
        return true;
      });
    await refused(
      [join(folder, 'none.jsonl')],
      /none\.jsonl: expected the log of a run, a folder with logs, or the id of a session/,
    );
    await refused(['00000000-0000-0000-0000-000000000000', '--url', server.url], /expected the session 0{8}-.*404/);
    await client.close();
    await server.stop();
    await refused([environment.sessionId, '--url', server.url], /expected a server, got/);
  }).timeout(120_000);
});
