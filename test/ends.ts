/**
 * Tests that leave a timer, a socket or a process behind would keep mocha from ending, and a CI run with it. They fail
 * here instead, with the kinds of what was left: the run as a whole, or each file where files run in parallel.
 */
const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** How many there are of each kind of what keeps the process alive. */
function counts(): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return kinds;
}

/** A turn of the loop, after which mocha's own timer of a hook counts: it starts when the hook has returned. */
const turn = (): Promise<void> => new Promise(setImmediate);

let before = new Map<string, number>();

/** How many more there are of each kind than before the first test. */
function left(): string[] {
  const more = [...counts()].map(([kind, count]) => ({ kind, count: count - (before.get(kind) ?? 0) }));
  return more.filter(({ count }) => count > 0).map(({ kind, count }) => `${count} ${kind}`);
}

export const mochaHooks = {
  async beforeAll() {
    await turn();
    before = counts();
  },
  async afterAll(this: Mocha.Context) {
    await turn();
    const until = performance.now() + PATIENCE_MS;
    while (left().length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    const kinds = left();
    if (kinds.length === 0) return;
    const files = new Set(this.test?.parent?.suites.map(({ file }) => file));
    throw new Error(`${[...files].join(', ')}: expected to leave nothing behind, got ${kinds.join(', ')}`);
  },
};
