import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Every module that a file imports: packages by name, ours by path from the root. */
function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = [...text.matchAll(/(?:^import|^export|^\} from|\bimport\()[^'"`;]*['"]([^'"]+)['"]/gm)].map(
    (m) => m[1]!,
  );
  return found.map((name) => (name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name));
}

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** A circle of imports among these files, from one of its files back to it; empty where there is none. */
function circleIn(files: readonly string[]): string[] {
  const done = new Set<string>();
  const follow = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const name of imports(file).filter((name) => files.includes(name))) {
      const circle = follow(name, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  return files.map((file) => follow(file, [])).find((circle) => circle.length > 0) ?? [];
}

/** Who may not import whom: [from, to, why]. */
const rules: readonly [from: string, to: RegExp, why: string][] = [
  ['protocol', /^(env|agents|scripts|test)\//, 'the protocol is what both sides may know'],
  ['agents', /^(env|scripts|test)\//, 'an agent knows the environment through the protocol alone'],
  ['env', /^(agents|scripts|test)\//, 'the environment knows no agent'],
  ['env/simulators', /^(ws$|@tensorflow\/)/, 'a simulator neither trains nor talks'],
  ['env/simulators', /^env\/render\/(software|webgl)\//, 'a simulator is handed its renderer'],
  ['env/render', /^(ws$|@tensorflow\/)/, 'a renderer neither trains nor talks'],
  ['env/tasks', /^three/, 'a task sees samples, not scenes'],
  ['protocol', /^(three|@tensorflow\/)/, 'the protocol is bytes and messages'],
];

describe('imports', () => {
  for (const [from, to, why] of rules) {
    it(`lets no file of ${from}/ import ${to.source}: ${why}`, () => {
      const offenders = filesOf(from).flatMap((file) =>
        imports(file)
          .filter((name) => to.test(name))
          .map((name) => `${file} imports ${name}`),
      );
      assert.deepEqual(offenders, []);
    });
  }

  it('lets no file of protocol/ import ws, except the conformance kit, which talks to servers and clients', () => {
    const files = filesOf('protocol').filter((file) => imports(file).includes('ws'));
    assert.deepEqual([...new Set(files.map((file) => dirname(file)))], ['protocol/conformance']);
  });

  for (const folder of ['protocol', 'env/render', 'env/simulators', 'env/streets', 'env/targets']) {
    it(`finds no cycle of imports in ${folder}/`, () => assert.deepEqual(circleIn(filesOf(folder)), []));
  }

  it('finds the imports that it checks', () => {
    assert.ok(imports('env/evaluate.ts').includes('protocol/random.ts'));
    assert.ok(imports('test/imports.test.ts').includes('node:assert/strict'));
    assert.ok(filesOf('agents').includes('agents/run/program.ts'));
  });
});

describe('names', () => {
  const folders = ['protocol', 'agents', 'env', 'scripts'];
  /** The types that are exported, by name, with the files that export them. AssemblyScript has a world of its own. */
  const exported = new Map<string, string[]>();
  for (const file of folders.flatMap(filesOf).filter((name) => !/kernel\//.test(name))) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, name] of text.matchAll(/^export (?:abstract )?(?:interface|class|type) (\w+)/gm)) {
      exported.set(name!, [...(exported.get(name!) ?? []), file]);
    }
  }

  it('give each exported type a name of its own', () => {
    const twice = [...exported].filter(([, files]) => files.length > 1);
    assert.deepEqual(twice, []);
  });

  it('are seen', () => {
    assert.deepEqual(exported.get('Evaluations'), ['env/workers/evaluations.ts']);
    assert.ok(exported.size > 150);
  });
});
