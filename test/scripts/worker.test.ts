import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

const run = (path: string, ...flags: string[]) => {
  const words = ['--import', 'tsx', path, ...flags];
  const { status, stderr, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 50_000 });
  return { status, stderr, stdout };
};

describe('the flags of a queue @slow', () => {
  it('end worker and server in a sentence when they are wrong, and show no password', () => {
    const cases: [words: string[], sentence: RegExp][] = [
      [['scripts/worker.ts'], /^worker: --queue: expected the address of a Redis, got none/],
      [['scripts/worker.ts', '--queue', 'me:secret@h'], /^worker: --queue: expected redis:\/\/host:port.*got /m],
      [['scripts/worker.ts', '--queue', 'redis://h', '--data', 'a=/nowhere'], /^worker: \/nowhere: expected a folder/m],
      [
        ['scripts/worker.ts', '--queue', 'redis://h', '--data', 'a=.', '--data', 'a=..'],
        /a name of its own .* a twice/,
      ],
      [['scripts/serve.ts', '--env', 'Mixture-v0', '--mixed-backends'], /^serve: --mixed-backends: expected --queue/],
      [
        [
          'scripts/serve.ts',
          '--env',
          'Mixture-v0',
          '--port',
          '0',
          '--workers',
          '0',
          '--queue',
          'redis://:secret@127.0.0.1:1',
        ],
        /^--queue: expected a Redis at redis:\/\/…@127.0.0.1:1, got .*ECONNREFUSED/m,
      ],
    ];
    for (const [words, sentence] of cases) {
      const { status, stderr, stdout } = run(words[0]!, ...words.slice(1));
      assert.equal(status, 1, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, sentence);
      assert.ok(!`${stdout}${stderr}`.includes('secret'), words.join(' '));
    }
  }).timeout(180_000);
});
