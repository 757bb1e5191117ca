import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { defineExperiment, type Experiment, type ExperimentDefinition } from '../../env/experiments/experiment.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../env/runtime.ts';
import { startServer } from '../../env/server/server.ts';
import { createLog } from '../../env/server/log.ts';
import { hiddenTarget } from '../../env/targets/hidden.ts';
import { defineParameters } from '../../protocol/parameters.ts';

const parameters = defineParameters([
  { kind: 'continuous', name: 'x', low: 0, high: 1, default: 0.5, unit: '1', scale: 'linear', meaning: '' },
  { kind: 'simplex', name: 'kind', labels: ['a', 'b'], default: [0.5, 0.5], meaning: '' },
]);
const good: Experiment<number> = {
  simulator: { name: 'numbers', version: 1, parameters, open: () => ({ draw: () => 0 }) },
  task: {
    name: 'nothing',
    metrics: [{ name: 'score', meaning: '', low: 0, high: Infinity }],
    reward: 'score',
    train: async () => ({ score: async () => ({ score: 0 }), dispose() {} }),
  },
  target: { name: 'nothing', validation: async () => [], test: async () => [] },
  trainingSamples: 1,
  start: { x: 0 },
};

const definitionOf = (changes: Readonly<Record<string, unknown>>): ExperimentDefinition =>
  defineExperiment({
    id: 'Own-v0',
    title: 'Own',
    options: z.object({ size: z.int().default(1) }),
    presets: { small: { size: 1 } },
    create: () => ({ ...good, ...changes }),
  });

const create = (definition: ExperimentDefinition, options: object = {}, runtime = DEFAULT_RUNTIME) =>
  createExperiment(definition, { ...options }, runtime);

describe('an environment of your own', () => {
  it('gets the runtime, and may ignore it', () => {
    const own = definitionOf({});
    const runtime: Runtime = { backend: 'wasm', renderer: 'software', data: '/images', weights: '/weights' };
    const seen: unknown[] = [];
    const asking = { ...own, create: (_: unknown, told: Runtime) => (seen.push(told), good) };
    create(asking, {}, runtime);
    assert.deepEqual(seen, [runtime]);
    const ignoring = { ...own, create: ({ size }: { size?: number }) => ({ ...good, trainingSamples: size! }) };
    assert.equal(create(ignoring, { size: 7 }, runtime).experiment.trainingSamples, 7);
  });

  it('is refused at once, with place, rule and value, if `create` returns no experiment', () => {
    const { simulator, task } = good;
    const [x] = parameters;
    const wrong: [Readonly<Record<string, unknown>>, RegExp][] = [
      [{ trainingSamples: 0.5 }, /^Error: Own-v0: create: trainingSamples: .*got 0\.5$/],
      [
        { simulator: { ...simulator, parameters: [{ ...x, meaning: undefined }] } },
        /parameters\.0\.meaning: .*undefined/,
      ],
      [{ simulator: { ...simulator, parameters: [{ ...x, scale: 'cubic' }] } }, /parameters\.0\.scale: .*got "cubic"/],
      [{ simulator: { ...simulator, parameters: [{ ...x, high: Infinity }] } }, /parameters\.0\.high: .*Infinity/],
      [{ simulator: { ...simulator, renderer: { name: 'own' } } }, /simulator\.renderer\.version: .*got undefined/],
      [{ task: { ...task, metrics: [] } }, /task\.metrics: .*got \[\]/],
      [{ task: { ...task, reward: 'scroe' } }, /task\.reward: expected one of score, got scroe/],
      [{ task: { ...task, metrics: [...task.metrics, ...task.metrics] } }, /task\.metrics: .*score twice/],
      [{ start: undefined }, /create: start: .*got undefined/],
      [{ start: { x: 2 } }, /create: start: x: expected 0\.\.1, got 2/],
    ];
    const nothing = { ...definitionOf({}), create: () => undefined as unknown as Experiment };
    assert.throws(() => create(nothing), /^Error: Own-v0: create: Invalid input: .*got undefined$/);
    for (const [changes, message] of wrong) assert.throws(() => create(definitionOf(changes)), message);
    assert.equal(create(definitionOf({})).options['size'], 1);
  });

  it('names the options and presets that it knows', () => {
    const issue = (options: object) => {
      try {
        create(definitionOf({}), options);
      } catch (error) {
        return (error as z.ZodError).issues[0]!.message;
      }
      return undefined;
    };
    assert.equal(issue({ sise: 2 }), 'expected a known option (preset, size)');
    assert.equal(issue({ preset: 'none' }), 'expected one of the presets (small)');
    assert.equal(issue({ preset: ['small'] }), 'expected one of the presets (small)');
  });

  it('must have a default for every option, and its own id', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-load-'));
    try {
      const module = (name: string, options: string) => {
        const path = join(folder, name);
        const [experiment, zod] = ['env/experiments/experiment.ts', 'node_modules/zod/index.js'].map((file) =>
          JSON.stringify(join(import.meta.dirname, '../..', file)),
        );
        writeFileSync(
          path,
          `import { defineExperiment } from ${experiment};\nimport { z } from ${zod};\n` +
            `export default defineExperiment({ id: 'Own-v0', title: '', options: z.object(${options}), create() {} });\n`,
        );
        return path;
      };
      await assert.rejects(
        loadDefinition(module('no-default.ts', '{ size: z.int() }')),
        /no-default\.ts: options: size: expected a default for every option/,
      );
      const broken = join(folder, 'broken.ts');
      writeFileSync(broken, "throw new RangeError('default of x: expected 0..1, got 2');\n");
      await assert.rejects(loadDefinition(broken), /broken\.ts: default of x: expected 0\.\.1, got 2/);
      const same = { log: createLog('silent'), build: '', version: '', port: 0, host: '127.0.0.1', workers: 0 };
      const environments = [module('a.ts', '{}'), module('b.ts', '{}')];
      await assert.rejects(startServer({ ...same, environments }), /an id of its own for each, got Own-v0 twice/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('may leave out parameters of its hidden θ*, but not misspell them', async () => {
    const seen: unknown[] = [];
    const simulator = {
      ...good.simulator,
      open: (theta: unknown) => {
        seen.push(theta);
        return { draw: () => 0 };
      },
    };
    await hiddenTarget(simulator, { x: 0.2 }, { validation: 1, test: 1 }, 1).validation();
    assert.deepEqual(seen, [{ x: 0.2, kind: [0.5, 0.5] }]);
    assert.throws(
      () => hiddenTarget(simulator, { y: 0.2 }, { validation: 1, test: 1 }, 1),
      /y: expected one of x, kind/,
    );
    assert.throws(() => hiddenTarget(simulator, { x: 2 }, { validation: 1, test: 1 }, 1), /x: expected 0\.\.1, got 2/);
  });
});
