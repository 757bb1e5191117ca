/** Controls for θ: a slider for a number, bars for a simplex, a box, a choice. */
import { columnsOf, shareOf, type Column } from '../analysis/columns.ts';
import type { NamedTheta, ShownParameter, ThetaValue } from '../answers.ts';
import { h, newId, say } from './dom.ts';
import { digits } from './format.ts';

/** Steps of a slider. */
const STEPS = 1000;

export interface ThetaControls {
  readonly element: HTMLElement;
  /** θ as it is set. */
  readonly theta: NamedTheta;
  /** Sets all of θ; parameters that are left out keep their value. */
  set(theta: NamedTheta): void;
  /** Shows only the parameters whose names or meanings have these words. */
  filter(words: string): void;
}

/** The control of one parameter. */
interface Control {
  readonly element: HTMLElement;
  value(): ThetaValue | readonly number[];
  set(value: ThetaValue | readonly number[]): void;
}

/** @param onChange called with every change that the reader makes */
export function thetaControls(
  parameters: readonly ShownParameter[],
  start: NamedTheta,
  onChange: () => void,
): ThetaControls {
  const controls = new Map(
    parameters.map((parameter): [string, Control] => {
      const control = controlOf(parameter, onChange);
      const first = start[parameter.name] ?? parameter.default;
      if (first !== undefined) control.set(first);
      return [parameter.name, control];
    }),
  );
  return {
    element: h(
      'div',
      { class: 'controls' },
      [...controls.values()].map(({ element }) => element),
    ),
    get theta() {
      return Object.fromEntries([...controls].map(([name, control]) => [name, control.value()]));
    },
    set(theta) {
      for (const [name, value] of Object.entries(theta)) controls.get(name)?.set(value);
    },
    filter(words) {
      for (const { name, meaning, labels = [] } of parameters) {
        const text = [name, meaning, ...labels].join(' ').toLowerCase();
        controls.get(name)!.element.hidden = !text.includes(words.toLowerCase());
      }
    },
  };
}

function controlOf(parameter: ShownParameter, onChange: () => void): Control {
  const columns = columnsOf([parameter]);
  const [column] = columns;
  if (parameter.labels) return simplexControl(parameter, columns, onChange);
  if (parameter.kind === 'boolean') return boxControl(parameter, onChange);
  if (column!.choices) return choiceControl(parameter, column!.choices, onChange);
  return sliderControl(parameter, column!, onChange);
}

function sliderControl(parameter: ShownParameter, column: Column, onChange: () => void): Control {
  const { name, meaning, kind } = parameter;
  const [low, high] = column.range ?? [0, 1];
  const isWhole = kind === 'integer';
  const id = newId();
  let value = low;
  const at = (share: number) => {
    const exact = column.log ? low * (high / low) ** share : low + (high - low) * share;
    return Math.min(high, Math.max(low, isWhole ? Math.round(exact) : Number(exact.toPrecision(6))));
  };
  const slider = h('input', {
    ...{ type: 'range', id, min: 0, max: STEPS, step: 1, title: meaning },
    input: () => take(at(Number(slider.value) / STEPS)),
  });
  const number = h('input', {
    ...{ type: 'number', min: low, max: high, step: isWhole ? 1 : 'any', 'aria-label': `${name}, exactly` },
    change: () => {
      const given = Number(number.value);
      if (number.value === '' || !Number.isFinite(given)) return show();
      take(Math.min(high, Math.max(low, isWhole ? Math.round(given) : given)));
    },
  });
  const show = () => {
    slider.value = String(Math.round(STEPS * shareOf(column, value, [low, high])));
    slider.setAttribute('aria-valuetext', `${digits(value)} ${column.unit}`.trim());
    number.value = String(Number(value.toPrecision(5)));
  };
  const take = (next: number) => {
    value = next;
    show();
    onChange();
  };
  const element = h(
    'div',
    { class: 'control' },
    h('label', { for: id, title: meaning }, name),
    number,
    h('span', { class: 'unit' }, column.unit),
    slider,
  );
  return {
    element,
    value: () => value,
    set(next) {
      if (typeof next !== 'number') return;
      value = next;
      show();
    },
  };
}

function simplexControl(
  { name, meaning, labels = [] }: ShownParameter,
  columns: readonly Column[],
  onChange: () => void,
): Control {
  let parts = labels.map(() => 1 / labels.length);
  const rows = columns.map((_, i) => {
    const id = newId();
    const slider = h('input', {
      ...{ type: 'range', id, min: 0, max: STEPS, step: 1 },
      input: () => move(i, Number(slider.value) / STEPS),
    });
    const text = h('output', { for: id });
    return { slider, text, row: h('div', { class: 'part' }, h('label', { for: id }, labels[i]), slider, text) };
  });
  const show = () =>
    rows.forEach(({ slider, text }, i) => {
      slider.value = String(Math.round(STEPS * parts[i]!));
      const percent = `${digits(100 * parts[i]!, 3)} %`;
      slider.setAttribute('aria-valuetext', percent);
      say(text, percent);
    });
  /** One part is moved, and the others share what is left as they did before. */
  const move = (moved: number, share: number) => {
    const rest = parts.reduce((sum, part, i) => (i === moved ? sum : sum + part), 0);
    const next = parts.map((part, i) => {
      if (i === moved) return share;
      return rest > 0 ? (part / rest) * (1 - share) : (1 - share) / (parts.length - 1);
    });
    const total = next.reduce((sum, part) => sum + part, 0);
    parts = next.map((part) => part / total);
    show();
    onChange();
  };
  return {
    element: h(
      'fieldset',
      { class: 'control simplex' },
      h('legend', { title: meaning }, name),
      rows.map(({ row }) => row),
    ),
    value: () => parts,
    set(next) {
      if (!Array.isArray(next) || next.length !== labels.length) return;
      parts = next as number[];
      show();
    },
  };
}

function boxControl({ name, meaning }: ShownParameter, onChange: () => void): Control {
  const box = h('input', { type: 'checkbox', change: onChange });
  return {
    element: h('label', { class: 'control box', title: meaning }, box, name),
    value: () => box.checked,
    set: (next) => void (box.checked = next === true),
  };
}

function choiceControl({ name, meaning }: ShownParameter, choices: readonly string[], onChange: () => void): Control {
  const id = newId();
  const select = h(
    'select',
    { id, change: onChange },
    choices.map((each) => h('option', { value: each }, each)),
  );
  return {
    element: h('div', { class: 'control choice' }, h('label', { for: id, title: meaning }, name), select),
    value: () => select.value,
    set: (next) => void (select.value = String(next)),
  };
}
