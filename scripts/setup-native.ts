/**
 * Builds the native training backend: `npm run setup:native`, or `npm run setup:native -- --gpu`.
 *
 * tfjs-node's own installer downloads an old version of libtensorflow from a place outside the package registries.
 * TensorFlow's Python wheel contains the library and its headers. So this program takes them from the wheel (nothing is
 * installed into Python), builds the binding against them, and tries it. Everything is in .native/, which `npm ci` does
 * not touch. An unfinished build has another folder name, so the final folder is always complete.
 */
import { existsSync } from 'node:fs';
import { rename, rm, stat, statfs, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isProgram } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { nativeFolder } from '../env/tasks/tensorflow/backend.ts';
import {
  checkCompiler,
  downloadWheels,
  emptyStaging,
  findPython,
  firstWorking,
  type Find,
  must,
  nodeHeaders,
  npmInstall,
  outputOf,
  projectRoot,
  SetupError,
  step,
} from './setup/steps.ts';

/** The versions that are tested together. */
const TFJS_VERSION = '4.22.0';
const TENSORFLOW_VERSION = '2.21.0';

/** What has to be downloaded of wheels, as measured in November 2026; of CUDA's, pip takes the newest that fit. */
const DOWNLOADS = { cpu: '1 wheel, 274 MB', gpu: '13 wheels, 3.4 GB' };

/** The Python version of the wheel; any Python can download it. */
const WHEEL_PYTHON = '3.11';
const WHEEL_PLATFORMS = ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64'];
const WHEEL_TARGET = [
  ...['--python-version', WHEEL_PYTHON, '--only-binary=:all:'],
  ...WHEEL_PLATFORMS.flatMap((platform) => ['--platform', platform]),
];

/**
 * Checks everything that the build needs, before anything is downloaded.
 *
 * @returns the Python to call
 * @throws {SetupError} in one sentence, naming what is missing and how to get it
 */
export async function checkMachine(machine: {
  readonly platform: string;
  readonly arch: string;
  readonly find: Find;
  readonly freeBytes: number;
  readonly neededBytes: number;
}): Promise<string> {
  const { platform, arch, find, freeBytes, neededBytes } = machine;
  if (platform !== 'linux' || arch !== 'x64') {
    throw new SetupError(
      `expected Linux on x64, got ${platform} on ${arch}; there, try: ` +
        `npm install --no-save @tensorflow/tfjs-node@${TFJS_VERSION} (again after every npm ci)`,
    );
  }
  const python = await findPython(find);
  await checkCompiler(find);
  if (freeBytes < neededBytes) {
    const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
    throw new SetupError(`expected ${gigabytes(neededBytes)} GB of free disk space, got ${gigabytes(freeBytes)}`);
  }
  return python;
}

/** The least driver of NVIDIA that runs CUDA 12. */
const LEAST_DRIVER = [525, 60];
const WITHOUT_GPU = 'without --gpu, the backend for processors is built';

/**
 * Checks that there is a GPU for the backend, before gigabytes are downloaded.
 *
 * @param ask runs a program and returns its output; undefined where there is no such program
 * @returns   the GPU's name and the version of its driver
 * @throws {SetupError} in a sentence, when there is no GPU, or its driver is too old
 */
export async function checkGpu(ask: typeof outputOf = outputOf): Promise<string> {
  const text = await ask('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader']);
  if (text === undefined) {
    throw new SetupError(`expected a GPU of NVIDIA and its driver, got no program nvidia-smi; ${WITHOUT_GPU}`);
  }
  const line = text.trim().split('\n')[0]!;
  const [, name, major, minor] = /^(.+), (\d+)\.(\d+)/.exec(line) ?? [];
  if (name === undefined) {
    throw new SetupError(`expected a GPU that nvidia-smi sees, got: ${line || 'nothing'}; ${WITHOUT_GPU}`);
  }
  const [leastMajor, leastMinor] = LEAST_DRIVER as [number, number];
  if (Number(major) < leastMajor || (Number(major) === leastMajor && Number(minor) < leastMinor)) {
    const least = LEAST_DRIVER.join('.');
    throw new SetupError(
      `expected NVIDIA's driver ${least} or later, which CUDA 12 needs, got ${major}.${minor} of ${name}; ${WITHOUT_GPU}`,
    );
  }
  return `${name}, driver ${major}.${minor}`;
}

/** Prints the CUDA packages that TensorFlow's wheel requires with its extra `and-cuda`, as pip requirements. */
const READ_CUDA_REQUIREMENTS = `
import re, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
metadata = wheel.read(next(n for n in wheel.namelist() if n.endswith('.dist-info/METADATA'))).decode()
for line in metadata.splitlines():
    match = re.match(r'Requires-Dist: ([^;]+);.*extra == .and-cuda', line)
    if match: print(re.sub(r'[ ()]', '', match.group(1)))
`;

/** Unpacks files of a wheel by prefix. Arguments: the wheel, then pairs of prefix and folder. */
const UNPACK = `
import os, shutil, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
rules = list(zip(sys.argv[2::2], sys.argv[3::2]))
for name in wheel.namelist():
    rule = next((rule for rule in rules if name.startswith(rule[0])), None)
    if rule is None or name.endswith('/'): continue
    base = os.path.basename(rule[0]) if not rule[0].endswith('/') else ''
    path = os.path.join(rule[1], base + name[len(rule[0]):])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wheel.open(name) as source, open(path, 'wb') as target: shutil.copyfileobj(source, target, 1 << 22)
`;

/** Puts library and headers where the binding's build expects them. */
async function unpackTensorflow(python: string, wheel: string, deps: string): Promise<void> {
  const headers = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/', 'xla/tsl/'];
  const rules = headers.flatMap((path) => {
    const inside = path.endsWith('/') ? path : path.slice(0, path.lastIndexOf('/'));
    return [`tensorflow/include/${path}`, join(deps, 'include', inside)];
  });
  const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  for (const name of libraries) rules.push(`tensorflow/${name}`, join(deps, 'lib'));
  await must('unpacking the wheel', python, ['-c', UNPACK, wheel, ...rules], projectRoot);
  await symlink('libtensorflow_cc.so.2', join(deps, 'lib', 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(deps, 'lib', 'libtensorflow_framework.so'));
}

/** Installs the package without libtensorflow, which its install script would download. */
async function installPackage(name: string, folder: string): Promise<void> {
  await npmInstall(folder, { dependencies: { [`@tensorflow/${name}`]: TFJS_VERSION } });
  // Remove packages that the project has itself: there must be only one tfjs-core.
  for (const shared of ['tfjs-core', 'tfjs-backend-cpu']) {
    await rm(join(folder, 'node_modules', '@tensorflow', shared), { recursive: true });
  }
}

async function buildBinding(packageFolder: string): Promise<void> {
  const preGyp = resolve(packageFolder, '../../@mapbox/node-pre-gyp/bin/node-pre-gyp');
  // Without this option, the binding is built six times, once for every version of Node-API.
  const args = [preGyp, 'rebuild', '--build-latest-napi-version-only', ...nodeHeaders()];
  await must('building the binding', process.execPath, args, packageFolder);
}

/** Loads the backend in another process and trains a network with it. @returns its version and speed */
async function tryBackend(name: string, folder: string): Promise<string> {
  const program = join(import.meta.dirname, 'try-backend.ts');
  const args = ['--import', 'tsx', program, name, folder];
  const text = await must('training with the new backend', process.execPath, args, projectRoot);
  return /^RESULT (.*)$/m.exec(text)?.[1] ?? '';
}

async function megabytes(paths: readonly string[]): Promise<string> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return `${Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6)} MB`;
}

async function setup(gpu: boolean, force: boolean, untried: boolean): Promise<void> {
  const name = gpu ? 'tfjs-node-gpu' : 'tfjs-node';
  const remark = (text: string) => text;
  if (gpu && !untried) await step('Looking for a GPU', () => checkGpu(), remark);
  const target = nativeFolder(name);
  if (force) await rm(target, { recursive: true, force: true });
  if (existsSync(target)) {
    const verdict = await step(`${name} is there already; trying it`, () => tryBackend(name, target));
    return void process.stdout.write(`${verdict}. To build it anew: npm run setup:native -- --force\n`);
  }
  const staging = await emptyStaging(target);
  const packageFolder = join(staging, 'node_modules', '@tensorflow', name);
  const deps = join(packageFolder, 'deps');

  const { bavail, bsize } = await statfs(staging);
  const [platform, arch] = [process.platform, process.arch];
  const neededBytes = gpu ? 12e9 : 2e9;
  const machine = { platform, arch, find: firstWorking, freeBytes: bavail * bsize, neededBytes };
  const python = await step('1/6 Looking for Python, pip, make and a C++ compiler', () => checkMachine(machine));

  const wheelFolder = join(staging, 'wheels');
  const requirement = `${gpu ? 'tensorflow' : 'tensorflow-cpu'}==${TENSORFLOW_VERSION}`;
  process.stdout.write(`To be downloaded: ${gpu ? DOWNLOADS.gpu : DOWNLOADS.cpu}\n`);
  const [wheel] = await step(
    `2/6 Downloading the wheel of ${requirement}, which holds libtensorflow`,
    () => downloadWheels(python, [requirement], wheelFolder, WHEEL_TARGET),
    () => 'pip installed nothing',
  );
  await step(`3/6 Installing @tensorflow/${name} ${TFJS_VERSION} into ${target}`, () => installPackage(name, staging));
  await step(
    gpu
      ? '4/6 Unpacking libtensorflow and its headers, downloading CUDA’s libraries'
      : '4/6 Unpacking libtensorflow and its headers',
    async () => {
      await unpackTensorflow(python, wheel!, deps);
      if (gpu) await unpackCuda(python, wheel!, join(staging, 'cuda'), deps);
      await rm(wheelFolder, { recursive: true });
      return megabytes([join(deps, 'lib', 'libtensorflow.so'), join(deps, 'lib', 'libtensorflow_framework.so')]);
    },
    remark,
  );
  await step('5/6 Building the binding', () => buildBinding(packageFolder));
  if (!untried) await step('6/6 Training with it', () => tryBackend(name, staging), remark);
  await rename(staging, target);
  process.stdout.write(`Training uses ${name} from now on; npm ci leaves it in place.\n`);
}

/** libtensorflow looks for CUDA's libraries in ../nvidia, where TensorFlow's Python packages put them. */
async function unpackCuda(python: string, wheel: string, folder: string, deps: string): Promise<void> {
  const text = await must('reading the wheel', python, ['-c', READ_CUDA_REQUIREMENTS, wheel], projectRoot);
  const wheels = await downloadWheels(python, text.trim().split('\n'), folder, WHEEL_TARGET);
  for (const path of wheels) {
    const args = ['-c', UNPACK, path, 'nvidia/', join(deps, 'nvidia')];
    await must(`unpacking ${path}`, python, args, projectRoot);
  }
  await rm(folder, { recursive: true });
}

if (isProgram(import.meta.url)) {
  const command = newCommand('setup:native')
    .description('Builds the native training backend from TensorFlow’s Python wheel, into .native/.')
    .option('--gpu', 'build the backend for NVIDIA GPUs; also downloads CUDA’s libraries, several GB')
    .option('--untried', 'build it without using it, on a machine that has no GPU, for one that has')
    .option('--force', 'build it again if it exists already')
    .parse();
  const options = command.opts<{ gpu?: boolean; untried?: boolean; force?: boolean }>();
  const { gpu = false, untried = false, force = false } = options;
  await runProgram('setup:native', async () => {
    endDescendants();
    process.stdout.write(`setup:native: gpu ${gpu}, untried ${untried}, force ${force}\n`);
    await setup(gpu, force, untried);
  });
}
