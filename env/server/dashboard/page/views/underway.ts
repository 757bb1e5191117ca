/** The evaluations of a run that are made at this moment: phase, share, time left, loss. */
import type { RunData } from '../../analysis/run-data.ts';
import type { Underway } from '../../answers.ts';
import type { App } from '../app.ts';
import { card, fill, h, say, svg } from '../dom.ts';
import { digits, duration } from '../format.ts';

const PHASES: Readonly<Record<string, string>> = {
  simulate: 'draws its samples',
  train: 'trains',
  validate: 'is scored',
};
const WIDTH = 160;
const HEIGHT = 36;

export function underwayCard(app: App, { description }: RunData) {
  const list = h('ul', { class: 'underway' });
  const none = h('p', { class: 'note' }, 'Nothing is evaluated at this moment.');
  const items = new Map<string, Item>();
  const element = card('Evaluations under way', { class: 'wide' }, none, list);
  const update = () => {
    const running = (app.frame?.underway ?? []).filter(({ session_id }) => session_id === description.run);
    const ids = new Set(running.map(({ step_id }) => step_id));
    for (const [id, item] of items) {
      if (ids.has(id)) continue;
      item.element.remove();
      items.delete(id);
    }
    for (const one of running) {
      let item = items.get(one.step_id);
      if (!item) {
        item = new Item(one.step_id, description.reward);
        items.set(one.step_id, item);
        list.append(item.element);
      }
      item.update(one);
    }
    none.hidden = running.length > 0;
    // A run that has ended evaluates nothing any more.
    element.hidden = !app.frame?.runs.some(({ run }) => run === description.run);
  };
  update();
  return { element, update };
}

class Item {
  readonly element: HTMLElement;
  private readonly words = h('span', { class: 'phase' });
  private readonly left = h('span', { class: 'note' });
  private readonly bar: HTMLProgressElement;
  private readonly curve = svg('svg', {
    ...{ class: 'loss', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: 'img' },
  });

  constructor(
    id: string,
    private readonly reward: string,
  ) {
    const short = id.slice(id.indexOf('/') + 1);
    this.bar = h('progress', { max: 1, 'aria-label': `How far ${short} is` });
    this.element = h('li', {}, h('strong', {}, short), this.words, this.bar, this.left, this.curve);
  }

  update({ phase, fraction, eta_ms, losses, early }: Underway): void {
    say(this.words, `${PHASES[phase] ?? phase}, ${Math.round(fraction * 100)} %`);
    this.bar.value = fraction;
    const score = early.at(-1)?.scores[this.reward];
    const text = [
      eta_ms === undefined ? '' : `about ${duration(eta_ms)} left`,
      losses.length > 0 ? `loss ${digits(losses.at(-1)![1], 3)}` : '',
      score === undefined ? '' : `${this.reward} so far ${digits(score, 3)}`,
    ];
    say(this.left, text.filter(Boolean).join(', '));
    this.draw(losses);
  }

  private draw(losses: Underway['losses']): void {
    this.curve.classList.toggle('empty', losses.length < 2);
    if (losses.length < 2) return;
    const values = losses.map(([, loss]) => loss);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const y = (loss: number) => HEIGHT - 3 - ((loss - low) / (high - low || 1)) * (HEIGHT - 6);
    const points = losses.map(([share, loss]) => `${(share * WIDTH).toFixed(1)} ${y(loss).toFixed(1)}`);
    this.curve.setAttribute('aria-label', `Loss from ${digits(values[0], 3)} to ${digits(values.at(-1), 3)}`);
    fill(this.curve, svg('path', { d: `M${points.join('L')}`, class: 'mean' }));
  }
}
