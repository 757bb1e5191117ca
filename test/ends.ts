/**
 * Tests that leave a timer, a socket or a process behind would keep mocha from ending, and a CI run with it. They fail
 * here instead, with the kinds of what was left.
 */
const PATIENCE_MS = 15_000;

export const mochaHooks = {
  afterAll() {
    setTimeout(() => {
      console.error(`the tests left behind: ${process.getActiveResourcesInfo().join(', ')}`);
      // Mocha sets the exit code to the number of failed tests as the process ends: this comes after it.
      process.on('exit', () => (process.exitCode = 1));
      process.exit();
    }, PATIENCE_MS).unref();
  },
};
