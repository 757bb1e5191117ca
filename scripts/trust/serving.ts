/** A server of the bandit in its own process, which a trial may kill. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../..');
/** An environment without images or training: the reward is a known function of θ and the seeds. */
export const BANDIT = join(ROOT, 'test/environments/bandit.ts');

export interface Serving {
  readonly process: ChildProcess;
  readonly url: string;
  readonly port: number;
}

/** Running children; they are killed when this process exits. */
const children = new Set<ChildProcess>();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Starts one of our programs, perhaps with few file handles. */
export function program(
  path: string,
  flags: readonly string[],
  stdout: 'pipe' | 'ignore',
  handles?: number,
): ChildProcess {
  const words = [process.execPath, '--import', 'tsx', path, ...flags];
  const limited = handles === undefined ? words : ['sh', '-c', `ulimit -n ${handles}; exec "$@"`, 'sh', ...words];
  const child = spawn(limited[0]!, limited.slice(1), {
    cwd: ROOT,
    stdio: ['ignore', stdout, 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** @throws {Error} when the server ends before it is ready */
export function serveBandit(port: number, ...flags: string[]): Promise<Serving> {
  return serveWithHandles(undefined, port, ...flags);
}

export function serveWithHandles(handles: number | undefined, port: number, ...flags: string[]): Promise<Serving> {
  return serve(handles, '--env', BANDIT, '--port', String(port), ...flags);
}

/** A server of whatever the flags name. @throws {Error} when the server ends before it is ready */
export async function serve(handles: number | undefined, ...flags: string[]): Promise<Serving> {
  const child = program('scripts/serve.ts', ['--json', '--log', 'error', ...flags], 'pipe', handles);
  for await (const line of createInterface({ input: child.stdout! })) {
    const { url, port: actual } = JSON.parse(line) as { url: string; port: number };
    return { process: child, url, port: actual };
  }
  throw new Error(`serve: expected a server that is ready, got its end`);
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'exit');
  child.kill(signal);
  await closed;
}
