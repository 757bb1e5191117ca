/**
 * Prints our server's steps per second, and the CPU microseconds per step of the server's process and of the client's:
 * `protocol-ours.ts <sequential|batch> <workers> <seconds>`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, type RemoteEnvironment } from '../../agents/client/index.ts';

const BATCH = 64;
const WARM_UP = 3000;

const [mode, workers, seconds] = process.argv.slice(2) as [string, string, string];

/** CPU seconds that this process, the client, has used. */
function clientCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU seconds that the server's process has used, without its workers. */
async function serverCpu(url: string): Promise<number> {
  const metrics = await (await fetch(`${url.replace('ws', 'http')}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (.*)$/m.exec(metrics)![1]);
}

async function measure(environment: RemoteEnvironment, url: string): Promise<number[]> {
  const some = mode === 'batch' ? () => environment.evaluateBatch(requests) : () => environment.evaluate(requests[0]!);
  const each = mode === 'batch' ? BATCH : 1;
  const requests = Array.from({ length: BATCH }, () => ({ action: [0] }));
  for (let count = 0; count < WARM_UP; count += each) await some();
  const before = { server: await serverCpu(url), client: clientCpu() };
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < Number(seconds) * 1000; count += each) await some();
  const rate = count / ((performance.now() - begin) / 1000);
  const client = clientCpu() - before.client;
  const server = (await serverCpu(url)) - before.server;
  return [rate, (server / count) * 1e6, (client / count) * 1e6];
}

const folder = mkdtempSync(join(tmpdir(), 'lts-bench-'));
const root = join(import.meta.dirname, '../..');
const noop = join(import.meta.dirname, 'noop-environment.ts');
const flags = [
  '--env',
  noop,
  '--port',
  '0',
  '--workers',
  workers,
  '--journal',
  join(folder, 'journal.sqlite'),
  '--json',
  '--stop-with-stdin', // also when this program is killed
];
const server = spawn(process.execPath, ['--import', 'tsx', 'scripts/serve.ts', ...flags, '--log', 'error'], {
  cwd: root,
  stdio: ['pipe', 'pipe', 'inherit'],
});
const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
const { url } = JSON.parse(line) as { url: string };
const client = await connect(url);
console.log((await measure(await client.open({ env_id: 'Noop-v0' }), url)).join(' '));
await client.close();
const end = once(server, 'exit');
server.kill('SIGTERM');
await end;
rmSync(folder, { recursive: true });
