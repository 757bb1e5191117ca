/**
 * Tests that leave a timer, a socket or a process behind would keep mocha from ending, and a CI run with it. They fail
 * here instead, with the kinds of what was left.
 */
const PATIENCE_MS = 15_000;

export const mochaHooks = {
  afterAll() {
    setTimeout(() => {
      console.error(`the tests left behind: ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    }, PATIENCE_MS).unref();
  },
};
