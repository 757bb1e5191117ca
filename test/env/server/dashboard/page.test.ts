/** The page in a real browser: Debian's Chromium, without a window. `npm run setup:chromium` installs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { connect, type Client } from '../../../../agents/client/client.ts';
import type { EnvironmentServer } from '../../../../env/server/server.ts';
import { CHROMIUM } from '../../../../scripts/setup-chromium.ts';
import { BANDIT, startBanditServer } from '../bandit-server.ts';

const HOSTILE = fileURLToPath(new URL('../../../environments/hostile.ts', import.meta.url));
const MISSING = `needs ${CHROMIUM}, which is not here: npm run setup:chromium -- --yes`;
/** A slow machine has other things to do. */
const PATIENCE_MS = 45_000;

const http = ({ url }: EnvironmentServer) => url.replace('ws', 'http');

describe('the page @slow', function () {
  this.timeout(180_000);
  let browser: Browser;
  let folder: string;
  before(async function () {
    if (!existsSync(CHROMIUM)) {
      console.log(`    the page: ${MISSING}`);
      return this.skip();
    }
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    folder = mkdtempSync(join(tmpdir(), 'page-'));
  });
  after(async () => {
    await browser?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  /** What a page has done that it should not have. */
  interface Watched {
    readonly page: Page;
    /** Errors, and what the page's policy has refused. */
    readonly complaints: string[];
    readonly addresses: string[];
  }

  async function open(address: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Watched> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    page.setDefaultTimeout(PATIENCE_MS);
    const [complaints, addresses]: [string[], string[]] = [[], []];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // A server that is down, a token that is wrong, and a θ without samples are said by the browser too.
      if (message.type() === 'error' && !/ERR_|status of 40[013]/.test(message.text())) complaints.push(message.text());
    });
    page.on('request', (request) => addresses.push(request.url()));
    await page.goto(address);
    return { page, complaints, addresses };
  }

  async function close({ page, complaints }: Watched): Promise<void> {
    assert.deepEqual(complaints, [], 'neither errors nor refusals of the policy');
    await page.close();
  }

  const tile = (page: Page, name: string) =>
    page.locator('.tiles > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('.value');

  /** Waits until a text satisfies a condition. */
  async function until(
    page: Page,
    read: () => Promise<string | null>,
    isMeant: (text: string) => boolean,
  ): Promise<string> {
    const end = performance.now() + PATIENCE_MS;
    let text = '';
    while (performance.now() < end) {
      text = (await read()) ?? '';
      if (isMeant(text)) return text;
      await page.waitForTimeout(100);
    }
    throw new Error(`expected another text, got ${text}`);
  }

  const evaluationsOf = (page: Page, isEnough: (count: number) => boolean) =>
    until(
      page,
      () => tile(page, 'Evaluations').textContent(),
      (text) => isEnough(Number(text.replaceAll(',', ''))),
    );

  it('[W6] [W7] [W8] shows a run while an agent makes it, from the first evaluation to the end', async () => {
    const server = await startBanditServer({ workers: 2 });
    const watched = await open(http(server));
    const { page } = watched;
    await page.getByText('Nothing has been evaluated yet').waitFor();
    const flags = ['--url', server.url, '--evaluations', '12', '--population', '6', '--seed', '3', '--finalists', '1'];
    // The page looks once a second: an evaluation that takes longer is seen while it trains, whenever it begins.
    const options = ['--env-options', '{"delayMs":3000,"noise":0.1}', '--log', join(folder, 'live.jsonl')];
    const agent = spawn(process.execPath, ['--import', 'tsx', 'agents/cem.ts', ...flags, ...options], {
      stdio: 'ignore',
    });
    const ended = once(agent, 'close');
    // The run comes by itself, with its name; nobody reloads.
    await until(
      page,
      () => page.locator('header select option').first().textContent(),
      (text) => text.startsWith('cem, seed 3'),
    );
    await page
      .locator('.underway li .phase', { hasText: /trains, \d+ %/ })
      .first()
      .waitFor();
    const few = Number(await evaluationsOf(page, (count) => count >= 2));
    await evaluationsOf(page, (count) => count > few + 2);
    await page.getByText('Line and band: mean and standard deviation of the policy').waitFor();
    await ended;
    // 12 evaluations of the search, two seeds of each of two finalists, three of the report for start and winner.
    await evaluationsOf(page, (count) => count >= 12 + 2 * 2 + 2 * 3);
    assert.match(
      (await page.locator('figcaption', { hasText: 'The best reward is' }).textContent())!,
      /^\d+ evaluations\./,
    );
    await until(
      page,
      () => tile(page, 'State').textContent(),
      (text) => text === 'ended',
    );
    await close(watched);
    assert.ok(watched.addresses.length > 5);
    assert.deepEqual(
      watched.addresses.filter((address) => !address.startsWith(http(server)) && !address.startsWith('data:')),
      [],
      'nothing is asked of any other server',
    );
    await server.stop();
  });

  describe('of a run that has been made', () => {
    let server: EnvironmentServer;
    let client: Client;
    let run: string;
    before(async () => {
      server = await startBanditServer({ environments: [BANDIT, 'Mixture-v0'] });
      client = await connect(server.url);
      for (const seed of [1, 2]) {
        const environment = await client.open({ env_id: 'Mixture-v0' });
        environment.note('run', { agent: 'tester', options: { seed } });
        run = environment.sessionId;
        const sine = (i: number, k: number) => 0.9 * Math.sin(i * (k + 1) + seed);
        const requests = Array.from({ length: 40 }, (_, i) => ({
          ...{ step_id: `it/search/${i}`, action: Array.from({ length: 16 }, (_, k) => sine(i, k)), seed: i },
        }));
        await environment.evaluateBatch(requests);
      }
    });
    after(async () => {
      await client?.close();
      await server?.stop();
    });

    it('[W8] has its evaluations as a table that is sorted, filtered, walked with the keyboard, and opened', async () => {
      const watched = await open(`${http(server)}/#/evaluations/${run}`);
      const { page } = watched;
      const table = page.locator('[role=grid]');
      await until(
        page,
        () => table.getAttribute('aria-rowcount'),
        (text) => text === '41',
      );
      const rewards = async () => {
        const cells = await table.locator('.body [role=row] > :nth-child(3)').allTextContents();
        return cells.map(Number);
      };
      await table.getByRole('button', { name: 'accuracy' }).click();
      const sorted = await rewards();
      assert.deepEqual(
        sorted,
        [...sorted].sort((a, b) => b - a),
      );
      assert.equal(await table.locator('[role=columnheader]').nth(2).getAttribute('aria-sort'), 'descending');
      await page.getByLabel('Find').fill('search/7');
      await until(
        page,
        () => table.getAttribute('aria-rowcount'),
        (text) => text === '2',
      );
      await page.getByLabel('Find').fill('');
      await table.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: /^Evaluation search\/\d+$/ }).waitFor();
      await page.getByText(/place 2 of 40/).waitFor();
      const command = (await page.locator('.command pre').textContent())!;
      assert.match(
        command,
        new RegExp(`^node --import tsx agents/history.ts replay ${run} it/search/\\d+ --url ${server.url}$`),
      );
      // The very samples of its training, and what its model predicts, when it is asked for.
      const picture = page.locator('img[alt="samples 1"]');
      await picture.waitFor();
      await page.getByRole('button', { name: /Train it again/ }).click();
      await page.locator('img[alt="prediction 1"]').waitFor();
      await close(watched);
    });

    it('[W9] lets one play with θ: scenes change, and an evaluation is a step like any other', async () => {
      const watched = await open(`${http(server)}/#/playground/${run}`);
      const { page } = watched;
      const picture = page.locator('img[alt="samples 1"]');
      await picture.waitFor();
      const before = await picture.getAttribute('src');
      const slider = page.getByRole('slider', { name: 'a0.mean.x', exact: true });
      await slider.focus();
      await page.keyboard.press('End');
      assert.equal(await slider.getAttribute('aria-valuetext'), '10');
      await until(
        page,
        () => picture.getAttribute('src'),
        (text) => text !== before,
      );
      await page
        .locator('output, [role=status]', { hasText: /^drawn in/ })
        .first()
        .waitFor();
      await page.getByLabel('Find').fill('b1.sd');
      assert.equal(await page.locator('.control:visible').count(), 2);
      await page.getByRole('button', { name: 'Evaluate', exact: true }).click();
      const result = page.locator('.results a', { hasText: /^accuracy 0\.\d+/ });
      await result.waitFor();
      await result.click();
      await page.getByRole('heading', { name: 'Evaluation 1' }).waitFor();
      const shown = await page.locator('.theta li', { hasText: 'a0.mean.x' }).locator('.number').textContent();
      assert.equal(shown, '10', 'what was evaluated is what was set');
      await close(watched);
    });

    it('says where there is nothing to play with', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0' });
      await environment.evaluate({ action: [0, 0, 0, 0, 0, 0] });
      const watched = await open(`${http(server)}/#/playground/${environment.sessionId}`);
      await watched.page.getByText(/Bandit-v0 does not say how its samples are shown/).waitFor();
      await close(watched);
    });

    it('explains a run, and compares several', async () => {
      const watched = await open(`${http(server)}/#/understand/${run}`);
      const { page } = watched;
      await page.getByText(/PED-ANOVA over 40 evaluations/).waitFor();
      await page.getByText(/cannot be told from the best one|stands out/).waitFor();
      // The same choice as by brushing, without a mouse.
      await page.getByLabel('from', { exact: true }).fill('0.6');
      await page.getByRole('button', { name: 'Choose', exact: true }).click();
      await page.getByText(/\d+ evaluations? within what is chosen, with a mean reward of 0\.[6-9]/).waitFor();
      await page.getByRole('link', { name: 'Compare' }).click();
      const row = page.locator('tbody tr', { hasText: 'tester' });
      await row.waitFor();
      await until(
        page,
        async () => (await row.locator('td').allTextContents()).slice(1, 4).join(', '),
        (text) => text === 'tester, 2, 40',
      );
      await page.getByLabel(/^tester, seed 2/).uncheck();
      await until(
        page,
        () => row.locator('td').nth(2).textContent(),
        (text) => text === '1',
      );
      await close(watched);
    });

    it('brushes axes of parallel coordinates with the mouse', async () => {
      const watched = await open(`${http(server)}/#/understand/${run}`);
      const { page } = watched;
      const chart = page.locator('figure[aria-label^="Parallel"] canvas');
      await chart.scrollIntoViewIfNeeded();
      await page.waitForTimeout(500);
      const { x, y, width, height } = (await chart.boundingBox())!;
      // The last axis is the reward: its upper half.
      await page.mouse.move(x + width - 64, y + 40);
      await page.mouse.down();
      await page.mouse.move(x + width - 64, y + height / 2, { steps: 8 });
      await page.mouse.up();
      await page.getByText(/evaluations? within what is chosen/).waitFor();
      await close(watched);
    });

    it('says who evaluates', async () => {
      const watched = await open(`${http(server)}/#/server`);
      const workers = watched.page.getByRole('region', { name: 'Table of workers' });
      await workers.getByRole('cell', { name: hostname() }).waitFor();
      assert.deepEqual(await workers.locator('tbody td').allTextContents(), [hostname(), 'ready', '0', '1', '', '']);
      await close(watched);
    });

    it('is as wide as a telephone, light and dark, in every view', async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const watched = await open(`${http(server)}/#/live/${run}`, {
          viewport: { width: 390, height: 800 },
          colorScheme,
        });
        const { page } = watched;
        for (const view of ['live', 'evaluations', 'understand', 'playground', 'compare', 'server', 'evaluation']) {
          const step = view === 'evaluation' ? `/${encodeURIComponent('it/search/3')}` : '';
          await page.goto(`${http(server)}/#/${view}/${run}${step}`);
          await page.locator('main .view').waitFor();
          await page.waitForTimeout(300);
          const wide = await page.evaluate('document.documentElement.scrollWidth');
          assert.ok(Number(wide) <= 390, `${view} is ${String(wide)} pixels wide`);
        }
        assert.equal(await page.evaluate('document.documentElement.dataset.theme'), colorScheme);
        await close(watched);
      }
    });

    it('is used by the keyboard alone, and every control has a name', async () => {
      const watched = await open(`${http(server)}/#/live/${run}`, { reducedMotion: 'reduce' });
      const { page } = watched;
      await tile(page, 'Evaluations').waitFor();
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'To the content');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate('document.activeElement.id'), 'main');
      await page.getByRole('link', { name: 'Playground' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Samples' }).waitFor();
      for (const view of ['live', 'evaluations', 'understand', 'playground', 'compare', 'server']) {
        await page.goto(`${http(server)}/#/${view}/${run}`);
        await page.locator('main .view').waitFor();
        await page.waitForTimeout(300);
        const unnamed = await page.evaluate(`[...document.querySelectorAll('button, input, select, a, img, [role=img]')]
          .filter((e) => e.checkVisibility() && !(e.labels?.length || e.getAttribute('aria-label') || e.alt || e.textContent.trim() || e.title))
          .map((e) => e.outerHTML.slice(0, 120))`);
        assert.deepEqual(unnamed, [], view);
        const motion = await page.evaluate(`[...document.querySelectorAll('*')]
          .filter((e) => getComputedStyle(e).transitionDuration !== '0s' || getComputedStyle(e).animationName !== 'none').length`);
        assert.equal(motion, 0, `nothing moves in ${view}`);
      }
      await close(watched);
    });
  });

  it('[H4] [W1] asks for a token, keeps it in the tab, and tells an observer what it may not do', async () => {
    const server = await startBanditServer({
      environments: ['Mixture-v0'],
      tokens: { agent: 'agent-token', observer: 'watch-token' },
    });
    const client = await connect(server.url, { token: 'agent-token' });
    const environment = await client.open({ env_id: 'Mixture-v0' });
    await environment.evaluate({ action: new Array<number>(16).fill(0), seed: 1 });
    const watched = await open(http(server));
    const { page, addresses } = watched;
    const field = page.getByLabel('Token');
    await field.fill('wrong');
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.getByText('This is not a token of the server.').waitFor();
    await page.getByLabel('Token').fill('agent-token');
    await page.keyboard.press('Enter');
    await page.getByText('This token may not watch').waitFor();
    await page.getByLabel('Token').fill('watch-token');
    await page.keyboard.press('Enter');
    await evaluationsOf(page, (count) => count === 1);
    await page.reload();
    await evaluationsOf(page, (count) => count === 1);
    await page.getByRole('link', { name: 'Playground' }).click();
    await page.locator('img[alt="samples 1"]').waitFor();
    assert.ok(
      await page.getByRole('button', { name: 'Evaluate', exact: true }).isDisabled(),
      'an observer evaluates nothing',
    );
    await page.getByText('To evaluate takes the token of an agent.').waitFor();
    assert.deepEqual(
      addresses.filter((address) => /token/.test(address)),
      [],
      'no token stands in an address',
    );
    const other = await open(http(server));
    await other.page.getByLabel('Token').waitFor();
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
    await close(other);
    await close(watched);
    await client.close();
    await server.stop();
  });

  it('[W7] goes on after a reload, and after another process has taken the server’s place', async () => {
    const journal = join(folder, 'restart.sqlite');
    let server = await startBanditServer({ journal });
    const { port } = server;
    const evaluate = async (count: number) => {
      const client = await connect(server.url);
      const environment = await client.open({ env_id: 'Bandit-v0' });
      for (let i = 0; i < count; i++) await environment.evaluate({ action: [0, 0, 0, 0, 0, 0], seed: i });
      await client.close();
      return environment.sessionId;
    };
    const run = await evaluate(3);
    const watched = await open(`${http(server)}/#/live/${run}`);
    const { page } = watched;
    await evaluationsOf(page, (count) => count === 3);
    await page.reload();
    await evaluationsOf(page, (count) => count === 3);
    await server.stop();
    await page.getByText('The connection to the server is lost').waitFor();
    assert.equal(await tile(page, 'Evaluations').textContent(), '3', 'what was there is there still');
    server = await startBanditServer({ journal, port });
    await until(
      page,
      () => page.locator('.light').getAttribute('data-state'),
      (state) => state === 'live',
    );
    const next = await evaluate(2);
    await page.locator(`header select option[value="${next}"]`).waitFor({ state: 'attached' });
    await page.locator('header select').selectOption(next);
    await evaluationsOf(page, (count) => count === 2);
    await close(watched);
    await server.stop();
  });

  it('opens a report from the disk, which asks for nothing', async () => {
    const out = join(folder, 'report.html');
    const log = 'results/mixture/logs/reinforce-1.jsonl.gz';
    const flags = [log, 'results/mixture/logs/cem-1.jsonl.gz', '--out', out, '--no-figures'];
    const program = spawn(process.execPath, ['--import', 'tsx', 'scripts/report.ts', ...flags], { stdio: 'ignore' });
    assert.equal((await once(program, 'close'))[0], 0);
    const watched = await open(pathToFileURL(out).href);
    const { page, addresses } = watched;
    await evaluationsOf(page, (all) => all > 1000); // the whole log
    assert.equal(await page.getByRole('link', { name: 'Playground' }).count(), 0, 'what needs a server is not offered');
    for (const name of ['Evaluations', 'Understand', 'Compare']) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.locator('main .view').waitFor();
    }
    await page.locator('tbody tr').nth(1).waitFor();
    await page.getByRole('link', { name: 'Evaluations', exact: true }).click();
    await page.locator('.body [role=row]').first().click();
    await page.getByRole('heading', { name: /^Evaluation / }).waitFor();
    assert.deepEqual(
      addresses.filter((address) => !/^(file|data):/.test(address)),
      [],
    );
    await close(watched);
  });

  it('takes texts from outside for texts', async () => {
    const server = await startBanditServer({ environments: [HOSTILE] });
    const client = await connect(server.url);
    const environment = await client.open({ env_id: client.envs[0]!.env_id });
    const html = '<script>window.wasRead=1</script>';
    environment.note('run', { agent: `agent ${html}`, options: { seed: 1, [html]: html } });
    const name = environment.spec.parameters[0]!.name;
    for (const [i, x] of [0.1, 0.5, 0.95].entries()) {
      await environment.evaluate({ step_id: `s${html}${i}`, params: { [name]: x }, seed: i });
    }
    const run = environment.sessionId;
    const watched = await open(`${http(server)}/#/live/${run}`);
    const { page } = watched;
    await page.getByText('Title <script>window.wasRead=1</script><img').waitFor();
    const views = ['live', 'evaluations', 'understand', 'playground', 'compare', 'server', 'evaluation'];
    for (const view of views) {
      const step = view === 'evaluation' ? `/${encodeURIComponent(`s${html}2`)}` : '';
      await page.goto(`${http(server)}/#/${view}/${run}${step}`);
      await page.locator('main .view').waitFor();
      await page.waitForTimeout(700);
    }
    await page.getByText('Reason <script>').first().waitFor();
    assert.equal(await page.evaluate('window.wasRead'), undefined);
    assert.equal(await page.locator('main script, main img[src="x"], header script').count(), 0);
    await close(watched);
    await client.close();
    await server.stop();
  });
});
