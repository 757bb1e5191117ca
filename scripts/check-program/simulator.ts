/** Checks a simulator: it draws a few images, several times, and what it has drawn is looked at. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Parameter, Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import { imageFile, imagesOf, readBoxed, readCountable, writtenFrames } from '../../env/dataset/read.ts';
import type { LabelClasses } from '../../env/programs/target.ts';
import type { PictureSize } from '../../env/simulators/traffic/scene.ts';
import { asFiles, programSimulator, type SimulatorProgram, type StoredImage } from '../../env/programs/simulator.ts';
import type { Simulator } from '../../env/simulators/simulator.ts';
import { CAR_TYPES } from '../../env/simulators/traffic/parameters.ts';
import { CLASSES, VOID } from '../../env/streets/classes.ts';
import type { ProgramTask } from '../../env/experiments/program.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { readPhotograph } from '../../env/streets/photograph.ts';
import { readFrame, readPictures } from '../../env/streets/street-images.ts';
import { carCounts, COUNTED_SHARE } from '../../env/tasks/counting/counts.ts';
import { good, note, progressFinding, watched, wrong, type Finding, type Say, type Seen } from './finding.ts';

export interface SimulatorCheck {
  readonly simulator: Omit<SimulatorProgram<StoredImage>, 'read' | 'cache'>;
  /** What reads the images: one of our tasks, or a trainer that is a program. */
  readonly reader: ProgramTask | 'trainer';
  /** What labels mean, where our segmentation reads them. */
  readonly labels: LabelClasses;
  /** What our detection looks for. */
  readonly wanted: readonly string[];
  readonly theta: Theta;
  readonly seed: Seed;
  readonly count: number;
  /** Whether equal seeds are promised to give equal images. */
  readonly deterministic: boolean;
}

/** The time after which a long call is stopped, to see how the program ends. */
const STOP_AFTER_MS = 700;
/** More images than any program draws in that time. */
const MANY = 1_000_000;
/** A program that has not ended this long after SIGTERM was killed. */
const KILLED_AFTER_MS = 950;
/** The share of void pixels that a person should hear of. */
const MOSTLY_VOID = 0.5;
/** Of one kind of fault, a few sentences are enough. */
const MOST_SENTENCES = 5;

/** Looks at a program, and says what is right and what is wrong. @throws what its calls throw */
export async function checkSimulator(check: SimulatorCheck, say: Say): Promise<void> {
  const { theta, seed, reader, deterministic } = check;
  const calls: Seen[] = [];
  const program = watched(check.simulator.program, calls);
  const simulator = programSimulator({ ...check.simulator, program, read: asFiles });
  /** Draws images, and gives what `look` makes of their folder. */
  const draw = async <Result>(theta: Theta, seed: Seed, look: (folder: string) => Promise<Result> | Result) => {
    const set = simulator.open(theta, seed);
    try {
      await set.drawAhead!(check.count, {});
      return await look((await set.draw(0)).folder);
    } finally {
      await set.close?.();
    }
  };

  const [hash, findings] = await draw(theta, seed, async (folder) => [
    hashOf(folder),
    reader === 'trainer' ? [] : await pictureFindings(folder, check),
  ]);
  say(good(`draws ${check.count} images in ${calls[0]!.seconds.toFixed(2)} s`));
  findings.forEach(say);
  say(progressFinding(calls[0]!));

  const isSame = (await draw(theta, seed, hashOf)) === hash;
  if (isSame) say(good('equal θ and seeds give equal files'));
  else if (deterministic) say(wrong('equal θ and seeds: expected equal files, as is promised, got others'));
  else say(note('equal θ and seeds give other files, so the environment says "deterministic": false'));
  if (isSame && !deterministic) {
    say(note('promise this by "deterministic": true in the file of parameters, or by --deterministic'));
  }
  if (isSame) {
    const others = { 'another seed': [theta, seed + 1], 'another θ': [edgeOf(simulator, theta), seed] } as const;
    for (const [what, [otherTheta, otherSeed]] of Object.entries(others)) {
      const isOther = (await draw(otherTheta, otherSeed, hashOf)) !== hash;
      say(isOther ? good(`${what} gives other files`) : wrong(`${what}: expected other images, got the same ones`));
    }
  }
  say(await stopFinding(simulator, theta, seed));
}

/** A hash of the names and bytes of all files below a folder. */
function hashOf(folder: string): string {
  const hash = createHash('sha256');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of files.sort()) {
    hash.update(path.slice(folder.length)).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** A θ that differs from this one in every parameter. */
function edgeOf({ parameters }: Simulator<unknown>, theta: Theta): Theta {
  return Object.fromEntries(
    parameters.map((parameter) => [parameter.name, otherValue(parameter, theta[parameter.name])]),
  );
}

/** Another value of a parameter: at the bound that is farther, where there are bounds. */
function otherValue(parameter: Parameter, value: Theta[string] | undefined): Theta[string] {
  switch (parameter.kind) {
    case 'continuous':
    case 'integer': {
      const { low, high } = parameter;
      return (value as number) - low > high - (value as number) ? low : high;
    }
    case 'boolean':
      return !(value as boolean);
    case 'categorical':
      return parameter.choices.find((choice) => choice !== value)!;
    case 'simplex': {
      const [first = 0] = value as number[];
      return parameter.labels.map((_, i) => Number(i === (first > 0.5 ? 1 : 0)));
    }
  }
}

/** What there is to say about images and labels. */
async function pictureFindings(
  folder: string,
  { simulator, reader, count, labels, wanted }: SimulatorCheck,
): Promise<Finding[]> {
  const { size } = simulator;
  const findings: Finding[] = [];
  const images: LabelledImage[] = [];
  let counted = 0;
  let drawn: PictureSize | undefined;
  for (let index = 0; index < count; index++) {
    try {
      if (reader === 'detection') {
        const [image] = await readBoxed(folder, [index], size, wanted);
        counted += image!.boxes.filter(({ ignored, category }) => !ignored && wanted.includes(category)).length;
      } else if (reader === 'counting') {
        const [image] = await readCountable(folder, [index], size);
        counted += carCounts(image!, CAR_TYPES).reduce((sum, cars) => sum + cars, 0);
      } else if (reader === 'match') await readPictures(imagesOf(folder, [index]), size);
      else images.push(await readFrame(writtenFrames(folder, [index], labels.named)[0]!, size));
      drawn ??= await readPhotograph(imageFile(folder, index));
    } catch (error) {
      findings.push(wrong((error as Error).message.replaceAll(`${folder}/`, '')));
    }
  }
  if (drawn && (drawn.width !== size.width || drawn.height !== size.height)) {
    const sizes = `${drawn.width}×${drawn.height}, asked for ${size.width}×${size.height}`;
    findings.push(note(`images of ${sizes}: they are cropped to its aspect and scaled`));
  }
  if (findings.some(({ kind }) => kind === 'wrong')) return findings.slice(0, MOST_SENTENCES);
  if (reader === 'match') return findings;
  if (reader !== 'segmentation') {
    const share = `${(100 * COUNTED_SHARE).toFixed(1)} % of the picture`;
    const what = reader === 'counting' || wanted.join() === 'car' ? 'cars' : wanted.join(' or ');
    const rule = reader === 'counting' ? `one that shows on ${share}` : 'one that is large enough to be found';
    return [
      ...findings,
      counted > 0 ? good(`${what}: ${counted} that count`) : wrong(`${what}: expected ${rule}, found none`),
    ];
  }
  return [...findings, ...classFindings(images, labels)];
}

function classFindings(images: readonly LabelledImage[], { named, classes }: LabelClasses): Finding[] {
  const pixels = new Map<number, number>();
  for (const { classes } of images) for (const id of classes) pixels.set(id, (pixels.get(id) ?? 0) + 1);
  const total = images.reduce((sum, { classes }) => sum + classes.length, 0);
  const shareOf = (isMeant: (id: number) => boolean) =>
    [...pixels].reduce((sum, [id, count]) => sum + (isMeant(id) ? count : 0), 0) / total;
  const nothing = shareOf((id) => id === VOID);
  if (nothing === 1) {
    const known = named ? named.names.join(', ') : 'Cityscapes’ classes';
    return [wrong(`labels: expected ids or colours of ${known}, got void everywhere`)];
  }
  const names = [...pixels.keys()].flatMap((id) => (named ? named.names[id] : CLASSES[id]?.name) ?? []);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const scored = shareOf((id) => classes.outputOf[id] === classes.scored);
  const name = classes.names[classes.scored]!;
  const things = name === 'car' ? 'cars' : name;
  return [
    good(`labels of ${names.join(', ')}`),
    ...(nothing > MOSTLY_VOID ? [note(`labels: ${percent(nothing)} of the pixels are void`)] : []),
    scored > 0
      ? good(`${things} on ${percent(scored)} of the pixels`)
      : wrong(`${things}: expected some in ${images.length} images, since the scores are about them, found none`),
  ];
}

/** How the program ends when it is stopped in the midst of a long call. */
async function stopFinding(simulator: Simulator<unknown>, theta: Theta, seed: Seed): Promise<Finding> {
  const stop = new AbortController();
  const set = simulator.open(theta, seed);
  const ended = set.drawAhead!(MANY, { signal: stop.signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  await Promise.race([ended, pause(STOP_AFTER_MS)]);
  stop.abort();
  const began = performance.now();
  await ended;
  const ms = performance.now() - began;
  await set.close?.();
  if (ms < KILLED_AFTER_MS) return good(`ends ${ms.toFixed(0)} ms after it is told to`);
  return note('SIGTERM: expected an end within a second, it had to be killed');
}
