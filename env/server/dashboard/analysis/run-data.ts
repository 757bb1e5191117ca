/** A run as the views see it: its description, its evaluations as columns of numbers, and the policy over them. */
import type { EvaluationRow, PolicyNote, RunDescription, ThetaValue } from '../answers.ts';
import { columnsOf, flatTheta, numberOf, rangeOf, shareOf, type Column } from './columns.ts';

/** What an evaluation was made for: a search, the choice among its best, or the report at its end. */
export type Purpose = 'search' | 'finalist' | 'report';

/** The agents here name their evaluations `<run>/<key>`; those of others are taken for a search. */
export function purposeOf(step_id: string): Purpose {
  const key = step_id.slice(step_id.indexOf('/') + 1);
  if (/(^|\/)finalist\//.test(key)) return 'finalist';
  return /^(start|.*learned)\/\d/.test(key) ? 'report' : 'search';
}

export class RunData {
  readonly columns: readonly Column[];
  readonly rows: EvaluationRow[] = [];
  readonly notes: PolicyNote[] = [];
  /** By row: NaN where there is no reward. */
  readonly rewards: number[] = [];
  readonly purposes: Purpose[] = [];
  /** By row: θ as a text; equal ones are the same θ. */
  readonly keys: string[] = [];
  private readonly values: number[][];
  private readonly truthValues: readonly (ThetaValue | undefined)[];
  private readonly places = new Map<string, number>();

  constructor(public description: RunDescription) {
    this.columns = columnsOf(description.parameters);
    this.values = this.columns.map(() => []);
    const { truth } = description;
    this.truthValues = truth ? flatTheta(this.columns, truth) : [];
  }

  /** The `seq` of the last row, 0 for none. */
  get seq(): number {
    return this.rows.at(-1)?.seq ?? 0;
  }

  /** The number of the last note, 0 for none. */
  get note(): number {
    return this.notes.at(-1)?.number ?? 0;
  }

  add(rows: readonly EvaluationRow[]): void {
    for (const row of rows) {
      if (row.seq <= this.seq) continue; // asked for twice
      this.places.set(row.step_id, this.rows.length);
      this.rows.push(row);
      this.rewards.push(row.reward ?? NaN);
      this.purposes.push(purposeOf(row.step_id));
      this.keys.push(row.theta.join('\n'));
      this.columns.forEach((column, i) => this.values[i]!.push(numberOf(column, row.theta[i])));
    }
  }

  addNotes(notes: readonly PolicyNote[]): void {
    for (const note of notes) if (note.number > this.note) this.notes.push(note);
  }

  /** The position of an evaluation; -1 where it is not here. */
  find(step_id: string): number {
    return this.places.get(step_id) ?? -1;
  }

  /** The values of a column, by row. */
  valuesOf(column: number): readonly number[] {
    return this.values[column]!;
  }

  range(column: number): [low: number, high: number] {
    return rangeOf(this.columns[column]!, this.values[column]!);
  }

  /** The values of a column as shares of its range, by row; of some rows, in their order. */
  shares(column: number, rows?: readonly number[]): number[] {
    const own = this.columns[column]!;
    const range = this.range(column);
    const values = this.values[column]!;
    return (rows?.map((row) => values[row]!) ?? values).map((value) => shareOf(own, value, range));
  }

  /** The hidden value of a column, where it is shown; otherwise NaN. */
  truth(column: number): number {
    return numberOf(this.columns[column]!, this.truthValues[column]);
  }

  /** The positions of the rows with a reward, in their order. */
  scored(): number[] {
    const positions: number[] = [];
    for (let i = 0; i < this.rewards.length; i++) if (!Number.isNaN(this.rewards[i]!)) positions.push(i);
    return positions;
  }

  /** The position of the row with the highest reward; -1 where there is none. */
  best(): number {
    let best = -1;
    this.rewards.forEach((reward, i) => {
      if (!Number.isNaN(reward) && (best < 0 || reward > this.rewards[best]!)) best = i;
    });
    return best;
  }
}

/** Who searches, and where: the name of a run for people. */
export function runName({ run, env_id, about }: Pick<RunDescription, 'run' | 'env_id' | 'about'>): string {
  const { agent, options } = about ?? {};
  const seed = options?.['seed'];
  const who = agent === undefined ? 'unnamed client' : agent;
  return `${who}${typeof seed === 'number' ? `, seed ${seed}` : ''} · ${env_id} · ${run.slice(0, 8)}`;
}
