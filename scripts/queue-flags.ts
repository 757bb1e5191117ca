/** The flags of server and worker for evaluations on other machines. */
import type { Command } from 'commander';
import { withSecret } from '../agents/run/flags.ts';
import { codeHash } from '../env/workers/code-hash.ts';
import { version } from './version.ts';

/** Adds `--queue`: an address may have a password, so it may also come from LTS_QUEUE or a file. */
export function withQueue(command: Command): Command {
  const meaning = 'Redis through which workers on other machines take part, redis://host:port or rediss:// for TLS';
  return withSecret(command, 'queue', meaning, 'LTS_QUEUE');
}

/** The build as server and workers compare it: to the last change of a file that decides a reward. */
export async function exactBuild(): Promise<string> {
  return `${(await version()).build} code-${codeHash()}`;
}
