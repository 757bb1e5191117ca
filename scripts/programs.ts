/** Starts programs of this project as child processes that end together with the parent. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Programs {
  /** Whether Ctrl-C (or SIGTERM) has come: the children were told to end, and the caller should start no more. */
  readonly interrupted: boolean;
  /** Aborts then. */
  readonly signal: AbortSignal;
  /**
   * Starts one of our programs.
   *
   * @param stdout `inherit`: it writes to our standard output; `pipe`: the caller reads its output
   * @param stdin  `ignore`: its standard input is empty; `pipe`: its standard input ends when this program ends
   */
  start(program: string, flags: readonly string[], stdout: 'inherit' | 'pipe', stdin?: 'ignore' | 'pipe'): ChildProcess;
  /**
   * Starts a program of another language; the caller reads its output, and what it says of errors.
   *
   * @param env variables beside those of this program
   */
  startOther(
    command: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  ): ChildProcess;
}

export interface StartedServer {
  readonly url: string;
  /** The backend of its evaluations, if the environment reports one. */
  readonly backend: string | undefined;
  stop(): Promise<void>;
}

/** From this call on, SIGINT and SIGTERM end the running children, or this program if there are none. */
export function ownPrograms(): Programs {
  const children = new Set<ChildProcess>();
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (children.size === 0) process.exit(130);
      for (const child of children) child.kill('SIGTERM');
      interruption.abort();
    });
  }
  const own = (child: ChildProcess): ChildProcess => {
    children.add(child);
    child.once('close', () => children.delete(child));
    return child;
  };
  return {
    get interrupted() {
      return interruption.signal.aborted;
    },
    signal: interruption.signal,
    start: (program, flags, stdout, stdin = 'ignore') =>
      own(
        spawn(process.execPath, ['--import', 'tsx', program, ...flags], {
          cwd: join(import.meta.dirname, '..'),
          stdio: [stdin, stdout, 'inherit'],
        }),
      ),
    startOther: (command, args, { cwd, env }) =>
      own(spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })),
  };
}

/**
 * Starts an environment server on a free port, and waits until it is ready.
 *
 * @param flags `--env` and other flags of `npm run serve`
 * @throws {Error} when it ends before it is ready
 */
export async function startServer(programs: Programs, flags: readonly string[]): Promise<StartedServer> {
  // The server's standard input ends with this program, even if this program is killed.
  const own = ['--port', '0', '--json', '--log', 'warn', '--log-format', 'text', '--stop-with-stdin'];
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
