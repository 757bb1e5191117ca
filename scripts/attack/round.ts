/** What the rounds of an attack share: their figures, and evaluations whose results are known. */
import type { StepRequest } from '../../protocol/environment.ts';
import type { Result } from '../../protocol/messages.ts';
import { actionOf } from '../trust/kill-agent.ts';

/** What a round has found. */
export interface Found {
  /** The number of things that are wrong. */
  readonly wrong: number;
  /** What was counted and measured, by name. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** Evaluation n: all that decides its result is in the request. */
export function requestOf(n: number): StepRequest & { readonly step_id: string } {
  return { step_id: `n${n}`, action: actionOf(n), seed: n };
}

/** What must be the same whenever and wherever evaluation n is made. */
export function contentOf({ outcome, reward, scores, theta, seed, seeds }: Result): string {
  return JSON.stringify([outcome, reward, scores, theta, seed, seeds]);
}

/** Counts results that are not as they should be, come twice, or are missing. */
export class Ledger {
  private readonly seen = new Map<string, string>();
  private readonly seqs = new Set<number>();
  changed = 0;
  doubled = 0;

  constructor(private readonly truth: ReadonlyMap<string, string>) {}

  /** @param again whether the client has asked again, or may have had the result before */
  add(result: Result, again = false): void {
    const { step_id, seq } = result;
    if (this.truth.get(step_id) !== contentOf(result)) this.changed++;
    if (!again && (this.seen.has(step_id) || this.seqs.has(seq))) this.doubled++;
    this.seen.set(step_id, contentOf(result));
    this.seqs.add(seq);
  }

  get missing(): number {
    return [...this.truth.keys()].filter((id) => !this.seen.has(id)).length;
  }
}
