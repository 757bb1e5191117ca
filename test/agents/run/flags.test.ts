import assert from 'node:assert/strict';
import { Command } from 'commander';
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
