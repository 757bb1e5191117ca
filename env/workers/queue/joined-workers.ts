import type { EvaluationProgress } from '../../evaluate.ts';
import type { Job, WorkerInfo } from '../evaluations.ts';
import type { Workers } from '../queued-evaluations.ts';

/** The worker of an evaluation that names none. */
const LOCAL = 'local';

/** Workers of several kinds as one; of those with a free place, the first kind gets the job. */
export class JoinedWorkers implements Workers {
  onFree: () => void = () => {};
  /** Never called: where one kind cannot start, another may come. */
  onHopeless: (reason: string) => void = () => {};

  constructor(
    private readonly kinds: readonly Workers[],
    readonly ready: Promise<void>,
  ) {
    for (const kind of kinds) kind.onFree = () => this.onFree();
  }

  get size(): number {
    return this.sum((kind) => kind.size);
  }

  get readyCount(): number {
    return this.sum((kind) => kind.readyCount);
  }

  get runningCount(): number {
    return this.sum((kind) => kind.runningCount);
  }

  get restarts(): number {
    return this.sum((kind) => kind.restarts);
  }

  get hasFree(): boolean {
    return this.kinds.some((kind) => kind.hasFree);
  }

  get list(): WorkerInfo[] {
    return this.kinds.flatMap((kind) => kind.list);
  }

  get failure(): string | undefined {
    return this.kinds.find(({ failure }) => failure !== undefined)?.failure;
  }

  backendOf(source: string): string | undefined {
    return this.kinds.map((kind) => kind.backendOf(source)).find((backend) => backend !== undefined);
  }

  async run(job: Job, signal: AbortSignal, onProgress: (progress: EvaluationProgress) => void) {
    const kind = this.kinds.find(({ hasFree }) => hasFree);
    if (!kind) throw new RangeError('run: expected a free worker, got none');
    const end = await kind.run(job, signal, onProgress);
    return typeof end === 'string' ? end : { worker: LOCAL, ...end };
  }

  async close(): Promise<void> {
    await Promise.all(this.kinds.map((kind) => kind.close()));
  }

  private sum(count: (kind: Workers) => number): number {
    return this.kinds.reduce((total, kind) => total + count(kind), 0);
  }
}
