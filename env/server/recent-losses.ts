/** [share of the training, loss], over a training. */
type LossCurve = readonly (readonly [fraction: number, loss: number])[];

/** The most trainings whose losses are kept. */
const MOST = 512;

/** How the losses of the latest trainings went, for those who look at one: a result does not have them. */
export class RecentLosses {
  private readonly curves = new Map<string, LossCurve>();

  keep(sessionId: string, stepId: string, curve: LossCurve): void {
    this.curves.set(keyOf(sessionId, stepId), curve);
    for (const oldest of this.curves.keys()) {
      if (this.curves.size <= MOST) break;
      this.curves.delete(oldest);
    }
  }

  of(sessionId: string, stepId: string): LossCurve | undefined {
    return this.curves.get(keyOf(sessionId, stepId));
  }
}

const keyOf = (sessionId: string, stepId: string) => `${sessionId} ${stepId}`;
