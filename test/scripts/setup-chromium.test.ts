import assert from 'node:assert/strict';
import { findInstaller } from '../../scripts/setup-chromium.ts';

describe('setup:chromium', () => {
  const machine =
    (...programs: string[]) =>
    async (wanted: readonly string[]) =>
      wanted.find((program) => programs.includes(program));

  it('installs as root or with sudo, and ends in a sentence without either, or without apt-get', async () => {
    assert.deepEqual(await findInstaller(machine('apt-get'), true), ['apt-get']);
    assert.deepEqual(await findInstaller(machine('apt-get', 'sudo'), false), ['sudo', 'apt-get']);
    await assert.rejects(findInstaller(machine('apt-get'), false), /^SetupError: expected root, or sudo, to install/);
    await assert.rejects(
      findInstaller(machine(), true),
      /^SetupError: expected apt-get \(Debian, Ubuntu\) to install chromium with, got none; install Chromium/,
    );
  });
});
