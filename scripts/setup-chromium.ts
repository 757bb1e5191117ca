/**
 * Installs the browser in which the tests of the page run: `npm run setup:chromium -- --yes`.
 *
 * It is Debian's own Chromium, from its package archive, for all users of the machine. So it is only installed when it is
 * asked for twice; without it, the tests of the page are skipped.
 */
import { existsSync } from 'node:fs';
import { isProgram } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { firstWorking, must, projectRoot, SetupError, step, type Find } from './setup/steps.ts';

/** The package, and where its program lies. */
const PACKAGE = 'chromium';
export const CHROMIUM = '/usr/bin/chromium';

/**
 * How to call the installer, as this user.
 *
 * @throws {SetupError} in a sentence, naming what is missing
 */
export async function findInstaller(find: Find, isRoot: boolean): Promise<readonly string[]> {
  if (!(await find(['apt-get'], '--version'))) {
    throw new SetupError(
      `expected apt-get (Debian, Ubuntu) to install ${PACKAGE} with, got none; install Chromium as your system does, ` +
        `with its program at ${CHROMIUM}`,
    );
  }
  if (isRoot) return ['apt-get'];
  if (await find(['sudo'], '--version')) return ['sudo', 'apt-get'];
  throw new SetupError(`expected root, or sudo, to install ${PACKAGE} with, got neither`);
}

async function setup(isMeant: boolean): Promise<void> {
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  if (existsSync(CHROMIUM)) return say(`${CHROMIUM} is there already`);
  const [program, ...words] = await findInstaller(firstWorking, process.getuid?.() === 0);
  if (!isMeant) {
    throw new SetupError(
      `this installs Debian's package ${PACKAGE} with what it needs (about 400 MB), for all users of this machine; ` +
        'if that is meant: npm run setup:chromium -- --yes',
    );
  }
  const apt = (...more: string[]) =>
    must(`${program} ${more[0]}`, program!, [...words, ...more], projectRoot, true).then(() => undefined);
  await step('1/2 Reading the list of packages', () => apt('update'));
  await step(`2/2 Installing ${PACKAGE}`, () => apt('install', '--yes', '--no-install-recommends', PACKAGE));
  if (!existsSync(CHROMIUM)) throw new SetupError(`expected ${CHROMIUM} after the installation, got none`);
  say(`${CHROMIUM} is ready; the tests of the page run with it.`);
}

if (isProgram(import.meta.url)) {
  const command = newCommand('setup:chromium')
    .description('Installs the Chromium in which the tests of the page run, with the package manager of Debian.')
    .option('--yes', 'install it for all users of this machine');

  await runProgram('setup:chromium', async () => {
    endDescendants();
    const { yes = false } = command.parse().opts<{ yes?: boolean }>();
    await setup(yes);
  });
}
