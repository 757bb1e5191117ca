import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { installedBackends, loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';

describe('loadBackend', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'backend-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('takes wasm if nothing faster is installed, and says why and how to change that', async () => {
    const backend = await loadBackend('auto', [folder]);
    assert.equal(backend.name, 'wasm');
    assert.deepEqual(backend.skipped, [
      { name: 'tfjs-node-gpu', reason: 'not installed' },
      { name: 'tfjs-node', reason: 'not installed' },
    ]);
    assert.match(backend.advice ?? '', /npm run setup:native/);
    assert.equal(tf.getBackend(), 'wasm');
  });

  it('takes the next one, with the first line of the reason, if a package does not load', async () => {
    const broken = join(folder, 'node_modules/@tensorflow/tfjs-node');
    await mkdir(broken, { recursive: true });
    await writeFile(join(broken, 'package.json'), '{ "main": "index.js" }');
    await writeFile(join(broken, 'index.js'), 'throw new Error("libtensorflow.so.2: cannot open\\nsecond line");');
    const backend = await loadBackend('auto', [folder]);
    assert.equal(backend.name, 'wasm');
    assert.deepEqual(backend.skipped[1], { name: 'tfjs-node', reason: 'libtensorflow.so.2: cannot open' });
  });

  it('fails with the reason if the backend that was asked for does not load', async () => {
    await assert.rejects(
      loadBackend('tfjs-node', [folder]),
      /^Error: tfjs backend: expected tfjs-node, got tfjs-node: not installed$/,
    );
  });

  it('has wasm to fall back on, the slowest of those that are installed', () => {
    assert.equal(installedBackends().at(-1), 'wasm');
  });

  it('computes on one thread', async () => {
    await loadBackend('wasm');
    const { getThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
    assert.equal(getThreadsCount(), 1);
  });

  it('leaves no listener behind that would turn a rejected promise into a crash', async () => {
    await loadBackend('wasm');
    const sources = process.listeners('unhandledRejection').map(String);
    assert.ok(!sources.some((source) => /throw reason/.test(source)));
  });
});
