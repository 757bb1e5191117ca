/** Measures the page of the server in Chromium: how soon it shows a long run, and what a new evaluation costs it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { connect, type RemoteEnvironment } from '../../agents/client/index.ts';
import { Random } from '../../protocol/random.ts';
import { ownPrograms, startServer } from '../programs.ts';
import { SetupError } from '../setup/steps.ts';
import { CHROMIUM } from '../setup-chromium.ts';
import { NUMBERS } from './page-environment.ts';
import { median } from './rounds.ts';

export interface PageBenchOptions {
  /** Of the run that is shown. */
  readonly evaluations: number;
  /** New ones in each view, a second apart. */
  readonly updates: number;
  readonly rounds: number;
  readonly json?: boolean;
}

const BATCH = 64;
/** Evaluations between two notes of the policy. */
const ITERATION = 100;
const WAIT_MS = 60_000;
const VIEWS = ['live', 'evaluations', 'understand', 'compare'] as const;

/** Milliseconds. */
interface UpdateCost {
  /** CPU time of the main thread for each evaluation: what other programs do meanwhile is not in it. */
  readonly busy: number;
  /** The longest task that held the main thread, by the clock: what a reader could feel. */
  readonly longest: number;
}

/** Milliseconds until all is shown, by the clock, and the CPU time of the main thread until then. */
interface FirstView {
  readonly shown: number;
  readonly busy: number;
}

/** Chromium without a window. @throws {SetupError} when it is not here */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new SetupError(`expected ${CHROMIUM}, got none: npm run setup:chromium -- --yes`);
  const { chromium } = await import('playwright-core'); // only this benchmark loads it
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** Actions of a search that comes nearer to the best. */
function actions(from: number, count: number, random: Random): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const centre = 0.4 * (1 - Math.exp(-(from + i) / 2000));
    return Array.from({ length: NUMBERS + 4 }, (_, k) =>
      Math.min(1, Math.max(-1, random.normal(k < NUMBERS ? centre : 0, 0.25))),
    );
  });
}

async function evaluateMany(environment: RemoteEnvironment, count: number, random: Random): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const some = actions(done, Math.min(BATCH, count - done), random);
    await environment.evaluateBatch(some.map((action, i) => ({ action, seed: done + i })));
    if (Math.floor(done / ITERATION) === Math.floor((done + BATCH) / ITERATION)) continue;
    const note = { evaluations: done + some.length, mean: some[0]!, spread: 0.25 };
    environment.note(`iteration/${Math.floor(done / ITERATION)}`, note);
  }
}

/** A page, and its main thread's clock. */
async function openPage(browser: Browser): Promise<{ page: Page; session: CDPSession }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return { page, session };
}

/** From the request of a page to its first picture with all evaluations. */
async function firstView(browser: Browser, address: string, count: number): Promise<FirstView> {
  const { page, session } = await openPage(browser);
  const text = count.toLocaleString('en');
  await page.addInitScript(`const look = () => {
    const isThere = document.querySelector('canvas') && document.querySelector('figcaption').textContent.startsWith('${text} ');
    if (isThere) window.shownAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);`);
  await page.goto(address);
  let shown: number | undefined;
  const end = performance.now() + WAIT_MS;
  while ((shown = await page.evaluate<number | undefined>('window.shownAt')) === undefined) {
    if (performance.now() > end) throw new Error(`page: expected ${text} evaluations within ${WAIT_MS / 1000} s`);
    await page.waitForTimeout(50);
  }
  const view = { shown, busy: 1000 * (await busySeconds(session)) };
  await page.close();
  return view;
}

async function busySeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')!.value;
}

async function updateCost(page: Page, session: CDPSession, updates: number, next: () => Promise<void>) {
  // What is drawn late, such as pictures that come into sight, belongs to the first view.
  await page.waitForTimeout(4000);
  await page.evaluate('window.longTasks.length = 0');
  const pause = () => page.waitForTimeout(1000);
  const before = await busySeconds(session);
  for (let i = 0; i < updates; i++) {
    await next();
    await pause();
  }
  await page.waitForTimeout(3000); // views that wait before they draw
  const busy = (1000 * ((await busySeconds(session)) - before)) / updates;
  const tasks = await page.evaluate<number[]>('window.longTasks');
  return { busy, longest: Math.max(0, ...tasks) };
}

export async function benchPage({ evaluations, updates, rounds, json }: PageBenchOptions): Promise<void> {
  const browser = await launchChromium();
  const folder = mkdtempSync(join(tmpdir(), 'lts-bench-'));
  const programs = ownPrograms();
  const source = join(import.meta.dirname, 'page-environment.ts');
  const server = await startServer(programs, ['--env', source, '--journal', join(folder, 'journal.sqlite')]);
  const client = await connect(server.url);
  try {
    const environment = await client.open({ env_id: 'Lengths-v0' });
    const random = new Random(1);
    environment.note('run', { agent: 'bench', options: { seed: 1 } });
    await evaluateMany(environment, evaluations, random);
    let count = evaluations;
    const next = async () => {
      const [action] = actions(count, 1, random);
      await environment.evaluate({ action: action!, seed: count++ });
    };
    const address = (view: string) => `${server.url.replace('ws', 'http')}/#/${view}/${environment.sessionId}`;
    const firsts: FirstView[] = [];
    for (let round = 1; round <= rounds; round++) {
      const view = await firstView(browser, address('live'), count);
      firsts.push(view);
      console.log(
        `first view ${round} of ${rounds}: ${view.shown.toFixed(0)} ms, main thread ${view.busy.toFixed(0)} ms`,
      );
    }
    const costs: Record<string, UpdateCost> = {};
    for (const view of VIEWS) {
      const { page, session } = await openPage(browser);
      await page.addInitScript(`window.longTasks = []; new PerformanceObserver((list) =>
        window.longTasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' })`);
      await page.goto(address(view));
      await page.locator('main .view').waitFor({ timeout: WAIT_MS });
      const cost = await updateCost(page, session, updates, next);
      costs[view] = cost;
      console.log(
        `an evaluation more, ${view}: main thread ${cost.busy.toFixed(0)} ms, longest task ${cost.longest.toFixed(0)} ms`,
      );
      await page.close();
    }
    const first = { shown: median(firsts.map(({ shown }) => shown)), busy: median(firsts.map(({ busy }) => busy)) };
    console.log(
      `medians of the first views of ${evaluations} evaluations: ${first.shown.toFixed(0)} ms, main thread ${first.busy.toFixed(0)} ms`,
    );
    if (json) console.log(JSON.stringify({ first, updates: costs }));
  } finally {
    await client.close();
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}
