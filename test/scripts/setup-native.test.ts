import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { checkGpu, checkMachine } from '../../scripts/setup-native.ts';
import { SetupError } from '../../scripts/setup/steps.ts';

const script = join(import.meta.dirname, '../../scripts/setup-native.ts');

function start(...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((settle) =>
    execFile(process.execPath, ['--import', 'tsx', script, ...args], (error, stdout, stderr) =>
      settle({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
    ),
  );
}

/** A machine that has all but some programs. */
function machine(missing: readonly string[] = []) {
  return {
    platform: 'linux',
    arch: 'x64',
    find: async (programs: readonly string[], ...args: string[]) =>
      programs.find((program) => !missing.includes(program) && !args.some((arg) => missing.includes(arg))),
    freeBytes: 10e9,
    neededBytes: 2e9,
  };
}

describe('setup:native', () => {
  it('accepts a machine that has everything, and takes the Python that works', async () => {
    assert.equal(await checkMachine(machine()), 'python3');
    assert.equal(await checkMachine(machine(['python3'])), 'python');
  });

  for (const [missing, message] of [
    [['python3', 'python'], /^expected Python 3 .* got none; on Debian: apt install python3$/],
    [['pip'], /^expected pip .* got none; on Debian: apt install python3-pip$/],
    [['make'], /^expected make .* apt install build-essential$/],
    [['c\u002b\u002b', 'g\u002b\u002b', 'clang\u002b\u002b'], /^expected c\+\+ .* apt install build-essential$/],
  ] as const) {
    it(`stops with a sentence if ${missing[0]} is missing`, async () => {
      await assert.rejects(checkMachine(machine(missing)), (error: Error) => {
        assert.ok(error instanceof SetupError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('stops with a sentence on another platform, and says what works there', async () => {
    await assert.rejects(
      checkMachine({ ...machine(), platform: 'darwin', arch: 'arm64' }),
      /^SetupError: expected Linux on x64, got darwin on arm64; there, try: npm install --no-save/,
    );
  });

  it('stops with a sentence if the disk is full', async () => {
    await assert.rejects(
      checkMachine({ ...machine(), freeBytes: 0.5e9 }),
      /^SetupError: expected 2\.0 GB of free disk space, got 0\.5$/,
    );
  });

  it('takes a GPU whose driver runs CUDA 12', async () => {
    const told = async () => 'NVIDIA A10, 525.60.13\nNVIDIA A10, 525.60.13\n';
    assert.equal(await checkGpu(told), 'NVIDIA A10, driver 525.60');
  });

  for (const [what, output, message] of [
    ['no driver', undefined, /^expected a GPU of NVIDIA and its driver, got no program nvidia-smi; without --gpu, /],
    ['no GPU', 'No devices were found\n', /^expected a GPU that nvidia-smi sees, got: No devices were found; without/],
    ['a silent driver', '', /^expected a GPU that nvidia-smi sees, got: nothing; without --gpu, /],
    [
      'an old driver',
      'Tesla T4, 470.82.01\n',
      /^expected NVIDIA's driver 525\.60 or later, .* got 470\.82 of Tesla T4; /,
    ],
    [
      'one just too old',
      'Tesla T4, 525.59\n',
      /^expected NVIDIA's driver 525\.60 or later, .* got 525\.59 of Tesla T4; /,
    ],
  ] as const) {
    it(`stops with a sentence before it downloads anything where there is ${what}`, async () => {
      await assert.rejects(
        checkGpu(async () => output),
        (error: Error) => {
          assert.ok(error instanceof SetupError, 'expected a sentence');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('explains itself with --help and refuses what it does not know @slow', async () => {
    const [help, unknown] = await Promise.all([start('--help'), start('--gpuu')]);
    assert.equal(help.code, 0);
    assert.match(help.text, /--gpu[\s\S]*--untried[\s\S]*--force/);
    assert.equal(unknown.code, 1);
    assert.match(unknown.text, /unknown option '--gpuu'/);
  });
});
