/** What all programs have in common: they end whole, and say what went wrong in a sentence. */
import { Command } from 'commander';
import { z } from 'zod';
import { printable } from '../../protocol/errors.ts';
import { endWithWrappers } from './process-family.ts';

/** The exit code of a program whose reader has gone, as if the signal SIGPIPE (13) had ended it. */
const BROKEN_PIPE = 128 + 13;

/** A command whose complaints about flags are one line. Its subcommands complain alike. */
export function newCommand(name: string): Command {
  return new Command(name).configureOutput({
    outputError: (text, write) => {
      const sentence = printable(text.replace(/^error: /, '').trim());
      write(`${name}: ${sentence} (--help lists the flags)\n`);
    },
  });
}

function sentenceOfIssue(issue: z.core.$ZodIssue): string {
  const got = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.input;
  const place = issue.path.join('.') || 'options';
  return `${place}: ${issue.message}${got === undefined ? '' : `, got ${typeof got === 'string' ? got : JSON.stringify(got)}`}`;
}

/** Parses the words of a program that consists of commands, and does what its command says. */
export async function runCommands(program: Command): Promise<void> {
  if (process.argv.length === 2) {
    program.error(`expected a command: ${program.commands.map((command) => command.name()).join(', ')}`);
  }
  await program.parseAsync();
}

/** What the operating system's calls and errors are called, where its own words are not plain. */
const VERBS: Readonly<Record<string, string>> = {
  scandir: 'list',
  stat: 'find',
  lstat: 'find',
  mkdir: 'make',
  unlink: 'remove',
};
const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a file where a folder should be',
  EISDIR: 'a folder where a file should be',
  EACCES: 'no right to do so',
  EPERM: 'no right to do so',
  ENOSPC: 'no space left on the disk',
  EROFS: 'a disk that cannot be written',
};

/** What a person needs to know of an error, without its stack. */
export function sentenceOf(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(sentenceOfIssue).join('; ');
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  if (error instanceof AggregateError) return error.errors.map(sentenceOf).join('; ');
  // Of the operating system: the file, where one is concerned.
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined && syscall !== undefined) {
    const reason = /^\w+: ([^,]*)/.exec(message)?.[1] ?? message;
    return `${path}: expected to ${VERBS[syscall] ?? syscall} it, got ${CAUSES[code] ?? `${code} (${reason})`}`;
  }
  if (message === 'fetch failed' && cause !== undefined) return sentenceOf(cause);
  return message || code || error.name;
}

/** Whether an error is a mistake in our code rather than in what was asked for. */
function isDefect(error: unknown): error is Error {
  const ours = error instanceof TypeError || error instanceof ReferenceError;
  return ours && !('code' in error) && error.cause === undefined;
}

/** Prints an error: one sentence, and a stack where the error is a defect, or LTS_STACK is set. */
function complain(name: string, error: unknown): void {
  console.error(`${name === '' ? '' : `${name}: `}${printable(sentenceOf(error))}`);
  if (error instanceof Error && (isDefect(error) || process.env['LTS_STACK']))
    console.error(error.stack?.split('\n').map(printable).join('\n'));
}

/**
 * Runs a program to its end.
 *
 * An error ends it with a sentence. It also ends, without a word, when nobody reads its output any more, and when the wrapper
 * that started it (npm, npx, tsx) has ended.
 *
 * @param name     stands before the sentence; none where it is empty
 * @param exitCode of a program that ends with an error
 */
export async function runProgram(
  name: string,
  main: () => void | Promise<void>,
  exitCode: () => number = () => 1,
): Promise<void> {
  const fail = (error: unknown): never => {
    complain(name, error);
    process.exit(exitCode());
  };
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (stream.listenerCount('error') > 1) return; // the program decides
      if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
      fail(error);
    });
  }
  process.on('uncaughtException', fail);
  const undone = () => fail(new Error('expected to end with all its work done, got nothing to wait for'));
  process.once('beforeExit', undone);
  endWithWrappers();
  try {
    await main();
  } catch (error) {
    fail(error);
  }
  process.off('beforeExit', undone);
}
