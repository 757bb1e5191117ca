import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SetCache } from '../../../env/programs/set-cache.ts';
import { evaluated, linesOf, simulating, training, workshop, type Workshop } from './workshop.ts';

describe('[G20] data sets that are kept', () => {
  let shop: Workshop;
  let folder: string;
  beforeEach(() => {
    shop = workshop();
    folder = join(shop.folder, 'cache');
  });
  afterEach(() => shop.remove());

  const set = (name: string, bytes: number) => {
    mkdirSync(join(shop.folder, name, 'images'), { recursive: true });
    writeFileSync(join(shop.folder, name, 'images/000000.png'), 'x'.repeat(bytes));
    return join(shop.folder, name);
  };
  const taken = (cache: SetCache, what: unknown, name: string) => {
    const into = join(shop.folder, name);
    const found = cache.take(what, into);
    assert.equal(existsSync(into), found, 'a part of a set is left');
    return found && readFileSync(join(into, 'images/000000.png'), 'utf8').length;
  };

  it('are used for the same program, content, θ, seed, images and options, and for no other', async () => {
    const calls = join(shop.folder, 'calls');
    const path = shop.script('draw.sh', `echo x >> ${calls}; cp -r ${shop.ready}/. "$1"`);
    const trains = `sh ${shop.script('train.sh', `touch "$2/labels.cache"; echo '{"scores":{"score":0.5}}' > "$1/result.json"`)} {out} {data}`;
    const programs = { ...simulating(`sh ${path} {out}`), ...training(trains), cache: { folder, mostBytes: 1e6 } };
    const experiment = await shop.experiment(programs);
    const count = async (...asked: Parameters<typeof evaluated>) => {
      assert.equal((await evaluated(...asked)).outcome, 'ok');
      return linesOf(calls).length;
    };
    assert.equal(await count(experiment), 1);
    assert.equal(await count(experiment), 1);
    assert.equal(await count(experiment, { x: 2 }), 2);
    assert.equal(await count(experiment, { seed: 2 }), 3);
    assert.equal(await count(await shop.experiment(programs, { trainingImages: 1 })), 4);
    assert.equal(await count(await shop.experiment(programs, { width: 24 })), 5);
    assert.equal(await count(await shop.experiment(programs, { simulatorOptions: { samples: 1 } })), 6);
    assert.equal(await count(await shop.experiment({ ...programs, ...simulating(`sh ${path} {out} v2`) })), 7);
    shop.script('draw.sh', `echo x >> ${calls}; cp -r ${shop.ready}/. "$1" # changed`);
    assert.equal(await count(await shop.experiment(programs)), 8);
    assert.deepEqual(shop.left(), []);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    assert.ok(!names.some((name) => name.includes('labels.cache')), 'what a trainer has added is kept');
  });

  it('are not those of a program that has failed, or has left out an image', async () => {
    const programs = (text: string) => ({
      ...simulating(`sh ${shop.script('draw.sh', text)} {out}`),
      cache: { folder, mostBytes: 1e6 },
    });
    const failed = await shop.experiment(programs(`cp -r ${shop.ready}/. "$1"; exit 1`));
    assert.equal((await evaluated(failed)).outcome, 'failed');
    const missing = await shop.experiment(programs(`cp -r ${shop.ready}/. "$1"; rm "$1/labels/000001.png"`));
    assert.equal((await evaluated(missing)).outcome, 'failed');
    assert.ok(!existsSync(folder) || readdirSync(folder).length === 0, 'a set is kept');
  });

  it('come under their name when they are whole, and stay with those who use them', () => {
    const cache = new SetCache(folder, 1e6);
    assert.equal(taken(cache, 'a', 'first'), false);
    cache.put('a', set('a', 10));
    assert.equal(taken(cache, 'a', 'second'), 10);
    const [name = ''] = readdirSync(folder);
    renameSync(join(folder, name), join(folder, `${name}.1.part`)); // as if a worker were writing it
    assert.equal(taken(cache, 'a', 'third'), false);
    assert.equal(readFileSync(join(shop.folder, 'second/images/000000.png'), 'utf8').length, 10);
  });

  it('that nobody has used for longest go, beyond the size of all, and so does what a killed worker has begun', () => {
    const cache = new SetCache(folder, 250);
    cache.put('a', set('a', 100));
    const [a = ''] = readdirSync(folder);
    cache.put('b', set('b', 100));
    const b = readdirSync(folder).find((name) => name !== a)!;
    for (const [name, seconds] of [
      [a, 1000],
      [b, 2000],
    ] as const)
      utimesSync(join(folder, name), seconds, seconds);
    assert.equal(taken(cache, 'a', 'used'), 100); // so that b is older now
    mkdirSync(join(folder, `${'0'.repeat(32)}.999999999.part`));
    cache.put('c', set('c', 100));
    assert.deepEqual([taken(cache, 'a', 'a1'), taken(cache, 'b', 'b1'), taken(cache, 'c', 'c1')], [100, false, 100]);
    assert.equal(readdirSync(folder).length, 2);
  });

  it('leave alone what lies beside them, and shrink all the same', () => {
    mkdirSync(join(folder, 'photographs'), { recursive: true });
    writeFileSync(join(folder, 'photographs/1.jpg'), 'x'.repeat(500));
    writeFileSync(join(folder, 'notes.txt'), '');
    const cache = new SetCache(folder, 150);
    for (const what of ['first', 'second']) cache.put(what, set(what, 100));
    assert.ok(existsSync(join(folder, 'photographs/1.jpg')), 'somebody’s photographs');
    assert.deepEqual(
      readdirSync(folder).filter((name) => /^[0-9a-f]{32}$/.test(name)).length,
      1,
      'the older set is gone',
    );
  });

  it('are whole files: with a symbolic link, nothing is kept', () => {
    const from = set('linked', 10);
    symlinkSync(join(from, 'images/000000.png'), join(from, 'images/000001.png'));
    const cache = new SetCache(folder, 1e6);
    cache.put('linked', from);
    assert.equal(taken(cache, 'linked', 'into'), false);
  });

  it('do no harm where they cannot be written', () => {
    writeFileSync(folder, 'a file');
    const cache = new SetCache(folder, 1e6);
    cache.put('a', set('a', 1));
    assert.equal(taken(cache, 'a', 'x'), false);
  });
});
