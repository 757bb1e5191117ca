import assert from 'node:assert/strict';
import { wrappersIn } from '../../../agents/run/process-family.ts';

describe('the wrappers that have started a program', () => {
  const TSX = 'node /home/me/project/node_modules/.bin/tsx scripts/serve.ts --env Mixture-v0';
  for (const [what, count, above] of [
    ['npm run, whose shell has become the program', 1, ['npm run serve --env Mixture-v0', 'bash']],
    ['npm run, with its shell', 2, ['sh -c node --import tsx scripts/serve.ts', 'npm run serve', '-bash']],
    ['npx tsx', 3, [TSX, "sh -c 'tsx' scripts/serve.ts", 'npm exec tsx scripts/serve.ts', 'bash']],
    ['tsx alone', 1, [TSX, 'bash', 'sshd']],
    ['tsx from anywhere', 1, ['/usr/bin/node /usr/lib/node_modules/tsx/dist/cli.mjs serve.ts', '/bin/bash', 'init']],
    ['pnpm', 2, ['sh -c node --import tsx x.ts', '/usr/bin/node /usr/bin/pnpm run serve', 'bash']],
    ['npm only, of two that are nested', 1, ['npm run serve', 'sh -c npm run serve & npm run agent', 'npm start']],
    ['none: a shell', 0, ['bash', 'sshd: me', 'sshd']],
    ['none: a shell with a line', 0, ['sh -c npm run build; node --import tsx scripts/serve.ts', 'make', 'bash']],
    ['none: a program that was told a name like theirs', 0, ['python3 run.py npm', '/usr/bin/timeout 9 npm', 'bash']],
    ['none: nothing is known', 0, []],
  ] as const) {
    it(`are counted: ${what}`, () => assert.equal(wrappersIn(above), count));
  }
});
