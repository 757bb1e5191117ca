/** What a run says about θ: importance, ties among the best, slices, contours, parallel coordinates. */
import { FEWEST_FOR_IMPORTANCE, importances, type Importance } from '../../analysis/importance.ts';
import { contest, noiseOf, thetaGroups } from '../../analysis/noise.ts';
import type { RunData } from '../../analysis/run-data.ts';
import { contourChart } from '../../charts/contour.ts';
import { importanceChart } from '../../charts/importance.ts';
import { brushedRows, MOST_LINES, parallelChart, type Brush } from '../../charts/parallel.ts';
import { sliceChart } from '../../charts/slice.ts';
import { Chart } from '../chart.ts';
import { card, fill, h, say, svg } from '../dom.ts';
import { digits, plural } from '../format.ts';
import { hashOf } from '../route.ts';
import type { PageView, RunPlace } from '../view.ts';
import { shortName } from './evaluations.ts';

/** While evaluations arrive, the view is drawn again at most this often, … */
const DRAW_MS = 3000;
/** … and this often where they are few beside those that are drawn: they change nothing that one could see. */
const DRAW_FEW_MS = 30_000;
const FEW = 0.01;
/** Bars and axes that are shown without asking. */
const MOST_BARS = 12;
const MOST_AXES = 7;
/** θ in the list of the best. */
const MOST_RANKED = 40;

export function understandView({ data }: RunPlace): PageView {
  const parts = [
    new ImportancePart(data),
    new ContestPart(data),
    new SlicePart(data),
    new ContourPart(data),
    new ParallelPart(data),
  ] as const;
  const [importance, , slice, contour, parallel] = parts;
  const element = h(
    'div',
    { class: 'view' },
    parts.map((part) => part.element),
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  let nextPart: ReturnType<typeof setTimeout> | undefined;
  let drawnAt = -Infinity;
  let drawnRows = 0;
  /** Each part in a task of its own, so that the page answers in between. */
  const drawParts = ([part, ...rest]: readonly { draw(): void }[]) => {
    part?.draw();
    if (rest.length > 0) nextPart = setTimeout(() => drawParts(rest));
  };
  const draw = () => {
    clearTimeout(nextPart);
    drawnAt = performance.now();
    drawnRows = data.rows.length;
    const all = importances(data);
    for (const one of [slice, contour, parallel]) one.suggest(all);
    drawParts([{ draw: () => importance.draw(all) }, ...parts.slice(1)] as { draw(): void }[]);
  };
  return {
    element,
    update({ data: changed }) {
      if (!changed.has(data.description.run)) return;
      const wait = data.rows.length > drawnRows * (1 + FEW) ? DRAW_MS : DRAW_FEW_MS;
      clearTimeout(timer);
      timer = setTimeout(draw, Math.max(0, drawnAt + wait - performance.now()));
    },
    redraw: () => parts.forEach((part) => part.charts.forEach((chart) => chart.draw())),
    close() {
      clearTimeout(timer);
      clearTimeout(nextPart);
      parts.forEach((part) => part.charts.forEach((chart) => chart.close()));
    },
  };
}

class ImportancePart {
  private readonly chart = new Chart('Importance of each parameter');
  readonly charts = [this.chart];
  private readonly note = h('p', { class: 'note' });
  readonly element: HTMLElement;

  constructor(private readonly data: RunData) {
    this.element = card('Which parameters matter', { class: 'half' }, this.note, this.chart.element);
  }

  draw(all: readonly Importance[]): void {
    const { data } = this;
    const count = data.scored().length;
    this.chart.element.hidden = all.length === 0;
    if (all.length === 0) {
      return say(
        this.note,
        `This takes ${FEWEST_FOR_IMPORTANCE} evaluations with a reward; there ${count === 1 ? 'is' : 'are'} ${count}.`,
      );
    }
    const top = all.slice(0, MOST_BARS);
    const names = top
      .filter(({ share, chance }) => share > chance)
      .map(({ column, share }) => `${data.columns[column]!.name} ${Math.round(100 * share)} %`);
    say(
      this.note,
      `PED-ANOVA over ${plural(count, 'evaluation')}: how differently a parameter is distributed among the best tenth than among all. ` +
        'The mark is what a parameter without effect reaches by chance (95 %); grey bars are no more than that. ' +
        'While a search moves, all of θ moves with its rewards, so random search tells this best.',
    );
    this.chart.element.style.setProperty('--height', `${60 + 24 * top.length}px`);
    this.chart.set(
      (palette) => importanceChart(top, data.columns, palette),
      names.length > 0 ? `More than chance: ${names.join(', ')}.` : 'No parameter stands out from chance.',
    );
  }
}

class ContestPart {
  readonly charts: readonly Chart[] = [];
  private readonly says = h('p');
  private readonly note = h('p', { class: 'note' });
  private readonly list = h('ol', { class: 'contest' });
  readonly element: HTMLElement;

  constructor(private readonly data: RunData) {
    this.element = card('Which of the best cannot be told apart', { class: 'half' }, this.says, this.note, this.list);
  }

  draw(): void {
    const { data } = this;
    const groups = thetaGroups(data);
    const noise = noiseOf(data, groups);
    const { ranking, tied } = contest(groups, noise);
    if (!noise || ranking.length < 2) {
      say(this.says, 'There are too few evaluations to say anything about the noise.');
      return fill(this.list);
    }
    const others = tied - 1;
    say(
      this.says,
      others === 0
        ? 'One θ stands out: all others are worse by more than the noise.'
        : `${others} of the ${ranking.length - 1} other θ cannot be told from the best one: the difference may be luck.`,
    );
    const from =
      noise.from === 'repeats'
        ? `Noise: standard deviation ${digits(noise.sd, 2)} of the same θ under other seeds (${noise.df} degrees of freedom). `
        : `Noise: at most ${digits(noise.sd, 2)}, from neighbours in θ, as none was evaluated with several seeds. `;
    say(
      this.note,
      `${from}Intervals: 95 %. The best of many is the luckiest too, so the comparison allows for their number (Bonferroni).`,
    );
    const shown = ranking.slice(0, Math.min(MOST_RANKED, Math.max(8, tied)));
    const low = Math.min(...shown.map(({ mean, half }) => mean - half));
    const high = Math.max(...shown.map(({ mean, half }) => mean + half));
    const x = (value: number) => (4 + 192 * ((value - low) / (high - low || 1))).toFixed(1);
    fill(
      this.list,
      shown.map(({ rows, mean, half }, i) => {
        const row = data.rows[rows[0]!]!;
        return h(
          'li',
          { class: i < tied ? 'tied' : '' },
          h('a', { href: hashOf('evaluation', data.description.run, row.step_id) }, shortName(row.step_id)),
          h('span', { class: 'number' }, digits(mean)),
          h('span', { class: 'note number' }, `± ${digits(half, 2)}`),
          h('span', { class: 'note' }, rows.length === 1 ? 'once' : `${rows.length} times`),
          svg(
            'svg',
            { viewBox: '0 0 200 16', 'aria-hidden': 'true', preserveAspectRatio: 'none' },
            svg('path', { d: `M${x(mean - half)} 8H${x(mean + half)}`, class: 'interval' }),
            svg('path', { d: `M${x(mean)} 4V12`, class: 'point' }),
          ),
        );
      }),
      ranking.length > shown.length && h('li', { class: 'note' }, `and ${ranking.length - shown.length} more`),
    );
  }
}

/** A choice of a column, which is suggested until the reader has chosen. */
class ColumnChoice {
  readonly element: HTMLElement;
  private readonly select: HTMLSelectElement;
  private isChosen = false;

  constructor(label: string, data: RunData, onChange: () => void) {
    this.select = h(
      'select',
      {
        change: () => {
          this.isChosen = true;
          onChange();
        },
      },
      data.columns.map(({ name }, i) => h('option', { value: i }, name)),
    );
    this.element = h('label', { class: 'field' }, h('span', {}, label), this.select);
  }

  get column(): number {
    return Number(this.select.value);
  }

  suggest(column: number | undefined): void {
    if (!this.isChosen && column !== undefined) this.select.value = String(column);
  }
}

class SlicePart {
  private readonly chart = new Chart('Reward over one parameter', 'tall');
  readonly charts = [this.chart];
  private readonly column: ColumnChoice;
  readonly element: HTMLElement;

  constructor(private readonly data: RunData) {
    this.column = new ColumnChoice('Parameter', data, () => this.draw());
    const truth = data.description.truth ? ' Dashed: the hidden value.' : '';
    const note = `Where a search has looked often, the points are dense; the line smooths over all other parameters.${truth}`;
    this.element = card(
      'Slice',
      { class: 'half' },
      this.column.element,
      this.chart.element,
      h('p', { class: 'note' }, note),
    );
  }

  suggest([first]: readonly Importance[]): void {
    this.column.suggest(first?.column);
  }

  draw(): void {
    const { data } = this;
    const { column } = this.column;
    if (data.columns.length === 0) return;
    this.chart.set((palette) => sliceChart(data, column, palette), `Reward over ${data.columns[column]!.name}.`);
  }
}

class ContourPart {
  private readonly chart = new Chart('Reward over two parameters', 'tall');
  readonly charts = [this.chart];
  private readonly across: ColumnChoice;
  private readonly up: ColumnChoice;
  readonly element: HTMLElement;

  constructor(private readonly data: RunData) {
    this.across = new ColumnChoice('Across', data, () => this.draw());
    this.up = new ColumnChoice('Up', data, () => this.draw());
    this.element = card(
      'Contour',
      { class: 'half' },
      h('div', { class: 'row' }, this.across.element, this.up.element),
      this.chart.element,
      h(
        'p',
        { class: 'note' },
        `Smoothed; empty where nothing was evaluated. Ring: the best evaluation.${data.description.truth ? ' Diamond: the hidden θ.' : ''}`,
      ),
    );
    this.element.hidden = data.columns.length < 2;
    this.up.suggest(1);
  }

  suggest([first, second]: readonly Importance[]): void {
    this.across.suggest(first?.column);
    this.up.suggest(second?.column);
  }

  draw(): void {
    const { data } = this;
    const [across, up] = [this.across.column, this.up.column];
    if (data.columns.length < 2 || data.scored().length < 5) return;
    const names = [across, up].map((column) => data.columns[column]!.name);
    this.chart.set((palette) => contourChart(data, across, up, palette), `Reward over ${names.join(' and ')}.`);
  }
}

class ParallelPart {
  private readonly chart = new Chart('Parallel coordinates of θ and reward', 'tall');
  readonly charts = [this.chart];
  private readonly axes: HTMLElement;
  private readonly says = h('p', { class: 'note', role: 'status' });
  private readonly chips = h('ul', { class: 'chips' });
  private readonly boxes: HTMLInputElement[];
  private isChosen = false;
  private brushes: Brush[] = [];
  /** What was drawn: while something is brushed, it is not drawn again. */
  private drawnRows = -1;
  readonly element: HTMLElement;

  constructor(private readonly data: RunData) {
    this.boxes = data.columns.map((_, i) =>
      h('input', {
        ...{ type: 'checkbox', checked: i < MOST_AXES },
        change: () => {
          this.isChosen = true;
          this.clear();
        },
      }),
    );
    this.axes = h(
      'details',
      { class: 'axes' },
      h('summary', {}, 'Axes'),
      h(
        'div',
        { class: 'row' },
        data.columns.map(({ name }, i) => h('label', { class: 'field' }, this.boxes[i], name)),
      ),
    );
    const note =
      'Drag along an axis to choose a part of it, on several axes if you like; a click beside the part takes it back.';
    const clear = h('button', { type: 'button', click: () => this.clear() }, 'Take all back');
    this.element = card(
      'All of θ at once',
      { class: 'wide' },
      h('p', { class: 'note' }, note),
      this.axes,
      this.chart.element,
      h('div', { class: 'row' }, this.rangeFields(), clear),
      this.says,
      this.chips,
    );
    this.chart.on('axisareaselected', () => this.readBrushes());
  }

  suggest(all: readonly Importance[]): void {
    // While something is brushed, the boxes stay those of the axes that are drawn.
    if (this.isChosen || this.brushes.length > 0 || all.length === 0) return;
    const wanted = new Set(all.slice(0, MOST_AXES).map(({ column }) => column));
    this.boxes.forEach((box, i) => (box.checked = wanted.has(i)));
  }

  private get columns(): number[] {
    return this.boxes.flatMap((box, i) => (box.checked ? [i] : []));
  }

  private clear(): void {
    this.brushes = [];
    this.drawnRows = -1;
    this.draw();
  }

  draw(): void {
    const { data, columns } = this;
    const rows = data.scored();
    if (rows.length === 0 || (this.brushes.length > 0 && this.drawnRows >= 0)) return this.tell();
    this.drawnRows = rows.length;
    this.chart.set(
      (palette) => parallelChart(data, columns, rows, palette),
      `θ and reward of ${plural(rows.length, 'evaluation')}, on ${columns.length + 1} axes.`,
    );
    this.tell();
  }

  /** The parts that were brushed, from the chart. */
  private readBrushes(): void {
    const { columns } = this;
    // What the chart does not say in its options it says of its axes.
    const model = (this.chart.echarts as unknown as { getModel(): AxisModels }).getModel();
    this.brushes = [...columns, -1].flatMap((column, i): Brush[] => {
      const intervals = model.getComponent('parallelAxis', i).activeIntervals;
      const [low, high] = [Math.min(...intervals.map(([from]) => from)), Math.max(...intervals.map(([, to]) => to))];
      return intervals.length === 0 ? [] : [{ column, low, high }];
    });
    this.tell();
  }

  private tell(): void {
    const { data, brushes } = this;
    const all = data.scored();
    const rows = brushedRows(data, brushes);
    const drawn =
      all.length > MOST_LINES
        ? `${MOST_LINES.toLocaleString('en')} of ${plural(all.length, 'evaluation')} are drawn, spread over their rewards. `
        : '';
    if (brushes.length === 0) {
      say(this.says, drawn);
      return fill(this.chips);
    }
    const sum = rows.reduce((total, i) => total + data.rewards[i]!, 0);
    const mean = rows.length > 0 ? `, with a mean reward of ${digits(sum / rows.length)}` : '';
    say(this.says, `${drawn}${plural(rows.length, 'evaluation')} within what is chosen${mean}. The best of them:`);
    const best = [...rows].sort((a, b) => data.rewards[b]! - data.rewards[a]!).slice(0, 12);
    fill(
      this.chips,
      best.map((i) =>
        h(
          'li',
          {},
          h(
            'a',
            { href: hashOf('evaluation', data.description.run, data.rows[i]!.step_id) },
            shortName(data.rows[i]!.step_id),
          ),
          ` ${digits(data.rewards[i])}`,
        ),
      ),
    );
  }

  /** The same choice without a mouse: a range of one axis. */
  private rangeFields(): HTMLElement {
    const { data } = this;
    const axis = h(
      'select',
      {},
      h('option', { value: -1 }, data.description.reward),
      data.columns.map(({ name }, i) => h('option', { value: i }, name)),
    );
    const [low, high] = [0, 1].map(() => h('input', { type: 'number', step: 'any', class: 'short' }));
    const choose = () => {
      const column = Number(axis.value);
      const brush = {
        column,
        low: low!.value === '' ? -Infinity : Number(low!.value),
        high: high!.value === '' ? Infinity : Number(high!.value),
      };
      this.brushes = [...this.brushes.filter((other) => other.column !== column), brush];
      this.tell();
    };
    return h(
      'div',
      { class: 'row' },
      h('label', { class: 'field' }, h('span', {}, 'Or choose'), axis),
      h('label', { class: 'field' }, h('span', {}, 'from'), low),
      h('label', { class: 'field' }, h('span', {}, 'to'), high),
      h('button', { type: 'button', click: choose }, 'Choose'),
    );
  }
}

/** The part of the chart's insides that tells what was brushed. */
interface AxisModels {
  getComponent(
    kind: 'parallelAxis',
    index: number,
  ): { readonly activeIntervals: readonly (readonly [number, number])[] };
}
