import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createContext, runInContext } from 'node:vm';
import { WebSocket } from 'ws';
import type { EnvironmentServer } from '../../env/server/server.ts';
import { startBanditServer } from '../env/server/bandit-server.ts';

const page = readFileSync(join(import.meta.dirname, '../../protocol/examples/browser.html'), 'utf8');
const ORIGIN = 'http://localhost:8000';

/** An element as the page uses it; it keeps what is drawn. */
class Element {
  value: string;
  textContent = '';
  width = 800;
  height = 240;
  readonly dots: number[][] = [];
  private readonly listeners = new Map<string, (event: object) => unknown>();

  constructor(value = '') {
    this.value = value;
  }

  addEventListener(type: string, listener: (event: object) => unknown): void {
    this.listeners.set(type, listener);
  }

  fire(type: string): unknown {
    return this.listeners.get(type)!({ preventDefault() {} });
  }

  getContext() {
    return {
      clearRect: () => this.dots.splice(0),
      fillRect: (...dot: number[]) => this.dots.push(dot),
    };
  }
}

/** Opens the page as a browser would, at an origin: its elements by their ids. */
function open(origin: string): (id: string) => Element {
  const elements = new Map<string, Element>();
  for (const [tag, id] of page.matchAll(/<\w+[^>]* id="(\w+)"[^>]*>/g)) {
    elements.set(id!, new Element(/ value='?"?([^"']*)/.exec(tag)?.[1]));
  }
  class PageSocket extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { origin });
      this.on('error', () => {}); // a browser tells a page no more than that it is closed
    }
  }
  const getElementById = (id: string) => elements.get(id);
  const context = createContext({
    document: { getElementById },
    WebSocket: PageSocket,
    location: { origin },
    AbortController,
  });
  runInContext(/<script>([^]*)<\/script>/.exec(page)![1]!, context);
  return (id) => elements.get(id)!;
}

describe('the page of the web', () => {
  let server: EnvironmentServer;
  before(
    async () => (server = await startBanditServer({ origins: [ORIGIN], tokens: { agent: 'secret' }, workers: 2 })),
  );
  after(() => server.stop());

  const search = async (origin: string, fields: Readonly<Record<string, string>>) => {
    const element = open(origin);
    const given = { url: server.url, token: 'secret', evaluations: '60', ...fields };
    for (const [id, value] of Object.entries(given)) element(id).value = value;
    await element('form').fire('submit');
    return element;
  };

  it('[H5] searches from an origin that the server was told, and shows rewards and θ', async () => {
    const element = await search(ORIGIN, {});
    const { textContent: status } = element('status');
    const [, best] = /^60 of 60: best gain (0\.\d{4}); done$/.exec(status) ?? [];
    // The centre gains .87.
    assert.ok(Number(best) > 0.95, status);
    assert.deepEqual(Object.keys(JSON.parse(element('theta').textContent) as object), ['x', 'y', 'weather']);
    assert.equal(element('chart').dots.length, 60);
    assert.equal((await search(ORIGIN, {}))('status').textContent, status, 'the same seed gives the same search');
    assert.notEqual((await search(ORIGIN, { seed: '2' }))('status').textContent, status);
  });

  it('shows why evaluations have no reward', async () => {
    const element = await search(ORIGIN, { options: '{"fault":"diverge"}', evaluations: '5' });
    assert.match(
      element('status').textContent,
      /^5 of 5: no reward yet; the last one without a reward: diverged \(.*NaN.*\); done$/,
    );
    assert.equal(element('chart').dots.length, 0);
  });

  it('says in a sentence what is wrong', async () => {
    const told = async (origin: string, fields: object) => (await search(origin, { ...fields }))('status').textContent;
    const sentence = (origin: string) =>
      `no connection: the server does not run, or was not started with --origin ${origin}`;
    assert.equal(await told('null', {}), sentence('null'));
    assert.equal(await told(ORIGIN, { url: 'ws://127.0.0.1:9' }), sentence(ORIGIN));
    assert.match(await told(ORIGIN, { token: 'wrong' }), /^UNAUTHENTICATED: /);
    assert.match(await told(ORIGIN, { env: 'Other-v0' }), /^ENV_NOT_FOUND: /);
    assert.match(await told(ORIGIN, { options: '{"noise":-1}' }), /^BAD_OPTIONS: .*noise/);
    assert.match(await told(ORIGIN, { options: '{' }), /JSON/);
  });

  it('[S5] cancels what runs when it is stopped', async () => {
    const element = open(ORIGIN);
    const given = { url: server.url, token: 'secret', options: '{"delayMs":60000}' };
    for (const [id, value] of Object.entries(given)) element(id).value = value;
    const ended = element('form').fire('submit');
    const running = async () => {
      const page = await fetch(`${server.url.replace('ws', 'http')}/readyz`);
      return ((await page.json()) as { running: number }).running;
    };
    while ((await running()) < 2) await pause(20);
    element('stop').fire('click');
    await ended;
    assert.equal(element('status').textContent, '0 of 100; stopped');
    while ((await running()) > 0) await pause(20);
  });
});
