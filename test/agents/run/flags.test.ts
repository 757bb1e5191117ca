import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { secretOf, withoutSecrets, withSecret } from '../../../agents/run/flags.ts';
import { withRunFlags } from '../../../agents/run/run-options.ts';

describe('the flags of a run', () => {
  /** What the command says to these words; undefined if it takes them. */
  function refusalOf(...words: string[]): string | undefined {
    const command = withRunFlags(new Command('agent'))
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    try {
      command.parse(words, { from: 'user' });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  it('take no empty word, as an unset variable of the shell leaves it', () => {
    const named = withRunFlags(new Command('agent')).options.filter(({ required }) => required);
    assert.ok(named.length >= 15);
    for (const { long } of named) {
      for (const empty of ['', ' ']) {
        assert.match(refusalOf(long!, empty) ?? '', new RegExp(`${long} .*Expected`), `${long} "${empty}"`);
      }
    }
  });

  it('take a secret from a file, which no list of processes shows', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-secret-'));
    const file = join(folder, 'token');
    const options = (...flags: string[]) =>
      withSecret(
        new Command('agent').exitOverride().configureOutput({ writeErr: () => {} }),
        'the-token',
        '',
        'LTS_NONE',
      )
        .parse(flags, { from: 'user' })
        .opts<Record<string, string>>();
    writeFileSync(file, 'secret\n');
    assert.equal(secretOf(options('--the-token-file', file), 'the-token'), 'secret');
    assert.equal(secretOf(options('--the-token', 'open'), 'the-token'), 'open');
    assert.equal(secretOf(options(), 'the-token'), undefined);
    assert.equal(withoutSecrets(options('--the-token', 'open')), '{"theToken":"…"}');
    assert.throws(() => options('--the-token-file', file, '--the-token', 'open'), /cannot be used with/);
    writeFileSync(file, '\n');
    const sentence = /--the-token-file: expected a secret in .*: Expected a secret, got nothing/;
    assert.throws(() => secretOf(options('--the-token-file', file), 'the-token'), sentence);
    assert.throws(() => secretOf({ theTokenFile: join(folder, 'none') }, 'the-token'), /--the-token-file.*ENOENT/);
    const endless = { theTokenFile: '/dev/zero' };
    if (existsSync(endless.theTokenFile))
      assert.throws(() => secretOf(endless, 'the-token'), /expected a file, got no re/);
    rmSync(folder, { recursive: true });
  });

  it('take no empty variable either', () => {
    const { LTS_TOKEN: before } = process.env;
    try {
      process.env['LTS_TOKEN'] = '';
      assert.match(refusalOf() ?? '', /from env 'LTS_TOKEN' is invalid. Expected a word, got nothing/);
    } finally {
      if (before === undefined) delete process.env['LTS_TOKEN'];
      else process.env['LTS_TOKEN'] = before;
    }
  });
});
