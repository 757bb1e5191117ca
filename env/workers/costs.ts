import type { Timing } from '../evaluate.ts';
import type { Job } from './evaluations.ts';

/** The number of kinds of jobs that are remembered. */
const MOST_KINDS = 1000;

/** The kind of a job: jobs of one kind, the same environment with the same options, take about the same time. */
export function kindOf({ source, options, runtime }: Job): string {
  return JSON.stringify([source, options, runtime]);
}

/**
 * How long recent evaluations took, by kind of job: the same environment with the same options and runtime. The estimate
 * rises at once with a longer evaluation and falls slowly.
 */
export class Costs {
  private readonly ms = new Map<string, number>();

  /** The milliseconds that such a job is expected to take; undefined if none has been timed. */
  of(kind: string): number | undefined {
    return this.ms.get(kind);
  }

  add(kind: string, { simulateMs, trainMs, validateMs }: Timing): void {
    const ms = simulateMs + trainMs + validateMs;
    const before = this.ms.get(kind);
    this.ms.delete(kind); // so that the latest kind is the last one
    this.ms.set(kind, before === undefined ? ms : Math.max(ms, 0.8 * before + 0.2 * ms));
    if (this.ms.size > MOST_KINDS) this.ms.delete(this.ms.keys().next().value!);
  }
}
