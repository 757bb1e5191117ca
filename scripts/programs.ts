/** Programs of this project that another one starts as its children, and ends together with itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Programs {
  /** Whether Ctrl-C (or SIGTERM) has come: the children were told to end, and nothing more should be started. */
  readonly interrupted: boolean;
  /**
   * Starts one of our programs. Its standard output is ours, or read by the caller (`pipe`); its standard input is
   * empty, or ends with this program (`pipe`).
   */
  start(program: string, flags: readonly string[], stdout: 'inherit' | 'pipe', stdin?: 'ignore' | 'pipe'): ChildProcess;
}

export interface StartedServer {
  readonly url: string;
  /** What its evaluations train on, where the environment says. */
  readonly backend: string | undefined;
  stop(): Promise<void>;
}

/** From here on, the first signal ends the children that live; where none does, it ends this program. */
export function ownPrograms(): Programs {
  const children = new Set<ChildProcess>();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (children.size === 0) process.exit(130);
      interrupted = true;
      for (const child of children) child.kill('SIGTERM');
    });
  }
  return {
    get interrupted() {
      return interrupted;
    },
    start(program, flags, stdout, stdin = 'ignore') {
      const child = spawn(process.execPath, ['--import', 'tsx', program, ...flags], {
        cwd: join(import.meta.dirname, '..'),
        stdio: [stdin, stdout, 'inherit'],
      });
      children.add(child);
      child.once('close', () => children.delete(child));
      return child;
    },
  };
}

/**
 * Starts an environment server on a free port, and waits until it is ready.
 *
 * @param flags `--env` and whatever else decides what it serves
 * @throws {Error} when it ends before it is ready
 */
export async function startServer(programs: Programs, flags: readonly string[]): Promise<StartedServer> {
  // However this program ends, the server's standard input ends with it.
  const own = ['--port', '0', '--json', '--log', 'warn', '--stop-with-stdin'];
  const child = programs.start('scripts/serve.ts', [...own, ...flags], 'pipe', 'pipe');
  const end = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout! })) {
    const { url, environments } = JSON.parse(line) as { url: string; environments: { backend?: string }[] };
    const stop = async () => {
      child.kill('SIGTERM');
      await end;
    };
    return { url, backend: environments[0]?.backend, stop };
  }
  throw new Error('the server stopped before it was ready');
}
