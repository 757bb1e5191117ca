import assert from 'node:assert/strict';
import { findRecentPython } from '../../scripts/setup-python.ts';

describe('setup:python', () => {
  it('takes the first Python that is new enough, and ends in a sentence without one', async () => {
    const asked: string[] = [];
    const find = async (programs: readonly string[], ...args: string[]) => {
      asked.push(...args);
      return programs[1];
    };
    assert.equal(await findRecentPython(find), 'python');
    assert.match(asked.join(' '), /version_info < \(3, 10\)/);
    await assert.rejects(
      findRecentPython(async () => undefined),
      /^SetupError: expected Python 3\.10 or later, got none; on Debian: apt install python3 python3-venv$/,
    );
  });
});
