/** The X display that headless-gl draws through on Linux. */
import { spawnSync } from 'node:child_process';

/** Ends by itself when the last program that draws through it has ended: nobody has to stop it, and nobody may early. */
const XVFB = 'exec Xvfb -displayfd 3 -terminate -screen 0 64x64x24 -nolisten tcp';

/** The longest time that Xvfb may take to start, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Makes sure that this process, and those that it starts, have an X display: the one that DISPLAY names, or Xvfb.
 *
 * @returns ends the Xvfb that was started, for when nothing has drawn through it: it would wait for ever
 * @throws {Error} in a sentence, when there is no display and Xvfb does not start
 */
export function openDisplay(): () => void {
  if (process.platform !== 'linux' || process.env['DISPLAY']) return () => {};
  // Xvfb is no child of this program, which would end it while it still draws. It tells its process and its display.
  const command = `( setsid sh -c 'echo $$ >&3; ${XVFB}' 3>&1 >/dev/null 2>&1 </dev/null & ) | head -n 2`;
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: PATIENCE_MS });
  const [, pid, number] = /^(\d+)\n(\d+)\n$/.exec(stdout ?? '') ?? [];
  if (number === undefined) {
    throw new Error(
      'webgl renderer: expected an X display in DISPLAY or a program Xvfb, got neither; npm run setup:webgl says how to install it',
    );
  }
  process.env['DISPLAY'] = `:${number}`;
  return () => {
    delete process.env['DISPLAY'];
    process.kill(Number(pid));
  };
}
