/** All evaluations of a run as a table: sorted, filtered, and opened. */
import { numberOf } from '../../analysis/columns.ts';
import { card, choice, h, newId, say } from '../dom.ts';
import { digits, duration, plural, time, valueText } from '../format.ts';
import { hashOf } from '../route.ts';
import { RowTable, type TableColumn } from '../table.ts';
import type { RunPlace, PageView } from '../view.ts';

const PURPOSES = { search: 'search', finalist: 'finalist', report: 'final report' } as const;

/** The part of a step's name after the name of its run. */
export const shortName = (step_id: string) => step_id.slice(step_id.indexOf('/') + 1);

/** Wide enough for a head, in pixels. */
const widthOf = (head: string, least: number) => Math.max(least, Math.min(200, 24 + 8 * head.length));

export function evaluationsView({ data }: RunPlace): PageView {
  const { rows, rewards, columns, description } = data;
  let words = '';
  let outcome = 'all';
  let least = -Infinity;
  const own: TableColumn[] = [
    {
      name: '#',
      meaning: 'in the order in which they ended',
      width: 60,
      isNumber: true,
      text: (i) => String(rows[i]!.seq),
      order: (i) => rows[i]!.seq,
    },
    { name: 'name', width: 170, text: (i) => shortName(rows[i]!.step_id), order: (i) => rows[i]!.step_id },
    {
      name: description.reward,
      meaning: 'reward',
      width: widthOf(description.reward, 90),
      isNumber: true,
      text: (i) => digits(rewards[i]),
      order: (i) => rewards[i]!,
    },
    { name: 'outcome', width: 90, text: (i) => rows[i]!.outcome, order: (i) => rows[i]!.outcome },
    { name: 'for', width: 90, text: (i) => PURPOSES[data.purposes[i]!], order: (i) => data.purposes[i]! },
    { name: 'took', width: 80, isNumber: true, text: (i) => duration(rows[i]!.ms), order: (i) => rows[i]!.ms },
    { name: 'accepted', width: 165, text: (i) => time(rows[i]!.at), order: (i) => rows[i]!.at },
    {
      name: 'seed',
      width: 100,
      isNumber: true,
      text: (i) => String(rows[i]!.seed ?? '–'),
      order: (i) => rows[i]!.seed ?? NaN,
    },
  ];
  const thetas = columns.map((column, c): TableColumn => ({
    name: column.name,
    meaning: column.parameter.meaning,
    width: widthOf(column.name, 96),
    isNumber: !column.choices,
    text: (i) => valueText(rows[i]!.theta[c]),
    order: (i) => numberOf(column, rows[i]!.theta[c]),
  }));
  const table = new RowTable('Evaluations', [...own, ...thetas], (row) => {
    location.hash = hashOf('evaluation', description.run, rows[row]!.step_id);
  });
  const count = h('p', { class: 'note', role: 'status' });
  const show = () => {
    const shown: number[] = [];
    rows.forEach((row, i) => {
      if (outcome !== 'all' && row.outcome !== outcome) return;
      if (least > -Infinity && !(rewards[i]! >= least)) return;
      if (words !== '' && !`${row.step_id} ${row.seed} ${PURPOSES[data.purposes[i]!]}`.toLowerCase().includes(words))
        return;
      shown.push(i);
    });
    table.show(shown);
    const all = plural(rows.length, 'evaluation');
    say(count, shown.length === rows.length ? all : `${shown.length.toLocaleString('en')} of ${all}`);
  };
  const [search, lowest] = [newId(), newId()];
  const wordsField = h('input', {
    ...{ id: search, type: 'search', placeholder: 'name, seed …', spellcheck: 'false' },
    input: () => {
      words = wordsField.value.trim().toLowerCase();
      show();
    },
  });
  const leastField = h('input', {
    ...{ id: lowest, type: 'number', step: 'any', placeholder: 'any' },
    input: () => {
      least = leastField.value === '' ? -Infinity : Number(leastField.value);
      show();
    },
  });
  const outcomes = ['all', 'ok', 'infeasible', 'diverged', 'failed', 'deadline', 'cancelled', 'discarded'];
  const filters = h(
    'div',
    { class: 'row', role: 'search' },
    h('label', { class: 'field', for: search }, h('span', {}, 'Find'), wordsField),
    choice(
      'Outcome',
      outcomes.map((name) => [name, name] as const),
      'all',
      (value) => {
        outcome = value;
        show();
      },
    ),
    h('label', { class: 'field', for: lowest }, h('span', {}, 'Reward at least'), leastField),
    count,
  );
  return {
    element: h('div', { class: 'view' }, card('Evaluations', { class: 'wide' }, filters, table.element)),
    update: ({ data: changed }) => {
      if (changed.has(description.run)) show();
    },
  };
}
