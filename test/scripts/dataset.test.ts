import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  symlinkSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASSES } from '../../env/streets/classes.ts';
import { annotator } from '../../env/simulators/traffic/annotations.ts';
import { SoftwareRenderer } from '../../env/render/software/software-renderer.ts';
import { drawSample } from '../../env/simulators/draw-samples.ts';
import { trafficSimulator } from '../../env/simulators/traffic/traffic.ts';
import { runLengths } from '../../env/dataset/coco.ts';
import { frameHash, type FrameRecord } from '../../env/dataset/frame.ts';

const folder = mkdtempSync(join(tmpdir(), 'dataset-'));
const [width, height] = [64, 40];
const theta = { fog: 0.004, parkedShare: 0.9, peopleRate: 9 };
const usual = ['--theta', JSON.stringify(theta), '--seed', '7', '--width', `${width}`, '--height', `${height}`];

function dataset(...flags: string[]) {
  return spawnSync(process.execPath, ['--import', 'tsx', 'scripts/dataset.ts', ...flags], { encoding: 'utf8' });
}

/** Every file below a folder, with its bytes. */
function contents(of: string): Map<string, string> {
  const names = readdirSync(of, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(of, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(of, name)).toString('base64')]));
}

const renderer = new SoftwareRenderer();
const annotate = annotator(renderer);
const readJson = (...path: string[]): unknown => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));

describe('npm run dataset @slow', () => {
  before(() => {
    const { status, stderr } = dataset(...usual, '--count', '3', '--out', join(folder, 'three'));
    assert.equal(status, 0, stderr);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('writes pictures that, read again, are what the simulator drew', async () => {
    const simulator = trafficSimulator({ width, height, renderer });
    for (let index = 0; index < 3; index++) {
      const image = await drawSample(simulator, theta, 7, index);
      const open = (kind: string) => sharp(join(folder, 'three', kind, `00000${index}.png`));
      const bytes = async (kind: string) =>
        new Uint8Array(
          await open(kind)
            .toColourspace(kind === 'images' ? 'srgb' : 'b-w')
            .raw()
            .toBuffer(),
        );
      const words = async (kind: string) => {
        const buffer = await open(kind).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
        return new Uint16Array(buffer.buffer, buffer.byteOffset, buffer.length / 2);
      };
      assert.deepEqual(await bytes('images'), image.rgb);
      const { channels } = await open('labels').metadata();
      assert.equal(channels, 1);
      assert.deepEqual(await bytes('labels'), image.classes);
      assert.deepEqual(
        await bytes('labels_camvid'),
        image.classes.map((id) => CLASSES[id]!.camvid),
      );
      assert.deepEqual(await words('instances'), image.instances);
      const centimetres = await words('depth');
      image.depth.forEach((metres, i) => {
        const expected = Number.isFinite(metres) ? metres * 100 : 0;
        assert.ok(Math.abs(centimetres[i]! - expected) <= 0.5, `${centimetres[i]} cm for ${metres} m`);
      });
    }
  });

  it('writes a COCO object with box, area and mask for every annotation', async () => {
    type Coco = Record<'images' | 'categories' | 'annotations', Record<string, unknown>[]>;
    const { images, categories, annotations } = readJson('three', 'annotations.json') as Coco;
    const simulator = trafficSimulator({ width, height, renderer });
    assert.equal(images.length, 3);
    assert.equal(new Set(annotations.map(({ id }) => id)).size, annotations.length);
    for (let index = 0; index < 3; index++) {
      const image = await drawSample(simulator, theta, 7, index);
      const expected = await annotate(image);
      const found = annotations.filter(({ image_id }) => image_id === index);
      assert.equal(found.length, expected.length);
      expected.forEach(({ category, box, area, instance }, i) => {
        const { category_id, bbox, area: written, segmentation } = found[i]!;
        assert.equal(categories.find(({ id }) => id === category_id)!['name'], category);
        assert.deepEqual(bbox, box);
        assert.equal(written, area);
        assert.deepEqual(segmentation, runLengths(image.instances, width, instance));
      });
    }
  });

  it('writes a line of metadata for each picture: θ, seed, what was drawn, the camera and the cars', async () => {
    const lines = readFileSync(join(folder, 'three', 'metadata.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const image = await drawSample(trafficSimulator({ width, height, renderer }), theta, 7, 2);
    const facts = JSON.parse(lines[2]!) as Record<string, unknown>;
    assert.equal(lines.length, 3);
    assert.equal(facts['seed'], 7);
    assert.equal(facts['index'], 2);
    assert.equal((facts['theta'] as Record<string, unknown>)['fog'], 0.004);
    assert.equal(facts['weather'], image.weather);
    assert.equal(facts['junction'], image.junction);
    assert.deepEqual(facts['drawn'], image.drawn);
    assert.deepEqual(facts['camera'], image.camera);
    assert.equal((facts['cars'] as unknown[]).length, image.cars.length);
  });

  it('writes the same bytes again, and only missing pictures after a stop', () => {
    const two = join(folder, 'two');
    assert.equal(dataset(...usual, '--count', '2', '--out', two).status, 0);
    rmSync(join(two, 'frames', '000001.json'));
    rmSync(join(two, 'annotations.json'));
    rmSync(join(two, 'depth', '000000.png'));
    writeFileSync(join(two, 'images', '000001.png'), '');
    const { status, stdout } = dataset(...usual, '--count', '3', '--out', two);
    assert.equal(status, 0);
    assert.match(stdout, /3 of 3 pictures, 3 of them new/);
    assert.deepEqual(contents(two), contents(join(folder, 'three')));
  });

  it('writes again what was cut short', () => {
    const out = join(folder, 'cut');
    const cut = (name: string, left: number) => {
      assert.equal(dataset(...usual, '--count', '3', '--out', out).status, 0);
      truncateSync(join(out, name), statSync(join(out, name)).size - left);
      const { status, stdout } = dataset(...usual, '--count', '3', '--out', out);
      assert.equal(status, 0);
      assert.match(stdout, /3 of 3 pictures, 1 of them new/);
      assert.deepEqual(contents(out), contents(join(folder, 'three')));
    };
    cut(join('labels', '000002.png'), 40);
    cut(join('images', '000000.png'), 1);
    cut(join('frames', '000001.json'), 9);
  });

  it('writes again what was damaged or mixed up', () => {
    const out = join(folder, 'damaged');
    assert.equal(dataset(...usual, '--count', '3', '--out', out).status, 0);
    const damage = (name: string, change: (bytes: Buffer) => Buffer | string) => {
      writeFileSync(join(out, name), change(readFileSync(join(out, name))));
      const { stdout } = dataset(...usual, '--count', '3', '--out', out);
      assert.match(stdout, /3 of 3 pictures, 1 of them new/, name);
      assert.deepEqual(contents(out), contents(join(folder, 'three')));
    };
    const other = (name: string) => () => readFileSync(join(out, name));
    damage('images/000000.png', (bytes) => bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 8));
    damage('depth/000001.png', (bytes) => Buffer.concat([bytes.subarray(0, 100), bytes.subarray(-12)]));
    damage('labels/000002.png', other('labels/000001.png'));
    damage('frames/000002.json', other('frames/000001.json'));
    damage('frames/000000.json', () => '{"metadata":{}}\n');
    damage('frames/000001.json', (bytes) => bytes.toString().replace('"width":64', '"width":63'));
    damage('frames/000001.json', (bytes) => bytes.fill(0, 50, 60));
  }).timeout(120_000);

  it('writes the same bytes with any number of processes', () => {
    const sets = ['1', '3'].map((workers) => {
      const out = join(folder, `of-${workers}`);
      const { status, stderr } = dataset(...usual, '--count', '70', '--workers', workers, '--out', out);
      assert.equal(status, 0, stderr);
      return contents(out);
    });
    assert.deepEqual(sets[0], sets[1]);
  });

  it('describes a large set whose pictures all exist', () => {
    const out = join(folder, 'large');
    const count = 2000;
    const kinds = ['images', 'labels', 'labels_camvid', 'instances', 'depth'];
    for (const kind of [...kinds, 'frames']) mkdirSync(join(out, kind), { recursive: true });
    const three = join(folder, 'three');
    copyFileSync(join(three, 'dataset.json'), join(out, 'dataset.json'));
    const { metadata, objects } = readJson('three', 'frames', '000000.json') as FrameRecord;
    const pictures = kinds.map((kind) => readFileSync(join(three, kind, '000000.png')));
    for (let index = 0; index < count; index++) {
      const name = String(index).padStart(6, '0');
      for (const kind of kinds) symlinkSync(join(three, kind, '000000.png'), join(out, kind, `${name}.png`));
      const described = { metadata: { ...metadata, index }, objects };
      const record = { ...described, hash: frameHash(described, pictures) };
      writeFileSync(join(out, 'frames', `${name}.json`), JSON.stringify(record));
    }
    const { status, stdout } = dataset(...usual, '--count', `${count}`, '--workers', '4', '--out', out);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /2000 of 2000 pictures, 0 of them new/);
    assert.equal((readJson('large', 'annotations.json') as { images: unknown[] }).images.length, count);
  });

  it('fails with a sentence if a picture cannot be written', () => {
    const out = join(folder, 'hindered');
    assert.equal(dataset(...usual, '--count', '1', '--out', out).status, 0);
    rmSync(join(out, 'depth', '000000.png'));
    mkdirSync(join(out, 'depth', '000000.png'));
    const { status, stderr } = dataset(...usual, '--count', '1', '--out', out);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^dataset: 1 of 1 processes failed: .*depth.*: expected a file, got a folder; the same command goes on\n$/,
    );
  });

  it('ends with a message when it is interrupted, and continues when it is run again', async () => {
    const many = join(folder, 'many');
    const words = ['--import', 'tsx', 'scripts/dataset.ts', ...usual, '--count', '100000', '--out', many];
    const child = spawn(process.execPath, words);
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      if (!data.includes('100 of 100000')) return;
      child.kill('SIGINT');
      child.kill('SIGINT'); // as from a terminal through npm
    });
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 130);
    const [, stopped] = /stopped after (\d+) of 100000 pictures: the same command goes on/.exec(said)!;
    const frames = readdirSync(join(many, 'frames'));
    assert.equal(frames.length, Number(stopped));
    const last = Math.max(...frames.map((name) => parseInt(name))) + 1;
    assert.ok(!existsSync(join(many, 'annotations.json')));
    const fewer = dataset(...usual, '--count', '3', '--out', many);
    assert.match(
      fewer.stderr,
      new RegExp(`--count: expected at least ${last}, since .* has that many pictures, got 3`),
    );
  });

  it('takes a folder for empty that has only what systems leave there', () => {
    const out = join(folder, 'left-behind');
    mkdirSync(out);
    for (const name of [
      '.DS_Store',
      '._x.jpg',
      '.ipynb_checkpoints',
      'Thumbs.db',
      'desktop.ini',
      'lost+found',
      '$RECYCLE.BIN',
    ]) {
      writeFileSync(join(out, name), '');
    }
    const { status, stderr } = dataset(...usual, '--count', '1', '--out', out);
    assert.equal(status, 0, stderr);
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'Thumbs.txt'), '');
    assert.match(
      dataset(...usual, '--count', '1', '--out', other).stderr,
      /other, which has Thumbs.txt and no dataset/,
    );
  });

  it('stops with a sentence at the folder of another data set, an unknown flag and an unreadable number', () => {
    const three = join(folder, 'three');
    const sentences: [string[], RegExp][] = [
      [['--out', three, '--count', '3', '--seed', '8'], /--out: expected an empty folder or one of the same θ/],
      [['--out', three, '--count', 'many'], /got "many"/],
      [['--out', '', '--count', '1'], /--out <folder>' argument '' is invalid. Expected a path, got nothing/],
      [['--out', join(three, 'images'), '--count', '1'], /images, which has 000000.png and no dataset.json/],
      [
        ['--out', join(folder, 'none'), '--count', '1', '--theta', '{"fog":"thick"}'],
        /fog: expected a number, got "thick"/,
      ],
      [
        ['--out', join(folder, 'none'), '--count', '1', '--theta', '{"fog":1,}'],
        /the JSON, line 1, column 10: expected JSON, got } after {"fog":1,/,
      ],
      [['--out', three], /required option '--count/],
      [['--out', join(folder, 'none'), '--count', '1', '--theta', '{"fogg":1}'], /fogg: expected one of/],
      [['--out', three, '--count', '3', '--colour'], /unknown option '--colour'/],
    ];
    for (const [flags, sentence] of sentences) {
      const { status, stderr } = dataset(...flags);
      assert.notEqual(status, 0);
      assert.match(stderr, sentence);
    }
  });

  it('can be read with pycocotools and PIL', function () {
    const { status, stdout, stderr, error } = spawnSync(
      'python3',
      [join(import.meta.dirname, 'read_dataset.py'), join(folder, 'three')],
      { encoding: 'utf8' },
    );
    if (error !== undefined || status === 3) {
      console.log(`      skipped: python3 with pycocotools and PIL is not here (${error?.message ?? stderr.trim()})`);
      this.skip();
    }
    assert.equal(status, 0, stderr);
    assert.match(stdout, /3 pictures, \d+ objects, 7 categories/);
  });
});

describe('run lengths', () => {
  it('run down the columns and begin with zeros', () => {
    // 0 5
    // 5 5
    // 0 0
    const instances = Uint16Array.from([0, 5, 5, 5, 0, 0]);
    assert.deepEqual(runLengths(instances, 2, 5), { size: [3, 2], counts: [1, 1, 1, 2, 1] });
    assert.deepEqual(runLengths(instances, 2, 9), { size: [3, 2], counts: [6] });
    assert.deepEqual(runLengths(Uint16Array.from([5]), 1, 5), { size: [1, 1], counts: [0, 1] });
  });
});
