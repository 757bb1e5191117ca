/** A small picture for each parameter: what was evaluated, the policy's mean and spread, the hidden value. */
import type { RunData } from '../../analysis/run-data.ts';
import { trajectoryPaths } from '../../charts/trajectory.ts';
import { card, fill, h, say, svg } from '../dom.ts';
import { digits, withUnit } from '../format.ts';

const SIZE = { width: 200, height: 64 };
/** Pictures are drawn again at most this often. */
const DRAW_MS = 1000;

interface Small {
  readonly column: number;
  readonly element: HTMLElement;
  readonly picture: SVGElement;
  readonly value: HTMLElement;
  isSeen: boolean;
  drawn: number;
}

export function trajectoriesCard(data: RunData) {
  const smalls = data.columns.flatMap((column, i): Small[] => {
    // Probabilities have pictures of their own.
    if (column.label !== undefined && data.description.parameters.length < data.columns.length) return [];
    const { name, unit, log, choices, parameter } = column;
    const [low, high] = data.range(i);
    const ends = choices ? [choices[0], choices.at(-1)] : [digits(low, 3), digits(high, 3)];
    const value = h('span', { class: 'value' });
    const picture = svg('svg', {
      ...{ viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    });
    const element = h(
      'li',
      { title: parameter.meaning },
      h('div', { class: 'head' }, h('span', { class: 'name' }, name), value),
      h('div', { class: 'body' }, h('div', { class: 'ends' }, h('span', {}, ends[1]), h('span', {}, ends[0])), picture),
      h('div', { class: 'note' }, `${unit}${log ? `${unit === '' ? '' : ', '}log scale` : ''}`),
    );
    return [{ column: i, element, picture, value, isSeen: false, drawn: -1 }];
  });
  const list = h(
    'ul',
    { class: 'trajectories' },
    smalls.map(({ element }) => element),
  );
  const key = h('p', { class: 'note' });
  const element = card('Parameters over the evaluations', { class: 'wide' }, key, list);
  element.hidden = smalls.length === 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let drawnAt = -Infinity;
  let state = 0;
  const draw = () => {
    timer = undefined;
    drawnAt = performance.now();
    say(key, keyOf(data));
    for (const small of smalls) if (small.isSeen && small.drawn !== state) drawSmall(data, small, state);
  };
  const soon = () => {
    timer ??= setTimeout(draw, Math.max(0, drawnAt + DRAW_MS - performance.now()));
  };
  // Those that are out of sight are drawn when they come into it.
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const small = smalls.find(({ element: own }) => own === target);
        if (small) small.isSeen = isIntersecting;
      }
      if (state > 0) soon();
    },
    { rootMargin: '400px' },
  );
  for (const { element: own } of smalls) seen.observe(own);
  return {
    element,
    update() {
      state++;
      soon();
    },
    close() {
      clearTimeout(timer);
      seen.disconnect();
    },
  };
}

function keyOf({ notes, description }: RunData): string {
  const policy = notes.some(({ mean }) => mean !== undefined)
    ? 'Line and band: mean and standard deviation of the policy. '
    : 'The client of this run tells of no policy. ';
  const truth = description.truth ? ' Dashed: the hidden value.' : '';
  return `Dots: evaluations. ${policy}Ring: the best evaluation.${truth}`;
}

function drawSmall(data: RunData, small: Small, state: number): void {
  const { column, picture, value, element } = small;
  small.drawn = state;
  const { dots, mean, band, truth, best } = trajectoryPaths(data, column, SIZE);
  const own = data.columns[column]!;
  const policy = data.notes.findLast((note) => note.mean !== undefined)?.mean?.[column];
  const latest = policy ?? data.rows.at(-1)?.theta[column];
  say(value, withUnit(latest, own.unit));
  element.setAttribute(
    'aria-label',
    `${own.name}: ${policy === undefined ? 'latest' : 'mean of the policy'} ${withUnit(latest, own.unit)}`,
  );
  fill(
    picture,
    svg('path', { d: band, class: 'band' }),
    svg('path', { d: dots, class: 'dots' }),
    truth !== undefined && svg('path', { d: `M0 ${truth}H${SIZE.width}`, class: 'truth' }),
    svg('path', { d: mean, class: 'mean' }),
    best && svg('circle', { cx: best[0], cy: best[1], r: 3.5, class: 'best' }),
  );
}
