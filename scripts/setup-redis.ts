/**
 * Installs Debian's Redis for the tests of the queue: `npm run setup:redis`.
 *
 * The tests start a Redis of their own on a free port, so the service that comes with the package is stopped.
 */
import { isProgram } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { firstWorking, must, projectRoot, SetupError, step, type Find } from './setup/steps.ts';

/**
 * The words before a command of root: `env` for root itself, `sudo` where it asks for no password.
 *
 * @throws {SetupError} in a sentence, naming what is missing
 */
export async function findRoot(find: Find, isRoot: boolean): Promise<readonly [string, ...string[]]> {
  if (!(await find(['apt-get'], '--version'))) {
    throw new SetupError(
      'expected apt-get, got none; elsewhere, install Redis 6.2 or later so that redis-server is found',
    );
  }
  if (isRoot) return ['env', 'DEBIAN_FRONTEND=noninteractive'];
  if (await find(['sudo'], '-n', 'true')) return ['sudo', 'DEBIAN_FRONTEND=noninteractive'];
  throw new SetupError(
    'expected root, or sudo without a password, got neither; by hand: sudo apt-get install redis-server',
  );
}

async function setup(): Promise<void> {
  if (await firstWorking(['redis-server'], '--version')) {
    return void process.stdout.write('redis-server is there already.\n');
  }
  const [first, ...rest] = await step('1/2 Looking for apt-get', () =>
    findRoot(firstWorking, process.getuid?.() === 0),
  );
  const asRoot = (what: string, ...words: string[]) => must(what, first, [...rest, ...words], projectRoot);
  await step('2/2 Installing redis-server', async () => {
    await asRoot('apt-get update', 'apt-get', 'update', '--quiet');
    await asRoot('installing redis-server', 'apt-get', 'install', '--yes', '--no-install-recommends', 'redis-server');
    await firstWorking([first], ...rest, 'service', 'redis-server', 'stop'); // where there are services
  });
  process.stdout.write('redis-server is ready.\n');
}

if (isProgram(import.meta.url)) {
  const command = newCommand('setup:redis').description('Installs Redis from Debian, for the tests of the queue.');
  await runProgram('setup:redis', async () => {
    endDescendants();
    command.parse();
    await setup();
  });
}
