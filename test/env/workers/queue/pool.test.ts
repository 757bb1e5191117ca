import assert from 'node:assert/strict';
import { areEqual, misfit, queueName, type Terms } from '../../../../env/workers/queue/pool.ts';
import { arithmeticOf } from '../../../../env/workers/queue/arithmetic.ts';
import { codeHash } from '../../../../env/workers/code-hash.ts';
import { namedFolder } from '../../../../scripts/runtime-flags.ts';

const ENVIRONMENTS = [
  { id: 'A-v0', specHash: '1234' },
  { id: 'B-v0', specHash: '5678', module: 'abcd' },
];
const TERMS: Terms = { build: '1 code-1', environments: ENVIRONMENTS, backends: { 'A-v0': 'wasm (1)' } };
const OWN = { build: '1 code-1', environments: ENVIRONMENTS, backends: { 'A-v0': 'wasm (1)' } };

describe('a pool of workers', () => {
  it('takes a worker with the same build, environments and backends', () => {
    assert.equal(misfit(TERMS, OWN), undefined);
  });

  it('names what is wrong with any other, with both values', () => {
    const [a, b] = ENVIRONMENTS;
    const cases: [own: Parameters<typeof misfit>[1], sentence: RegExp][] = [
      [{ ...OWN, build: '1 code-2' }, /^build: expected 1 code-1, got 1 code-2$/],
      [{ ...OWN, environments: [a!] }, /^B-v0: expected this environment .* got none$/],
      [{ ...OWN, environments: [a!, { ...b!, module: 'ef' }] }, /^B-v0: expected a module with the hash abcd, got ef$/],
      [{ ...OWN, environments: [{ ...a!, specHash: '9' }, b!] }, /^A-v0: expected the specification 1234, got 9/],
      [
        { ...OWN, backends: { 'A-v0': 'tfjs-node' } },
        /^A-v0: expected the backend wasm \(1\), got tfjs-node; .*--mixed/,
      ],
      [{ ...OWN, backends: {} }, /^A-v0: expected the backend wasm \(1\), got none/],
    ];
    for (const [own, sentence] of cases) assert.match(misfit(TERMS, own) ?? 'it fits', sentence);
    assert.equal(misfit({ ...TERMS, backends: 'mixed' }, { ...OWN, backends: { 'A-v0': 'tfjs-node' } }), undefined);
  });

  it('has a queue of its own, so that a job of another build, specification or backend reaches no worker of it', () => {
    const others: Terms[] = [
      { ...TERMS, build: '2' },
      { ...TERMS, environments: ENVIRONMENTS.slice(1) },
      { ...TERMS, backends: { 'A-v0': 'wasm (2)' } },
      { ...TERMS, backends: 'mixed' },
    ];
    const names = [TERMS, ...others].map(queueName);
    assert.equal(new Set(names).size, names.length);
    assert.equal(queueName({ ...TERMS, backends: undefined }), undefined, 'nobody knows the backends yet');
    assert.equal(queueName({ ...TERMS }), queueName(TERMS));
  });

  it('may have two servers where their terms differ in nothing that both know', () => {
    assert.equal(areEqual(TERMS, { ...TERMS, backends: undefined }), true);
    assert.equal(areEqual(TERMS, { ...TERMS, backends: 'mixed' }), false);
    assert.equal(areEqual(TERMS, { ...TERMS, build: '2' }), false);
  });

  it('knows a backend with the instructions that change its sums, and the code to its last change', () => {
    assert.equal(arithmeticOf('wasm (tfjs 4)'), 'wasm (tfjs 4)');
    assert.match(arithmeticOf('tfjs-node (tfjs 4)'), /^tfjs-node \(tfjs 4\), (x64|arm64)/);
    assert.match(codeHash(), /^[0-9a-f]{12}$/);
    assert.equal(codeHash(), codeHash());
  });

  it('finds folders by a name', () => {
    assert.deepEqual(namedFolder('city=/images'), { name: 'city', folder: '/images' });
    assert.deepEqual(namedFolder('/images/a=b'), { name: 'data', folder: '/images/a=b' });
  });
});
