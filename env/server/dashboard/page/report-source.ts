/** The runs of a report, which stand in the file of the page itself. */
import { columnsOf } from '../analysis/columns.ts';
import { evaluationRow } from '../analysis/rows.ts';
import type { EvaluationRow, PolicyNote, ReportedRuns, RunDescription, RunEntry } from '../answers.ts';
import type { EvaluationDetail, PageSource } from './source.ts';

/** The id of the element that has the report as JSON. */
const ELEMENT = 'report';

/** The report in this file; undefined where a server serves the page. */
export function reportHere(): ReportSource | undefined {
  const text = document.getElementById(ELEMENT)?.textContent;
  return text ? new ReportSource(JSON.parse(text) as ReportedRuns) : undefined;
}

export class ReportSource implements PageSource {
  readonly live = false;
  readonly visitor = { roles: ['observer'] as const, needsToken: false };

  constructor(private readonly report: ReportedRuns) {}

  async runs(): Promise<readonly RunEntry[]> {
    return this.report.runs.map(({ entry }) => entry);
  }

  async describe(run: string): Promise<RunDescription> {
    return this.of(run).description;
  }

  async evaluations(run: string, after: number, take: (rows: EvaluationRow[]) => void): Promise<void> {
    const { description, evaluations } = this.of(run);
    const columns = columnsOf(description.parameters);
    const metrics = description.metrics.map(({ name }) => name);
    take(evaluations.filter(({ seq }) => seq > after).map((entry) => evaluationRow(entry, columns, metrics)));
  }

  async notes(run: string, after: number, take: (notes: PolicyNote[]) => void): Promise<void> {
    take(this.of(run).notes.filter(({ number }) => number > after));
  }

  async evaluation(run: string, step: string): Promise<EvaluationDetail> {
    const entry = this.of(run).evaluations.find(({ step_id }) => step_id === step);
    if (!entry) throw new Error(`This report has no evaluation ${step} of this run.`);
    return { entry };
  }

  async pictures(): Promise<never> {
    throw new Error('A report draws no pictures: that takes a server.');
  }

  predictions(): Promise<never> {
    return this.pictures();
  }

  private of(run: string): ReportedRuns['runs'][number] {
    const found = this.report.runs.find(({ entry }) => entry.run === run);
    if (!found) throw new Error(`This report has no run ${run}.`);
    return found;
  }
}
