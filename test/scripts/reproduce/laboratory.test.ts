import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Specification } from '../../../protocol/messages.ts';
import { openEvaluationLog } from '../../../scripts/reproduce/laboratory.ts';

describe('a log of evaluations that belong to no search', () => {
  it('refuses what is the log of something else, and leaves it as it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'laboratory-'));
    const path = join(folder, 'log.jsonl');
    const spec = { env_id: 'Bandit-v0', spec_hash: 'abc', options: {} } as Specification;
    try {
      for (const [agent, specHash, message] of [
        ['cem', 'abc', /expected a log of fixed, got one of cem/],
        ['fixed', 'other', /expected Bandit-v0 with spec abc, got other/],
      ] as const) {
        const header = { type: 'run', runId: 'x', agent, options: {}, environment: { id: 'Bandit-v0', specHash } };
        writeFileSync(path, `${JSON.stringify(header)}\n`);
        const before = readFileSync(path);
        await assert.rejects(openEvaluationLog(path, 'fixed', spec), message);
        assert.deepEqual(readFileSync(path), before);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
