/** A long history that many read at once: the server's memory, and the longest delay of its event loop. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../agents/client/index.ts';
import type { Weight } from '../trust/weighed-server.ts';
import { evaluateAll } from './kills.ts';
import type { Found } from './round.ts';

const MB = 1024 ** 2;
/** Beyond these, the history is not sent page by page. */
const MOST_MB = 400;
const MOST_DELAY_MS = 1000;

export async function history(folder: string, rows: number, readers: number): Promise<Found> {
  const path = join(import.meta.dirname, '../trust/weighed-server.ts');
  const server = fork(path, [join(folder, 'history.sqlite')], { execArgv: ['--import', 'tsx', '--expose-gc'] });
  const [{ url }] = (await once(server, 'message')) as [{ url: string }];
  const weigh = async () => {
    server.send('weigh');
    return ((await once(server, 'message')) as [Weight])[0];
  };
  const client = await connect(url);
  await evaluateAll(await client.open({ env_id: 'Bandit-v0' }), rows, () => {});
  await client.close();
  const before = await weigh();
  const began = performance.now();
  const read = async () => {
    const { body } = await fetch(`${url.replace('ws', 'http')}/v1/history.jsonl?limit=100000`);
    let lines = 0;
    for await (const bytes of body!) for (const byte of bytes) if (byte === 10) lines++;
    return lines;
  };
  let most = before.resident;
  const status = `/proc/${server.pid}/status`;
  const look = () => {
    const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(existsSync(status) ? readFileSync(status, 'latin1') : '') ?? [];
    most = Math.max(most, Number(kib) * 1024);
  };
  const looking = setInterval(look, 100);
  const lines = await Promise.all(Array.from({ length: readers }, read));
  clearInterval(looking);
  const seconds = (performance.now() - began) / 1000;
  const { longestDelayMs } = await weigh();
  server.disconnect();
  await once(server, 'exit');
  const short = lines.filter((count) => count !== Math.min(rows, 100_000)).length;
  const grown = (most - before.resident) / MB;
  const figures = {
    rows,
    readers,
    'read in s': seconds.toFixed(1),
    'incomplete answers': short,
    'memory before in MB': (before.resident / MB).toFixed(0),
    'at most in MB': (most / MB).toFixed(0),
    'longest delay in ms': longestDelayMs.toFixed(0),
  };
  return { wrong: short + (grown > MOST_MB ? 1 : 0) + (longestDelayMs > MOST_DELAY_MS ? 1 : 0), figures };
}
