import assert from 'node:assert/strict';
import { findRoot } from '../../scripts/setup-redis.ts';

describe('setup:redis', () => {
  const having =
    (...there: string[]) =>
    async (programs: readonly string[]) =>
      programs.find((name) => there.includes(name));

  it('installs as root or through sudo, and ends in a sentence without apt-get or either', async () => {
    assert.equal((await findRoot(having('apt-get'), true))[0], 'env');
    assert.equal((await findRoot(having('apt-get', 'sudo'), false))[0], 'sudo');
    await assert.rejects(
      findRoot(having('apt-get'), false),
      /^SetupError: expected root, or sudo .*apt-get install redis/,
    );
    await assert.rejects(findRoot(having(), true), /^SetupError: expected apt-get, got none/);
  });
});
