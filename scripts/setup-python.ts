/**
 * Makes a virtual environment in which the tests of the Python package run: `npm run setup:python`.
 *
 * It is in .python/, which `npm ci` does not touch, and has the package (as it stands in agents/python/, so changes need
 * no new installation), the checkers, and the libraries of the examples. PyTorch, which Stable-Baselines3 and Ax need,
 * comes without CUDA where pip finds such a build, since the one with CUDA takes several gigabytes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isProgram, word } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { PYTHON, PYTHON_FOLDER } from './setup/python-folder.ts';
import { firstWorking, must, projectRoot, SetupError, step, type Find } from './setup/steps.ts';

/** Written at the end, with what was installed: without it, the folder is not complete. */
const mark = join(PYTHON_FOLDER, 'complete');
const PACKAGE = './agents/python[test]';
/** Those of the examples that need PyTorch. */
const ON_TORCH = ['stable-baselines3==2.9.2', 'ax-platform==1.3.1'];
/** COCO's own average precision, with which ours is compared. */
const COCO = 'pycocotools==2.0.11';
/** Elsewhere, the ordinary build has no CUDA. */
const TORCH = process.platform === 'linux' ? 'torch==2.13.0+cpu' : 'torch==2.13.0';
const PIP = ['-m', 'pip', '--disable-pip-version-check'];

/** The first Python that is new enough. @throws {SetupError} in a sentence, naming what is missing */
export async function findRecentPython(find: Find): Promise<string> {
  const recent = 'import sys; sys.exit(sys.version_info < (3, 10))';
  const found = await find(['python3', 'python'], '-c', recent);
  if (found) return found;
  throw new SetupError('expected Python 3.10 or later, got none; on Debian: apt install python3 python3-venv');
}

/**
 * Makes the environment.
 *
 * @returns how to call its pip: Debian's Python cannot install pip without python3-venv, but its own pip serves
 * @throws {SetupError} in a sentence, when there is neither
 */
async function makeEnvironment(base: string): Promise<[program: string, args: readonly string[]]> {
  await rm(PYTHON_FOLDER, { recursive: true, force: true });
  if (await firstWorking([base], '-m', 'venv', PYTHON_FOLDER)) return [PYTHON, PIP];
  await rm(PYTHON_FOLDER, { recursive: true, force: true });
  const hasPip = await firstWorking([base], ...PIP, '--version');
  if (hasPip && (await firstWorking([base], '-m', 'venv', '--without-pip', PYTHON_FOLDER))) {
    return [base, [...PIP, '--python', PYTHON]];
  }
  throw new SetupError(`expected ${base} to have venv or pip, got neither; on Debian: apt install python3-venv`);
}

async function setup(force: boolean, torch: string): Promise<void> {
  const wanted = `${readFileSync(join(projectRoot, 'agents/python/pyproject.toml'), 'utf8')}${ON_TORCH.join(' ')} ${torch} ${COCO}\n`;
  if (!force && existsSync(mark) && readFileSync(mark, 'utf8') === wanted) {
    return void process.stdout.write(
      `${PYTHON_FOLDER} is there already; to make it anew: npm run setup:python -- --force\n`,
    );
  }
  const base = await step('1/4 Looking for Python', () => findRecentPython(firstWorking));
  const [program, pip] = await step('2/4 Making a virtual environment in .python', () => makeEnvironment(base));
  const install = (what: string, ...requirements: string[]) =>
    must(`installing ${what}`, program, [...pip, 'install', '--quiet', ...requirements], projectRoot);
  await step(`3/4 Installing ${PACKAGE}`, () => install('the package', '--editable', PACKAGE, COCO));
  await step('4/4 Installing Stable-Baselines3 and Ax', async () => {
    try {
      await install('PyTorch', torch);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      const other = 'npm run setup:python -- --force --torch torch takes the one with CUDA';
      return void process.stdout.write(`  pip has no ${torch}, so its tests are skipped; ${other}\n`);
    }
    await install('Stable-Baselines3 and Ax', ...ON_TORCH);
  });
  await must('importing the package', PYTHON, ['-c', 'import learning_to_simulate'], projectRoot);
  await writeFile(mark, wanted);
  process.stdout.write(`${PYTHON} is ready; npm ci leaves it in place.\n`);
}

if (isProgram(import.meta.url)) {
  const command = newCommand('setup:python')
    .description('Makes a virtual environment with the Python package and what its tests need, in .python/.')
    .option('--torch <requirement>', 'the PyTorch to install for Stable-Baselines3 and Ax', word, TORCH)
    .option('--force', 'make it again if it exists already');

  await runProgram('setup:python', async () => {
    endDescendants();
    const { force = false, torch } = command.parse().opts<{ force?: boolean; torch: string }>();
    await setup(force, torch);
  });
}
