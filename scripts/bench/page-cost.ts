/** Measures what an open page costs a search: evaluations a minute with and without it, in turn, with the same work. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../agents/client/index.ts';
import { actionSize } from '../../protocol/parameters.ts';
import { summarise } from '../../protocol/statistics.ts';
import { ownPrograms, startServer } from '../programs.ts';
import { launchChromium } from './page.ts';

export interface PageCostBenchOptions {
  readonly env: string;
  readonly envOptions?: Record<string, unknown>;
  /** Evaluations of each measurement. */
  readonly evaluations: number;
  /** Pairs of measurements. */
  readonly rounds: number;
  readonly json?: boolean;
}

/** CPU seconds that the server's process has used, without its workers. */
async function serverSeconds(http: string): Promise<number> {
  const metrics = await (await fetch(`${http}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (.*)$/m.exec(metrics)![1]);
}

/** Prints the cost of each pair, and its mean with its 95 % interval. */
export async function benchPageCost(options: PageCostBenchOptions): Promise<void> {
  const { env, envOptions, evaluations, rounds, json } = options;
  const browser = await launchChromium();
  const system = await browser.newBrowserCDPSession();
  const folder = mkdtempSync(join(tmpdir(), 'lts-bench-'));
  const programs = ownPrograms();
  const server = await startServer(programs, ['--env', env, '--journal', join(folder, 'journal.sqlite')]);
  const http = server.url.replace('ws', 'http');
  const client = await connect(server.url);
  const browserSeconds = async () => {
    const { processInfo } = await system.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  try {
    const environment = await client.open({
      env_id: client.envs[0]!.env_id,
      ...(envOptions && { options: envOptions }),
    });
    const start = new Array<number>(actionSize(environment.spec.parameters)).fill(0);
    environment.note('run', { agent: 'bench', options: { seed: 1 } });
    let iteration = 0;
    /** Evaluates; each measurement makes the same. @returns seconds, and CPU seconds of the server and the browser */
    const measure = async (isOpen: boolean) => {
      const page = isOpen ? await browser.newPage({ viewport: { width: 1280, height: 900 } }) : undefined;
      if (page) {
        await page.goto(`${http}/#/live/${environment.sessionId}`);
        await page.waitForTimeout(5000);
      }
      const before = [await serverSeconds(http), await browserSeconds()] as const;
      const began = performance.now();
      await environment.evaluateBatch(Array.from({ length: evaluations }, (_, i) => ({ action: start, seed: 1 + i })));
      const seconds = (performance.now() - began) / 1000;
      const used = [(await serverSeconds(http)) - before[0], (await browserSeconds()) - before[1]] as const;
      environment.note(`iteration/${iteration++}`, { evaluations: evaluations * iteration, mean: start, spread: 0.3 });
      await page?.close();
      return { seconds, server: used[0], browser: used[1] };
    };
    await measure(true); // workers load what they need, and the page is bundled
    const costs: number[] = [];
    const shares: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      // The order changes, so that what drifts is in both.
      const isFirst = round % 2 === 1;
      const [first, second] = [await measure(isFirst), await measure(!isFirst)];
      const [open, shut] = isFirst ? [first, second] : [second, first];
      const cost = 100 * (1 - shut.seconds / open.seconds);
      costs.push(cost);
      const used = open.server / open.seconds - shut.server / shut.seconds + open.browser / open.seconds;
      shares.push((100 * used) / availableParallelism());
      const rate = (seconds: number) => ((60 * evaluations) / seconds).toFixed(2);
      console.log(
        `pair ${round} of ${rounds}: ${rate(shut.seconds)} evaluations a minute without, ${rate(open.seconds)} with a page: ${cost.toFixed(1)} % fewer; ` +
          `CPU seconds a minute: server ${((60 * shut.server) / shut.seconds).toFixed(2)} and ${((60 * open.server) / open.seconds).toFixed(2)}, browser ${((60 * open.browser) / open.seconds).toFixed(2)}`,
      );
    }
    const { mean, ci95 } = summarise(costs);
    const interval = ci95 ? ` (95 % interval ${ci95.map((end) => end.toFixed(1)).join(' to ')})` : '';
    console.log(`a page costs ${mean.toFixed(1)} % of the evaluations a minute${interval}`);
    // Where other programs run too, the clock says little, and this more.
    const share = summarise(shares).mean;
    console.log(`server and browser take ${share.toFixed(1)} % of the processors for it`);
    if (json) console.log(JSON.stringify({ percent: mean, ci95, processors: share }));
  } finally {
    await client.close();
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}
