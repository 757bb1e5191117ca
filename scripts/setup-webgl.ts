/**
 * Builds what three's WebGLRenderer draws on: `npm run setup:webgl`.
 *
 * node-canvas-webgl consists of the packages canvas and gl, which have to be compiled; their own installers would first
 * look for binaries outside the package registry. Everything is in .webgl/, which `npm ci` does not touch.
 */
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isProgram } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { WEBGL_FOLDER } from '../env/render/webgl/context.ts';
import {
  checkCompiler,
  emptyStaging,
  type Find,
  firstWorking,
  must,
  nodeHeaders,
  npmInstall,
  outputOf,
  projectRoot,
  SetupError,
  step,
} from './setup/steps.ts';

const PACKAGE = 'node-canvas-webgl';

/** What canvas is compiled with, and what gl draws through. */
const DEBIAN_PACKAGES = [
  ...['pkg-config', 'libpixman-1-dev', 'libcairo2-dev', 'libpango1.0-dev', 'libjpeg-dev', 'libgif-dev', 'librsvg2-dev'],
  ...['libxi-dev', 'libglu1-mesa-dev', 'libglew-dev', 'libgl1-mesa-dev', 'libgl1-mesa-dri', 'xvfb'],
];

/** The packages, of these, that dpkg does not list as installed; undefined where there is no dpkg. */
async function missingPackages(): Promise<string[] | undefined> {
  const format = '${Package} ${db:Status-Status}\\n';
  const text = await outputOf('dpkg-query', ['-W', '-f', format, ...DEBIAN_PACKAGES]);
  return text === undefined ? undefined : notInstalled(DEBIAN_PACKAGES, text);
}

/** The packages that a list of dpkg, lines as in `xvfb installed`, does not have as installed. */
export function notInstalled(wanted: readonly string[], list: string): string[] {
  const installed = new Set(list.split('\n').map((line) => /^(\S+) installed$/.exec(line)?.[1]));
  return wanted.filter((name) => !installed.has(name));
}

/**
 * The command that installs Debian packages, as root.
 *
 * @param yes whether the user wants them installed
 * @returns   what stands before `apt-get`, nothing or sudo, and what follows it
 * @throws {SetupError} in a sentence with the command, when the user does not say so or may not install them
 */
export async function installCommand(
  missing: readonly string[],
  { yes, isRoot, find }: { readonly yes: boolean; readonly isRoot: boolean; readonly find: Find },
): Promise<{ before: string[]; install: string[] }> {
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  const text = `${isRoot ? '' : 'sudo '}apt-get ${install.join(' ')}`;
  if (!yes) {
    throw new SetupError(
      `expected the Debian packages ${missing.join(', ')}, got none of them; ` +
        `npm run setup:webgl -- --yes installs them, by: ${text}`,
    );
  }
  if (isRoot) return { before: [], install };
  if (await find(['sudo'], '-n', 'true')) return { before: ['sudo', '-n'], install };
  throw new SetupError(`expected to be root, or sudo without a password, to install packages; do it yourself: ${text}`);
}

async function installPackages(yes: boolean): Promise<string> {
  const missing = await missingPackages();
  if (missing === undefined) {
    return `this is no Debian; your system's packages that correspond to ${DEBIAN_PACKAGES.join(', ')} are needed`;
  }
  if (missing.length === 0) return 'all there';
  const isRoot = process.getuid?.() === 0;
  const { before, install } = await installCommand(missing, { yes, isRoot, find: firstWorking });
  for (const args of [['update'], install]) {
    const [program, ...rest] = [...before, 'apt-get', ...args];
    await must(`apt-get ${args[0]}`, program!, rest, projectRoot, true);
  }
  return missing.join(', ');
}

/** The versions that are tested together: of the package, and of what it consists of. */
function manifest(): object {
  const { peerDependencies, overrides } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    peerDependencies: Record<string, string>;
    overrides: Record<string, object>;
  };
  return { dependencies: { [PACKAGE]: peerDependencies[PACKAGE] }, overrides: { [PACKAGE]: overrides[PACKAGE] } };
}

async function build(name: string, folder: string): Promise<void> {
  const gyp = join(folder, 'node_modules/node-gyp/bin/node-gyp.js');
  const packageFolder = join(folder, 'node_modules', name);
  await must(`building ${name}`, process.execPath, [gyp, 'rebuild', ...nodeHeaders()], packageFolder);
  for (const rest of ['obj.target', '.deps']) {
    await rm(join(packageFolder, 'build/Release', rest), { recursive: true, force: true });
  }
}

/** Draws a picture in another process, beside the rasteriser's. @returns what drew it, and how alike they are */
async function tryWebgl(folder: string): Promise<string> {
  const program = join(import.meta.dirname, 'try-webgl.ts');
  const text = await must('drawing with it', process.execPath, ['--import', 'tsx', program, folder], projectRoot);
  return /^RESULT (.*)$/m.exec(text)?.[1] ?? '';
}

async function setup({ yes, force }: { readonly yes: boolean; readonly force: boolean }): Promise<void> {
  if (force) await rm(WEBGL_FOLDER, { recursive: true, force: true });
  if (existsSync(WEBGL_FOLDER)) {
    const verdict = await step(`${PACKAGE} is there already; drawing a picture`, () => tryWebgl(WEBGL_FOLDER));
    return void process.stdout.write(`${verdict}. To build it anew: npm run setup:webgl -- --force\n`);
  }
  const remark = (text: string) => text;
  await step('1/5 Looking for make and a C++ compiler', () => checkCompiler(firstWorking));
  await step('2/5 Looking for Debian packages', () => installPackages(yes), remark);
  const staging = await emptyStaging(WEBGL_FOLDER);
  await step(`3/5 Installing ${PACKAGE} into ${WEBGL_FOLDER}`, () => npmInstall(staging, manifest()));
  await step('4/5 Building canvas and gl', async () => {
    for (const name of ['canvas', 'gl']) await build(name, staging);
  });
  await step('5/5 Drawing a picture', () => tryWebgl(staging), remark);
  await rename(staging, WEBGL_FOLDER);
  process.stdout.write('--renderer webgl draws with it from now on; npm ci leaves it in place.\n');
}

if (isProgram(import.meta.url)) {
  const command = newCommand('setup:webgl')
    .description('Builds node-canvas-webgl for --renderer webgl, into .webgl/, and draws a picture with it.')
    .option('--yes', 'install the Debian packages that are missing')
    .option('--force', 'build it again if it exists already')
    .parse();
  const { yes = false, force = false } = command.opts<{ yes?: boolean; force?: boolean }>();
  await runProgram('setup:webgl', async () => {
    endDescendants();
    process.stdout.write(`setup:webgl: yes ${yes}, force ${force}\n`);
    await setup({ yes, force });
  });
}
