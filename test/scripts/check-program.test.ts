import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workshop, type Workshop } from '../env/programs/workshop.ts';
import { gray } from '../env/streets/street-folder.ts';
import { PYTHON } from '../../scripts/setup/python-folder.ts';

interface Said {
  readonly code: number;
  readonly output: string;
}

const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;

describe('npm run check-program @slow', function () {
  this.timeout(60_000);
  let shop: Workshop;
  beforeEach(() => {
    shop = workshop();
    writeFileSync(join(shop.folder, 'θ.json'), '[{"name":"x","low":0,"high":1,"default":0.5}]');
  });
  afterEach(() => shop.remove());

  const run = (...flags: string[]): Promise<Said> =>
    new Promise((resolve) => {
      const words = [
        '--import',
        'tsx',
        'scripts/check-program.ts',
        '--work',
        shop.work,
        '--width',
        '16',
        '--height',
        '16',
        '--count',
        '2',
        ...flags,
      ];
      execFile(process.execPath, words, (error, stdout, stderr) => {
        assert.deepEqual(readdirSync(shop.work), [], 'a folder is left');
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
      });
    });
  /** Checks a simulator that does this; $1 is {out}, $2 the file of progress. */
  const simulator = (text: string, ...flags: string[]) =>
    run(
      '--simulator',
      `sh ${shop.script('sim.sh', text)} {out} {progress} {seed} {theta} {count}`,
      '--parameters',
      join(shop.folder, 'θ.json'),
      ...flags,
    );
  const copy = () => `cp -r ${shop.ready}/. "$1"`;
  /** Files that differ from seed to seed and from θ to θ. */
  const good = () => `${copy()}; echo "$3 $4" > "$1/note"; echo '{"fraction": 1}' >> "$2"`;

  it('finds nothing wrong in the simulator on a page', async function () {
    if (!hasNumpy) {
      assert.ok(!process.env['CI'], 'python3 with numpy: expected it here');
      console.log('      skipped: python3 with numpy is not here');
      return this.skip();
    }
    const { code, output } = await run(
      '--simulator',
      'python3 env/programs/python/street.py {request}',
      '--parameters',
      'env/programs/python/street.json',
      '--count',
      '6',
      '--width',
      '96',
      '--height',
      '72',
    );
    assert.equal(code, 0, output);
    assert.match(output, /^good {2}simulator: draws 6 images in [\d.]+ s$/m);
    assert.match(output, /^good {2}simulator: labels of .*road, car/m);
    assert.match(output, /^good {2}simulator: progress: 6 lines$/m);
    for (const what of [
      'equal θ and seeds give equal files',
      'another seed gives other files',
      'another θ gives other files',
    ]) {
      assert.ok(output.includes(`good  simulator: ${what}`), output);
    }
    assert.match(output, /Nothing is wrong\.$/m);
    assert.doesNotMatch(output, /^(note|wrong)/m);
  });

  it('finds nothing wrong in the trainer on a page, which stays up too', async function () {
    if (!existsSync(PYTHON)) {
      console.log('      skipped: there is no .python; npm run setup:python makes it, with Pillow');
      return this.skip();
    }
    const train = `${PYTHON} env/programs/python/train.py`;
    const flags = ['--metric', 'carIou=0..1', '--deterministic', '--count', '6', '--width', '64', '--height', '48'];
    const once = await run('--trainer', `${train} {request}`, ...flags);
    assert.match(once.output, /good {2}trainer: scores: carIou 0\.\d*[1-9]\d*; test scores: carIou 0\.\d+$/m);
    const [scores] = /scores: .*/.exec(once.output)!;
    const warm = await run('--warm-trainer', '--trainer', train, ...flags);
    assert.ok(warm.output.includes(scores), warm.output);
    for (const { code, output } of [once, warm]) {
      assert.equal(code, 0);
      assert.doesNotMatch(output, /^(note|wrong)/m);
    }
  });

  it('says what is missing or wrong in images and labels', async () => {
    const findings: [text: string, sentence: RegExp][] = [
      [
        'rm "$1/labels/000001.png"',
        /^wrong simulator: labels\/000001\.png: expected the labels of image 1, found none$/m,
      ],
      [
        `cp ${shop.folder}/small.png "$1/labels/000000.png"`,
        /^wrong simulator: labels\/000000\.png: expected 16×16 as its image, got 8×2$/m,
      ],
      [
        `cp ${shop.folder}/void.png "$1/labels/000000.png"; cp ${shop.folder}/void.png "$1/labels/000001.png"`,
        /^wrong simulator: labels: expected ids or colours of Cityscapes’ classes, got void everywhere$/m,
      ],
      [
        `cp ${shop.folder}/road.png "$1/labels/000000.png"; cp ${shop.folder}/road.png "$1/labels/000001.png"`,
        /^wrong simulator: cars: expected some in 2 images, since the scores are about them, found none$/m,
      ],
      ['echo half > "$1/images/000000.png"', /^wrong simulator: images\/000000\.png: expected a readable image/m],
      ['echo nonsense >> "$2"', /^wrong simulator: progress: expected lines as .*, got nonsense$/m],
      ['exit 9', /^wrong simulator: ended with exit code 9$/m],
    ];
    const all = (id: number) => gray(16, Array<number>(256).fill(id));
    for (const [name, bytes] of Object.entries({
      void: all(255),
      road: all(0),
      small: gray(8, Array<number>(16).fill(0)),
    })) {
      writeFileSync(join(shop.folder, `${name}.png`), bytes);
    }
    for (const [text, sentence] of findings) {
      const { code, output } = await simulator(`${good()}; ${text}`);
      assert.match(output, sentence);
      assert.match(output, /Something is wrong\.$/m);
      assert.equal(code, 1);
    }
  }).timeout(120_000);

  it('[G10] says whether equal seeds give equal images, and whether that is promised', async () => {
    const promised = await simulator(good());
    assert.match(promised.output, /^good {2}simulator: equal θ and seeds give equal files$/m);
    assert.match(promised.output, /^note {2}simulator: promise this by "deterministic": true/m);
    const random = `${good()}; date +%N > "$1/time"`;
    assert.match((await simulator(random)).output, /^note {2}simulator: equal θ and seeds give other files, so/m);
    const broken = await simulator(random, '--deterministic');
    assert.match(
      broken.output,
      /^wrong simulator: equal θ and seeds: expected equal files, as is promised, got others$/m,
    );
    const deaf = await simulator(copy());
    assert.match(deaf.output, /^wrong simulator: another seed: expected other images, got the same ones$/m);
    assert.match(deaf.output, /^wrong simulator: another θ: expected other images, got the same ones$/m);
    assert.match(deaf.output, /^note {2}simulator: progress: it writes none/m);
  }).timeout(120_000);

  it('[G14] says whether the program ends when it is told to', async () => {
    const stubborn = `trap '' TERM; ${good()}; if [ "$5" -gt 99 ]; then sleep 30; sleep 30; fi`;
    assert.match(
      (await simulator(stubborn)).output,
      /^note {2}simulator: SIGTERM: expected an end within a second, it had to be killed$/m,
    );
    assert.match(
      (await simulator(`${good()}; [ "$5" -lt 99 ] || sleep 30`)).output,
      /^good {2}simulator: ends \d+ ms after it is told to$/m,
    );
  });

  it('[G4] says that the program is missing, and [G2] what is wrong with the command', async () => {
    const parameters = ['--parameters', join(shop.folder, 'θ.json')];
    const missing = await run('--simulator', 'no-such-blender {out}', ...parameters);
    assert.match(
      missing.output,
      /^wrong expected a program to start, found no no-such-blender in the folders of PATH$/m,
    );
    assert.equal(missing.code, 1);
    const braces = await run('--simulator', 'blender {output}', ...parameters);
    assert.match(braces.output, /check-program: --simulator: expected names in braces of .*, got \{output\}/);
  });

  it('[G11] checks a trainer on the images of our simulator', async () => {
    const train = (result: string) =>
      run(
        '--trainer',
        `sh ${shop.script('train.sh', `ls "$2/images" > /dev/null && echo '${result}' > "$1/result.json"`)} {out} {data}`,
        '--metric',
        'iou=0..1',
      );
    const right = await train('{"scores":{"iou":0.5},"test_scores":{"iou":0.25}}');
    assert.match(right.output, /^good {2}trainer: trains on 2 images and scores in [\d.]+ s$/m);
    assert.match(right.output, /^good {2}trainer: scores: iou 0\.5000; test scores: iou 0\.2500$/m);
    assert.match(right.output, /^note {2}trainer: progress: no line has "scored": true/m);
    assert.equal(right.code, 0);
    const wrong = await train('{"scores":{"iou":2}}');
    assert.match(
      wrong.output,
      /^wrong trainer: .*result\.json: scores: expected iou from 0 to 1, as its metric says, got 2$/m,
    );
    assert.equal(wrong.code, 1);
  });

  it('[G22] reads labels by the classes that --data names, and objects in COCO’s format', async () => {
    const data = join(shop.folder, 'data');
    writeFileSync(join(data, 'classes.json'), '{"0": "sea", "13": "boat", "14": "sky"}');
    const named = await simulator(good(), '--data', data);
    assert.match(named.output, /good {2}simulator: labels of boat, sea\n/);
    assert.match(named.output, /good {2}simulator: boat on 50\.0 % of the pixels/);
    const sky = await simulator(good(), '--data', data, '--score-class', 'sky');
    assert.match(
      sky.output,
      /wrong simulator: sky: expected some in 2 images, since the scores are about them, found none/,
    );
    const objects = {
      images: [0, 1].map((id) => ({ id, file_name: `images/00000${id}.png`, width: 16, height: 16 })),
      annotations: [{ image_id: 1, category_id: 1, bbox: [2, 2, 9, 9] }],
      categories: [{ id: 1, name: 'boat' }],
    };
    writeFileSync(join(shop.ready, 'annotations.json'), JSON.stringify(objects));
    const boxes = await simulator(good(), '--task', 'detection', '--classes', 'boat,buoy');
    assert.match(boxes.output, /wrong simulator: classes: expected categories of annotations\.json \(boat\), got buoy/);
    const boats = await simulator(good(), '--task', 'detection', '--classes', 'boat');
    assert.match(boats.output, /good {2}simulator: boat: 1 that count/);
  });

  it('reads nothing but images where they are compared with photographs', async () => {
    rmSync(join(shop.ready, 'labels'), { recursive: true });
    const matched = await simulator(good(), '--task', 'match');
    assert.match(matched.output, /^good .*Nothing is wrong\.\n$/s);
    writeFileSync(join(shop.ready, 'images', '000001.png'), 'no image');
    const broken = await simulator(good(), '--task', 'match');
    assert.match(broken.output, /wrong simulator: images\/000001\.png: expected a readable image /);
    assert.equal(broken.code, 1);
  });
});
