/**
 * Checks what a client must do, seen from the other end of the connection.
 *
 * The client under test connects, opens `Conformance-v0`, evaluates ACTIONS all at once (each as an episode of its
 * own), and returns their rewards in the order of the actions. A program prints them as its last line, in JSON.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Codec } from '../messages.ts';
import type { Verdict } from './check-server.ts';
import { ACTIONS, CONTINUOUS, OTHER_KINDS, rewardOf, ScriptedServer, type ClientRecord } from './scripted-server.ts';

/** Runs the client under test against a URL; returns the rewards in the order of ACTIONS. */
export type RunClient = (url: string) => Promise<unknown>;

interface ClientCheck {
  readonly rules: readonly string[];
  readonly title: string;
  readonly judge: (record: ClientRecord, rewards: unknown) => void;
}

const checks: readonly ClientCheck[] = [
  {
    rules: ['H1'],
    title: 'says hello first, on every connection',
    judge: ({ connections }) =>
      assert.deepEqual(
        connections.map(({ first }) => first),
        ['hello', 'hello', 'hello'],
      ),
  },
  {
    rules: ['T2', 'P1', 'P2'],
    title: 'sends nothing that breaks a schema',
    judge: ({ malformed }) => assert.deepEqual(malformed, []),
  },
  {
    rules: ['P5'],
    title: 'gives each action its own reward, though results come out of order, late and twice',
    judge: (_record, rewards) => assert.deepEqual(rewards, ACTIONS.map(rewardOf)),
  },
  {
    rules: ['H7', 'H8'],
    title: 'ignores fields and messages that it does not know',
    judge: ({ connections, steps }) => assert.ok(connections.length >= 1 && steps.length > 0, 'it went on after them'),
  },
  {
    rules: ['S6'],
    title: 'resumes after a lost line before it sends steps, with the highest seq that it has',
    judge: ({ connections }) => {
      assert.deepEqual(
        connections.map(({ lastSeq }) => lastSeq),
        [undefined, 4, 7],
      );
      assert.ok(connections.slice(1).every(({ resumedBeforeSteps }) => resumedBeforeSteps));
    },
  },
  {
    rules: ['S7'],
    title: 'resumes with the newest token',
    judge: ({ connections }) =>
      assert.deepEqual(
        connections.map(({ token }) => token),
        [undefined, 'token-1', 'token-2'],
      ),
  },
  {
    rules: ['P11', 'S6'],
    title: 'sends again what has no result, under the same step_id with the same content, and makes up no new step',
    judge: ({ steps }) => {
      const contents = new Map<string, Set<string>>();
      for (const { stepId, content } of steps) contents.set(stepId, (contents.get(stepId) ?? new Set()).add(content));
      assert.equal(contents.size, ACTIONS.length);
      assert.ok([...contents.values()].every((different) => different.size === 1));
      const second = new Set(steps.filter(({ connection }) => connection === 2).map(({ stepId }) => stepId));
      assert.ok(second.size >= ACTIONS.length - 4);
    },
  },
  {
    rules: ['P14'],
    title: 'waits and tries again where the server is busy',
    judge: ({ steps }) => {
      const second = steps.filter(({ connection }) => connection === 2).map(({ stepId }) => stepId);
      assert.ok(new Set(second).size < second.length, 'the step that was refused came again on the same connection');
    },
  },
];

/** The check in every environment with other parameters. */
const otherKinds: ClientCheck = {
  rules: ['R5'],
  title: 'evaluates the same actions where θ has integers, booleans and choices',
  judge: ({ malformed }, rewards) => {
    assert.deepEqual(rewards, ACTIONS.map(rewardOf));
    assert.deepEqual(malformed, []);
  },
};

/** Runs a client against the scripted server, once for each of its environments, and judges what it did. */
export async function checkClient(
  run: RunClient,
  codec: Codec,
  report: (verdict: Verdict) => void = () => {},
): Promise<Verdict[]> {
  const judges: ((check: ClientCheck) => void)[] = [];
  for (const parameters of [CONTINUOUS, ...OTHER_KINDS]) {
    const server = new ScriptedServer(codec, parameters);
    const rewards = await run(await server.url()).catch((error: unknown) => `the client failed: ${String(error)}`);
    server.close();
    judges.push(({ judge }) => judge(server.record, rewards));
  }
  const [first, ...others] = judges;
  const verdicts = [
    ...checks.map((check) => judged(check, () => first!(check))),
    judged(otherKinds, () => others.forEach((judge) => judge(otherKinds))),
  ];
  verdicts.forEach(report);
  return verdicts;
}

function judged({ rules, title }: ClientCheck, judge: () => void): Verdict {
  try {
    judge();
    return { rules, title, passed: true };
  } catch (error) {
    return { rules, title, passed: false, reason: (error as Error).message };
  }
}

/**
 * Runs a client that is a program, and returns the rewards that it prints.
 *
 * @param command a shell command with `{url}` and, if the program needs it, `{codec}`. It goes to a shell as it is, so
 *   it must come from the command line only
 * @throws {Error} when the exit code is not 0; {SyntaxError} when the last line is not JSON
 */
export async function runProgram(command: string, url: string, codec: Codec): Promise<unknown> {
  const filled = command.replaceAll('{url}', url).replaceAll('{codec}', codec);
  // A group of its own, so that what the shell has started ends with it.
  const child = spawn(filled, { shell: true, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const end = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // all of it has ended
    }
  };
  process.once('exit', end);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const timer = setTimeout(end, 60_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  process.off('exit', end);
  if (code !== 0) throw new Error(`expected exit code 0, got ${code ?? 'a signal'}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as unknown;
}
