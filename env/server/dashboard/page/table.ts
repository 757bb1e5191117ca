/** A table of any length: only the rows in sight are elements. It is sorted by its heads, and walked with the keyboard. */
import { h, say } from './dom.ts';

export interface TableColumn {
  readonly name: string;
  /** What it means, where the name does not say it. */
  readonly meaning?: string;
  readonly width: number;
  readonly isNumber?: boolean;
  readonly text: (row: number) => string;
  /** What rows are sorted by; NaN comes last. */
  readonly order: (row: number) => number | string;
}

const ROW_HEIGHT = 30;
/** Rows above and below the ones in sight. */
const MARGIN = 8;

export class RowTable {
  readonly element: HTMLElement;
  private readonly head = h('div', { class: 'tr head', role: 'row' });
  private readonly body = h('div', { class: 'body', role: 'rowgroup' });
  private readonly space = h('div', { class: 'space' });
  private readonly scroller: HTMLElement;
  private order: number[] = [];
  private sortedBy = 0;
  private isDescending = true;
  private active = 0;
  private drawn = '';

  /**
   * @param columns the first is the one that it is sorted by at the beginning, downwards
   * @param onOpen  called with a row that was clicked, or entered
   */
  constructor(
    label: string,
    private readonly columns: readonly TableColumn[],
    private readonly onOpen: (row: number) => void,
  ) {
    const template = columns.map(({ width }) => `minmax(${width}px, ${width}fr)`).join(' ');
    const least = columns.reduce((sum, { width }) => sum + width, 0) + 16;
    this.scroller = h(
      'div',
      {
        class: 'scroller',
        tabindex: '0',
        role: 'grid',
        'aria-label': label,
        scroll: () => this.draw(),
        keydown: (event) => this.press(event as KeyboardEvent),
      },
      h('div', { class: 'sheet', style: { '--columns': template, 'min-width': `${least}px` } }, this.head, this.space),
    );
    this.space.append(this.body);
    this.element = h('div', { class: 'table' }, this.scroller);
    this.head.append(
      ...columns.map(({ name, meaning, isNumber }, i) =>
        h(
          'span',
          { role: 'columnheader', class: isNumber ? 'number' : '', title: meaning },
          h('button', { type: 'button', click: () => this.sort(i) }, name),
        ),
      ),
    );
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  /** Shows these rows, sorted. */
  show(rows: readonly number[]): void {
    const chosen = this.order[this.active];
    this.order = [...rows];
    this.sortRows(chosen);
  }

  get shown(): readonly number[] {
    return this.order;
  }

  private sort(column: number): void {
    this.isDescending = column === this.sortedBy ? !this.isDescending : this.columns[column]!.isNumber === true;
    this.sortedBy = column;
    this.sortRows();
    this.scroller.scrollTop = 0;
  }

  /** @param chosen the row that stays the active one, wherever it comes to stand */
  private sortRows(chosen = this.order[this.active]): void {
    const { order } = this.columns[this.sortedBy]!;
    const keys = new Map(this.order.map((row) => [row, order(row)]));
    const sign = this.isDescending ? -1 : 1;
    this.order.sort((a, b) => {
      const [x, y] = [keys.get(a)!, keys.get(b)!];
      if (typeof x === 'number' && typeof y === 'number') {
        if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
        return sign * (x - y) || a - b;
      }
      return sign * String(x).localeCompare(String(y), 'en', { numeric: true }) || a - b;
    });
    this.active = Math.min(this.active, Math.max(0, this.order.length - 1));
    this.drawn = '';
    [...this.head.children].forEach((cell, i) => {
      const direction = i !== this.sortedBy ? 'none' : this.isDescending ? 'descending' : 'ascending';
      cell.setAttribute('aria-sort', direction);
    });
    // The first row while nobody has chosen another.
    if (chosen !== undefined && this.active > 0) this.active = Math.max(0, this.order.indexOf(chosen));
    this.scroller.setAttribute('aria-rowcount', String(this.order.length + 1));
    this.space.style.setProperty('height', `${this.order.length * ROW_HEIGHT}px`);
    this.draw();
  }

  private draw(): void {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - MARGIN);
    const last = Math.min(this.order.length, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + MARGIN);
    const state = `${first} ${last} ${this.active}`;
    if (state === this.drawn) return;
    this.drawn = state;
    this.body.style.setProperty('transform', `translateY(${first * ROW_HEIGHT}px)`);
    const wanted = Math.max(0, last - first);
    while (this.body.childElementCount > wanted) this.body.lastElementChild!.remove();
    while (this.body.childElementCount < wanted) this.body.append(this.newRow());
    [...this.body.children].forEach((element, i) => this.fillRow(element as HTMLElement, first + i));
  }

  private newRow(): HTMLElement {
    return h(
      'div',
      { class: 'tr', role: 'row', click: (event) => this.open(event.currentTarget as HTMLElement) },
      this.columns.map(({ isNumber }) => h('span', { role: 'gridcell', class: isNumber ? 'number' : '' })),
    );
  }

  private fillRow(element: HTMLElement, place: number): void {
    const row = this.order[place]!;
    element.dataset['place'] = String(place);
    element.setAttribute('aria-rowindex', String(place + 2));
    const isActive = place === this.active;
    element.classList.toggle('active', isActive);
    element.setAttribute('aria-selected', String(isActive));
    element.id ||= `row-${Math.round(performance.now() * 1000)}-${place}`;
    if (isActive) this.scroller.setAttribute('aria-activedescendant', element.id);
    this.columns.forEach(({ text }, i) => say(element.children[i]!, text(row)));
  }

  private open(element: HTMLElement): void {
    const place = Number(element.dataset['place']);
    this.active = place;
    this.drawn = '';
    this.draw();
    this.onOpen(this.order[place]!);
  }

  private press(event: KeyboardEvent): void {
    if (event.target !== this.scroller) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW_HEIGHT) - 2);
    const last = this.order.length - 1;
    const moves: Record<string, number> = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: last,
    };
    if (event.key === 'Enter' && last >= 0) return this.onOpen(this.order[this.active]!);
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.active = Math.min(last, Math.max(0, to));
    const top = this.active * ROW_HEIGHT;
    const room = this.scroller.clientHeight - this.head.clientHeight;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW_HEIGHT > this.scroller.scrollTop + room) this.scroller.scrollTop = top + ROW_HEIGHT - room;
    this.draw();
  }
}
