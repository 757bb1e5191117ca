/** Prints how many steps a second our server does: `protocol-ours.ts <sequential|batch> <workers> <seconds>`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, type RemoteEnvironment } from '../../agents/client.ts';

const BATCH = 64;
const WARM_UP = 3000;

const [mode, workers, seconds] = process.argv.slice(2) as [string, string, string];

async function measure(environment: RemoteEnvironment): Promise<number> {
  const some = mode === 'batch' ? () => environment.evaluateBatch(requests) : () => environment.evaluate(requests[0]!);
  const each = mode === 'batch' ? BATCH : 1;
  const requests = Array.from({ length: BATCH }, () => ({ action: [0] }));
  for (let count = 0; count < WARM_UP; count += each) await some();
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < Number(seconds) * 1000; count += each) await some();
  return count / ((performance.now() - begin) / 1000);
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
];
const server = spawn(process.execPath, ['--import', 'tsx', 'scripts/serve.ts', ...flags, '--log', 'error'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
const client = await connect((JSON.parse(line) as { url: string }).url);
console.log(await measure(await client.open({ env_id: 'Noop-v0' })));
await client.close();
const end = once(server, 'exit');
server.kill('SIGTERM');
await end;
rmSync(folder, { recursive: true });
