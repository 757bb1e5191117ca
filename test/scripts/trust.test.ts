import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a script prints; it throws where the script finds something wrong. */
async function run(script: string, ...flags: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...flags]);
  return stdout;
}

describe('the trials of trust, in short @slow', () => {
  it('[E1] [T4] fuzz: wrong messages, bytes and frames harm nothing and nobody', async () => {
    const output = await run('scripts/fuzz.ts', '--cases', '2000');
    assert.match(output, /2000 cases in/);
    assert.match(output, /evaluations, 0 with a wrong reward/);
  });

  it('[S11] [P15] kill-rounds: agent, worker and server are killed, and nothing is lost, doubled or mixed up', async () => {
    const output = await run('scripts/kill-rounds.ts', '--rounds', '4');
    assert.match(output, /nothing lost, nothing doubled, nothing mixed up/);
  });
});
