/**
 * Checks what a server must do, rule by rule (protocol/README.md), seen from outside.
 *
 * A check knows only what `opened` says about the environment, so it runs on every environment.
 */
import { Context, type Check, type ServerUnderTest } from './context.ts';
import { handshakeChecks, messageChecks } from './message-checks.ts';
import { sessionChecks } from './session-checks.ts';
import { stepChecks } from './step-checks.ts';

export const checks: readonly Check[] = [...handshakeChecks, ...messageChecks, ...stepChecks, ...sessionChecks];

export interface Verdict {
  readonly rules: readonly string[];
  readonly title: string;
  readonly passed: boolean;
  /** What was expected and what was found, if it did not pass. */
  readonly reason?: string;
}

/** Runs every check, one after the other, each on connections and sessions of its own. */
export async function checkServer(
  target: ServerUnderTest,
  report: (verdict: Verdict) => void = () => {},
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const check of checks) {
    const verdict = await judge(check, target);
    verdicts.push(verdict);
    report(verdict);
  }
  return verdicts;
}

async function judge({ rules, title, run }: Check, target: ServerUnderTest): Promise<Verdict> {
  const context = new Context(target);
  try {
    await run(context);
    const malformed = context.peers.flatMap((peer) => peer.malformed);
    if (malformed.length > 0) throw new Error(`a message breaks its schema: ${malformed[0]}`);
    return { rules, title, passed: true };
  } catch (error) {
    return { rules, title, passed: false, reason: (error as Error).message };
  } finally {
    context.peers.forEach((peer) => peer.socket.terminate());
  }
}
