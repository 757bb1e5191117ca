import type { Timing } from '../evaluate.ts';
import type { Job } from './evaluations.ts';

/** How many kinds of jobs are remembered. */
const MOST_KINDS = 1000;

/** How long evaluations took lately, by what was evaluated: the same environment with the same options costs the same. */
export class Costs {
  private readonly ms = new Map<string, number>();

  /** Milliseconds that such a job will take; undefined where none has been timed. */
  of(job: Job): number | undefined {
    return this.ms.get(kindOf(job));
  }

  add(job: Job, { simulateMs, trainMs, validateMs }: Timing): void {
    const kind = kindOf(job);
    const ms = simulateMs + trainMs + validateMs;
    const before = this.ms.get(kind);
    this.ms.delete(kind); // The latest kind stands last.
    this.ms.set(kind, before === undefined ? ms : Math.max(ms, 0.8 * before + 0.2 * ms));
    if (this.ms.size > MOST_KINDS) this.ms.delete(this.ms.keys().next().value!);
  }
}

function kindOf({ source, options, runtime }: Job): string {
  return JSON.stringify([source, options, runtime]);
}
