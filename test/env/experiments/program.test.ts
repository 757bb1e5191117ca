import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { classesIn } from '../../../env/streets/named-classes.ts';
import { readLabelled } from '../../../env/dataset/read.ts';
import { evaluate, evaluationSeeds } from '../../../env/evaluate.ts';
import { createExperiment } from '../../../env/experiments/load.ts';
import program from '../../../env/experiments/program.ts';
import { DEFAULT_RUNTIME, type ProgramsRuntime, type Runtime } from '../../../env/runtime.ts';
import { withSamples } from '../../../env/simulators/draw-samples.ts';
import { describeExperiment } from '../../../env/server/describe.ts';
import type { BoxedImage } from '../../../env/streets/boxed-image.ts';
import { BACKBONE_FILE } from '../../../env/tasks/backbone/weights.ts';
import { completeTheta } from '../../../protocol/parameters.ts';
import { writeCamvid } from '../../scripts/reproduce/tiny-camvid.ts';
import { evaluated, PARAMETERS, SIDE, simulating, training, workshop, type Workshop } from '../programs/workshop.ts';
import { gray } from '../streets/street-folder.ts';

describe('Program-v0', () => {
  let shop: Workshop;
  let draws: string;
  /** Writes how many files it finds in the folders that it is given. */
  let counts: string;
  beforeEach(() => {
    shop = workshop();
    draws = `sh ${shop.script('draw.sh', `cp -r ${shop.ready}/. "$1"`)} {out}`;
    const files = (folder: string) => `$(find "${folder}" -type f | wc -l)`;
    const result = `{\\"scores\\":{\\"score\\":${files('$2')}},\\"test_scores\\":{\\"score\\":${files('$3')}}}`;
    counts = `sh ${shop.script('count.sh', `find "$1" | sort > ${shop.folder}/found; echo "${result}" > "$4/result.json"`)} {data} {validation} {test} {out}`;
  });
  afterEach(() => shop.remove());

  const specOf = (programs: Partial<ProgramsRuntime>, options = {}, more: Partial<Runtime> = {}) =>
    describeExperiment(program, options, { ...shop.runtime(programs), ...more }, undefined).spec;
  const both = (simulator = draws, trainer = counts) => ({ ...simulating(simulator), ...training(trainer) });

  it('has the θ of the parameters, the metrics of the trainer, and says what is promised', () => {
    const metrics = [
      { name: 'carIou', low: 0, high: 1 },
      { name: 'loss', low: null, high: null },
    ];
    const spec = specOf({ ...simulating(draws), ...training(counts, false, metrics), deterministic: true });
    assert.deepEqual([spec.parameters, spec.start, spec.default], [PARAMETERS, { x: 1 }, { x: 0 }]);
    assert.deepEqual(
      spec.metrics.map(({ name, low, high }) => ({ name, low, high })),
      metrics,
    );
    assert.deepEqual([spec.reward.metric, spec.deterministic], ['carIou', true]);
    assert.equal(specOf(both()).deterministic, false);
    assert.equal(
      specOf({ ...simulating(draws), ...training(counts, false, metrics) }, { reward: 'loss' }).reward.metric,
      'loss',
    );
  });

  it('[G19] is told apart by commands, the files that they name, parameters, metrics, options and data', () => {
    const hash = (...asked: Parameters<typeof specOf>) => specOf(...asked).spec_hash;
    const first = hash(both());
    assert.equal(
      hash({ ...both(), threads: 4, keep: true, callsPerStart: 1 }),
      first,
      'how it is run is no part of it',
    );
    const [parameter] = PARAMETERS;
    const others = [
      hash(both(`${draws} v2`)),
      hash(both(draws, `${counts} v2`)),
      hash({
        ...both(),
        simulator: { ...both().simulator, parameters: [{ ...parameter!, high: 9 } as (typeof PARAMETERS)[number]] },
      }),
      hash({ ...both(), ...training(counts, false, [{ name: 'score', low: 0, high: 1 }]) }),
      hash(both(), { trainerOptions: { epochs: 1 } }),
      hash(both(), { simulatorOptions: { samples: 1 } }),
      hash(simulating(draws)),
      hash(training(counts)),
    ];
    shop.script('draw.sh', 'exit 1');
    others.push(hash(both()));
    writeFileSync(join(shop.folder, 'data/test/labels/000000.png'), gray(16, Array<number>(256).fill(0)));
    others.push(hash(both()));
    assert.equal(new Set([first, ...others]).size, others.length + 1);
  });

  it('is refused without a program, without a folder, and with options that nobody would read', () => {
    const create = (runtime: Partial<Runtime>, options = {}) =>
      createExperiment(program, options, { ...DEFAULT_RUNTIME, ...runtime });
    assert.throws(
      () => create({}),
      /Program-v0: expected a simulator or a trainer that is a program: npm run serve -- --simulator/,
    );
    const { programs } = shop.runtime(both());
    assert.throws(() => create({ programs: programs! }), /Program-v0: expected a folder to score models on/);
    assert.throws(
      () => specOf(both(), { task: 'counting' }),
      /task: expected none where the trainer is a program, got counting/,
    );
    assert.throws(
      () => specOf(simulating(draws), { trainerOptions: { a: 1 } }),
      /trainerOptions: expected none where the trainer is ours, got \{"a":1\}/,
    );
    assert.throws(
      () => specOf(training(counts), { simulatorOptions: { a: 1 } }),
      /simulatorOptions: expected none where the simulator is ours/,
    );
    assert.throws(
      () => specOf(simulating(draws), { classes: ['person'] }),
      /classes: expected none with segmentation, since it is for detection, got \["person"\]/,
    );
    assert.throws(
      () => specOf(both(), { scoreClass: 'bus' }),
      /scoreClass: expected none with the trainer, since it is for segmentation, got "?bus/,
    );
    assert.throws(() => specOf(both(), { reward: 'iou' }), /reward: expected one of score, got iou/);
    assert.throws(
      () => specOf(simulating(draws), { reward: 'score' }),
      /reward: expected one of softCarIou, carIou, meanIou, got score/,
    );
    assert.throws(() => specOf(simulating('draw {seed}')), /--simulator: expected \{request\} or \{out\}/);
  });

  it('hands validation/ and test/ to a trainer as they are', async () => {
    const { experiment } = createExperiment(program, {}, { ...shop.runtime(both()) });
    const before = experiment.target.content!();
    writeFileSync(join(shop.folder, 'data/validation/more.bin'), '');
    assert.notEqual(experiment.target.content!(), before, 'a program reads the files at each call');
    rmSync(join(shop.folder, 'data/validation/more.bin'));
    writeFileSync(join(shop.folder, 'data/validation/anything.bin'), '');
    const result = await evaluated(await shop.experiment(both()), { test: true });
    assert.deepEqual([result.scores, result.testScores], [{ score: 5 }, { score: 4 }]);
    for (const name of readdirSync(join(shop.folder, 'data/test')))
      rmSync(join(shop.folder, 'data/test', name), { recursive: true });
    await assert.rejects((await shop.experiment(both())).prepare!(), /test: expected files to score on, found none/);
  });

  it('[G7] writes the frames of a street data set for a trainer, once for all evaluations', async () => {
    const data = join(shop.folder, 'camvid');
    await writeCamvid(data);
    const runtime = { ...shop.runtime(both()), data };
    const { experiment } = createExperiment(program, { width: 16, height: 16, trainingImages: 2 }, runtime);
    await experiment.prepare!();
    const result = await evaluated(experiment, { test: true });
    assert.deepEqual([result.outcome, result.scores, result.testScores], ['ok', { score: 3 }, { score: 3 }]); // an image, labels, and labels of CamVid
    const [first] = await experiment.target.validation();
    assert.deepEqual(await experiment.target.validation(), [first]);
  });

  it('trains a program on our traffic simulator, with all that `npm run dataset` writes', async () => {
    const runtime = shop.runtime(training(counts));
    const { experiment } = createExperiment(program, { width: 32, height: 24, trainingImages: 2 }, runtime);
    const theta = completeTheta(experiment.simulator.parameters, {});
    const asked = { theta, seeds: evaluationSeeds(1), test: false };
    assert.equal((await evaluate(experiment, asked)).outcome, 'ok');
    const found = readFileSync(join(shop.folder, 'found'), 'utf8');
    for (const path of ['images', 'labels', 'labels_camvid', 'instances', 'depth'])
      assert.ok(found.includes(`data/${path}/000001.png`), path);
    for (const path of ['annotations.json', 'metadata.jsonl']) assert.ok(found.includes(`data/${path}`), path);
    assert.deepEqual(shop.left(), []);
  }).timeout(30_000);

  const ours = {
    validationImages: 2,
    testImages: 2,
    networkWidth: 0.5,
    batchSize: 2,
    trainingImages: 2,
    width: 16,
    height: 16,
  };

  it('[G7] trains our segmentation on the images of a program, which may be of another size @slow', async () => {
    const sizes = { same: ours, smaller: { ...ours, width: 24, height: 16 } };
    for (const [name, options] of Object.entries(sizes)) {
      const runtime = { ...shop.runtime(simulating(draws)), backend: 'wasm' as const };
      const { experiment } = createExperiment(program, { ...options, steps: 120 }, runtime);
      assert.equal(await experiment.prepare!().then((line) => /wasm/.test(line ?? '')), true);
      const { outcome, scores, testScores } = await evaluated(experiment, { test: true });
      assert.equal(outcome, 'ok', name);
      assert.ok(scores['carIou']! > 0.6, `${name}: ${scores['carIou']}`); // the same picture trains and validates
      assert.deepEqual(Object.keys(testScores!), ['softCarIou', 'carIou', 'meanIou']);
    }
  }).timeout(60_000);

  /** A line of metadata: in the first image, the left half is a van. */
  const cars = (index: number) =>
    JSON.stringify({ index, cars: index === 0 ? [{ instance: 13, type: 'van' }] : [], other: 1 });
  /** Puts instances and cars in the place of labels. */
  const writeObjects = () => {
    for (const set of [shop.ready, join(shop.folder, 'data/validation'), join(shop.folder, 'data/test')]) {
      cpSync(join(set, 'labels'), join(set, 'instances'), { recursive: true });
      rmSync(join(set, 'labels'), { recursive: true });
      writeFileSync(join(set, 'metadata.jsonl'), `${cars(0)}\n${cars(1)}\n`);
    }
  };

  it('[G8] trains our detection on the images of a program, with the boxes of their objects @slow', async () => {
    writeObjects();
    const runtime = { ...shop.runtime(simulating(draws)), backend: 'wasm' as const };
    const create = (options = {}) =>
      createExperiment(program, { ...ours, task: 'detection', steps: 3, ...options }, runtime).experiment;
    const experiment = create();
    await experiment.prepare!();
    const [first, second] = (await experiment.target.validation()) as BoxedImage[];
    assert.deepEqual(first!.boxes, [{ category: 'car', ignored: false, x: 0, y: 0, width: 8, height: 16 }]);
    assert.deepEqual(second!.boxes, []);
    const { outcome, scores } = await evaluated(experiment);
    assert.deepEqual([outcome, Object.keys(scores)], ['ok', ['smoothAp', 'ap50', 'ap']]);
    const people = create({ classes: ['person'] });
    await assert.rejects(
      people.prepare!(),
      /validation: expected something to count or to find in 2 images, found nothing/,
    );
    writeFileSync(
      join(shop.folder, 'data/test/metadata.jsonl'),
      '{"index":0,"cars":[],"people":[{"instance":13}]}\n{"index":1,"cars":[]}\n',
    );
    const [person] = (await create({ classes: ['person'] }).target.test()) as BoxedImage[];
    assert.equal(person!.boxes[0]!.category, 'person');
  }).timeout(60_000);

  it('compares the images of a program with photographs, whatever their labels', async function () {
    if (!existsSync(BACKBONE_FILE)) return this.skip(); // npm run setup:backbone brings the weights
    for (const set of ['ready', 'data/validation', 'data/test'])
      rmSync(join(shop.folder, set, 'labels'), { recursive: true });
    const runtime = { ...shop.runtime(simulating(draws)), backend: 'wasm' as const };
    const { experiment } = createExperiment(program, { ...ours, width: 32, height: 32, task: 'match' }, runtime);
    await experiment.prepare!();
    const { outcome, scores, reason } = await evaluated(experiment);
    assert.deepEqual([outcome, scores], ['ok', { likeness: 1 }], reason);
  });

  it('[G8] trains our counting on the images of a program, with their instances and cars @slow', async () => {
    writeObjects();
    const runtime = { ...shop.runtime(simulating(draws)), backend: 'wasm' as const };
    const create = () => createExperiment(program, { ...ours, task: 'counting', steps: 3 }, runtime).experiment;
    const experiment = create();
    await experiment.prepare!();
    const [first, second] = await experiment.target.validation();
    const { instances, cars: one } = first as { instances: Uint16Array; cars: unknown[] };
    assert.deepEqual([instances.filter((id) => id === 13).length, one], [128, [{ instance: 13, type: 'van' }]]);
    assert.deepEqual((second as { cars: unknown[] }).cars, []);
    const { outcome, scores } = await evaluated(experiment);
    assert.equal(outcome, 'ok');
    assert.ok(Number.isFinite(scores['devianceExplained']), 'a number');
    writeFileSync(
      join(shop.ready, 'metadata.jsonl'),
      `${cars(0)}\n{"index": 1, "cars": [{"instance": 13, "type": "tank"}]}\n`,
    );
    const wrong = await evaluated(create());
    assert.match(wrong.reason!, /^simulator: .*metadata\.jsonl:2: cars\.0\.type: .*got "tank"$/);
    rmSync(join(shop.folder, 'data/test'), { recursive: true });
    assert.throws(
      create,
      /expected validation\/ and test\/ as `npm run dataset` writes them, since the score is about objects/,
    );
  }).timeout(60_000);

  it('shows the images of a program on the page, with what our task makes of their labels', async () => {
    const shownBy = async (programs: Partial<ProgramsRuntime>, options: object = {}) => {
      const { experiment } = createExperiment(program, { ...ours, ...options }, shop.runtime(programs));
      const { simulator, pictures } = experiment;
      const theta = completeTheta(simulator.parameters, {});
      const strips = await withSamples(simulator, theta, 1, pictures!.samples, {}, async (samples) =>
        pictures!.draw(samples),
      );
      return strips.map(({ name, pictures, key = [] }) => [name, pictures.length, key.map((entry) => entry.name)]);
    };
    for (const [from, to] of [['000000.png', '000002.png'] as const, ['000001.png', '000003.png'] as const])
      for (const kind of ['images', 'labels']) cpSync(join(shop.ready, kind, from), join(shop.ready, kind, to));
    const image = ['image', 4, []];
    assert.deepEqual(await shownBy(both()), [image]);
    assert.deepEqual(await shownBy(training(counts)), [image]);
    const [first, labels] = await shownBy(simulating(draws));
    assert.deepEqual([first, labels![0], labels![1]], [image, 'labels', 4]);
    assert.ok((labels![2] as string[]).includes('car'), 'a car');
    writeObjects();
    const objects = [0, 1, 2, 3].map((index) => JSON.stringify({ index, cars: [{ instance: 13, type: 'van' }] }));
    writeFileSync(join(shop.ready, 'metadata.jsonl'), objects.join('\n'));
    assert.deepEqual(await shownBy(simulating(draws), { task: 'counting' }), [image]);
    const boxes = ['boxes', 4, ['car', 'too small to be asked for']];
    assert.deepEqual(await shownBy(simulating(draws), { task: 'detection' }), [image, boxes]);
    const left = (readdirSync(shop.work, { recursive: true }) as string[]).filter((path) => path.includes('seed-'));
    assert.deepEqual(left, [], 'a data set is left');
  });

  describe('[G22] with classes of its own', () => {
    const SEA = gray(
      SIDE,
      Array.from({ length: SIDE ** 2 }, (_, i) => (i % SIDE < SIDE / 2 ? 1 : 0)),
    );
    const sets = () => [shop.ready, join(shop.folder, 'data/validation'), join(shop.folder, 'data/test')];
    /** In place of labels, the left half of each image is a boat. */
    const coco = (name: string) => ({
      images: [0, 1].map((id) => ({ id, file_name: `images/00000${id}.png`, width: SIDE, height: SIDE })),
      categories: [{ id: 4, name }],
      annotations: [0, 1].map((image_id) => ({
        ...{ image_id, category_id: 4, bbox: [0, 0, SIDE / 2, SIDE] },
        segmentation: [[0, 0, SIDE / 2, 0, SIDE / 2, SIDE, 0, SIDE]],
      })),
    });
    const writeCoco = (name = 'boat') => {
      for (const set of sets()) {
        rmSync(join(set, 'labels'), { recursive: true, force: true });
        writeFileSync(join(set, 'annotations.json'), JSON.stringify(coco(name)));
      }
    };
    const create = (options = {}) => {
      const runtime = { ...shop.runtime(simulating(draws)), backend: 'wasm' as const };
      return createExperiment(program, { ...ours, ...options }, runtime).experiment;
    };

    it('trains our segmentation on labels whose classes classes.json names, and scores the one that is asked for @slow', async () => {
      for (const set of sets())
        for (const name of readdirSync(join(set, 'labels'))) writeFileSync(join(set, 'labels', name), SEA);
      writeFileSync(join(shop.folder, 'data/classes.json'), '["sea", "boat", "sky"]');
      const experiment = create({ steps: 120 });
      await experiment.prepare!();
      assert.deepEqual(
        experiment.task.metrics.map(({ name, meaning }) => [name, meaning.includes('boat')]),
        [
          ['softIou', true],
          ['iou', true],
          ['meanIou', false],
        ],
      );
      const { outcome, scores } = await evaluated(experiment);
      assert.equal(outcome, 'ok');
      assert.ok(scores['iou']! > 0.6, `${scores['iou']}`);
      await assert.rejects(
        create({ scoreClass: 'sky' }).prepare!(),
        /validation: expected a sky in at least one image/,
      );
      assert.throws(() => create({ scoreClass: 'car' }), /scoreClass: expected one of sea, boat, sky, got car/);
      const content = experiment.target.content!();
      writeFileSync(join(shop.folder, 'data/classes.json'), '["sea", "ship", "sky"]');
      assert.notEqual(create().target.content!(), content);
    }).timeout(60_000);

    it('trains our segmentation and our detection on objects in COCO’s format, as target and of a simulator @slow', async () => {
      writeCoco();
      const experiment = create({ steps: 120 });
      await experiment.prepare!();
      const { outcome, scores } = await evaluated(experiment);
      assert.deepEqual([outcome, scores['iou']! > 0.6], ['ok', true], JSON.stringify(scores));
      const detection = create({ task: 'detection', classes: ['boat'], steps: 3 });
      await detection.prepare!();
      const [first] = (await detection.target.validation()) as BoxedImage[];
      assert.deepEqual(first!.boxes, [{ category: 'boat', ignored: false, x: 0, y: 0, width: 8, height: 16 }]);
      assert.equal((await evaluated(detection)).outcome, 'ok');
    }).timeout(60_000);

    it('fails where a simulator has another category, or leaves out an image', async () => {
      writeCoco();
      const failure = async () => (await evaluated(create({ steps: 1 }))).reason;
      writeFileSync(join(shop.ready, 'annotations.json'), JSON.stringify(coco('ship')));
      assert.match((await failure())!, /annotations\.0: expected a category of background, boat, got ship/);
      const { images, ...rest } = coco('boat');
      const annotations = rest.annotations.slice(0, 1);
      writeFileSync(
        join(shop.ready, 'annotations.json'),
        JSON.stringify({ ...rest, annotations, images: [images[0]] }),
      );
      assert.match((await failure())!, /images: expected one with "file_name": "images\/000001\.png", found none/);
    });

    it('[G11] gives a trainer the frames of one folder with their classes', async () => {
      const data = join(shop.folder, 'harbour');
      const labels = gray(
        SIDE,
        Array.from({ length: SIDE ** 2 }, (_, i) => (i % SIDE < SIDE / 2 ? 5 : 0)),
      );
      for (let i = 0; i < 60; i++) {
        for (const kind of ['images', 'labels'])
          cpSync(join(shop.ready, kind, '000000.png'), join(data, kind, `${i}.png`));
        writeFileSync(join(data, 'labels', `${i}.png`), labels);
      }
      writeFileSync(join(data, 'classes.json'), '{"0": "sea", "5": "boat"}');
      const { experiment } = createExperiment(program, ours, { ...shop.runtime(both()), data });
      const [{ folder }] = (await experiment.target.validation()) as [{ folder: string }];
      assert.deepEqual(readdirSync(folder).sort(), ['classes.json', 'images', 'labels']);
      // With the data set's own ids, which the data of a simulator have too.
      assert.equal(readFileSync(join(folder, 'classes.json'), 'utf8'), '{"0":"sea","5":"boat"}');
      const ids = await sharp(join(folder, 'labels/000000.png')).extractChannel(0).raw().toBuffer();
      assert.deepEqual([ids[0], ids[SIDE - 1]], [5, 0]);
      const [image] = await readLabelled(folder, [0], { width: SIDE, height: SIDE }, classesIn(folder));
      assert.deepEqual([image!.classes[0], image!.classes[SIDE - 1]], [1, 0]);
      experiment.dispose!();
      assert.ok(!existsSync(folder), 'nothing is left of them');
    });
  });

  it('refuses sets without a car, where the scores are about cars', async () => {
    writeFileSync(join(shop.folder, 'data/test/labels/000000.png'), gray(16, Array<number>(256).fill(0)));
    writeFileSync(join(shop.folder, 'data/test/labels/000001.png'), gray(16, Array<number>(256).fill(7)));
    await assert.rejects(
      (await shop.experiment(simulating(draws))).prepare!(),
      /test: expected a car in at least one image/,
    );
  });
});
