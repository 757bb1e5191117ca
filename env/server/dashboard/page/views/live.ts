/** A run while it goes on: rewards, the policy, what is evaluated at this moment, scenes of θ. */
import { noiseOf, thetaGroups, withIntervals } from '../../analysis/noise.ts';
import type { RunData } from '../../analysis/run-data.ts';
import { proportionsChart, simplexesOf } from '../../charts/proportions.ts';
import { rewardChart } from '../../charts/reward.ts';
import type { App } from '../app.ts';
import { Chart } from '../chart.ts';
import { card, choice, h, say } from '../dom.ts';
import { digits, duration, plural } from '../format.ts';
import { hashOf } from '../route.ts';
import type { RunPlace, PageView } from '../view.ts';
import { predictionsCard } from './predictions.ts';
import { scenesCard } from './scenes.ts';
import { trajectoriesCard } from './trajectories.ts';
import { underwayCard } from './underway.ts';

/** The time over which evaluations a minute are counted. */
const RATE_MS = 60_000;

export function liveView({ app, data }: RunPlace): PageView {
  const { description } = data;
  const tiles = new Tiles(data, app);
  let last = 0;
  const rewards = new Chart('Reward of every evaluation', 'tall');
  const drawRewards = () => {
    const thetas = thetaGroups(data);
    const noise = noiseOf(data, thetas);
    const groups = withIntervals(thetas, noise);
    rewards.set((palette) => rewardChart(data, groups, noise, palette, { last }), summaryOf(data));
  };
  const zoom = choice(
    'Show',
    [
      ['0', 'all evaluations'],
      ['1000', 'the last 1,000'],
      ['100', 'the last 100'],
    ],
    '0',
    (value) => {
      last = Number(value);
      drawRewards();
    },
  );
  rewards.on('click', ({ value }: { value?: unknown }) => {
    const row = Array.isArray(value) && data.rows.find(({ seq }) => seq === value[0]);
    if (row) location.hash = hashOf('evaluation', description.run, row.step_id);
  });
  const proportions = simplexesOf(data).map((name) => {
    const meaning = description.parameters.find((parameter) => parameter.name === name)!.meaning;
    const chart = new Chart(`Probabilities of ${name} over the evaluations`);
    return {
      name,
      chart,
      card: card(name, { class: 'half' }, h('p', { class: 'note' }, meaning, truthNote(data)), chart.element),
    };
  });
  const trajectories = trajectoriesCard(data);
  const underway = underwayCard(app, data);
  const scenes = app.source.live ? scenesCard(app, data) : undefined;
  const predictions = app.server ? predictionsCard(app, data) : undefined;
  const element = h(
    'div',
    { class: 'view' },
    h('p', { class: 'lead' }, description.title),
    description.unknown !== undefined &&
      h(
        'p',
        { class: 'note' },
        `Parameters and scores are shown as the evaluations have them, without units and bounds: ${description.unknown}.`,
      ),
    tiles.element,
    card(
      `Reward: ${description.reward}`,
      { class: 'wide' },
      h(
        'div',
        { class: 'row' },
        zoom,
        h(
          'span',
          { class: 'note' },
          'Zoom with Ctrl and the wheel or two fingers, drag, and double-click for all of it.',
        ),
      ),
      rewards.element,
    ),
    underway.element,
    scenes?.element,
    predictions?.element,
    ...proportions.map((each) => each.card),
    trajectories.element,
  );
  return {
    element,
    update({ frame, data: changed }) {
      const isOurs = changed.has(description.run);
      if (frame || isOurs) tiles.update();
      if (frame) {
        underway.update();
        predictions?.update();
      }
      if (!isOurs) return;
      drawRewards();
      for (const { name, chart } of proportions) {
        chart.set((palette) => proportionsChart(data, name, palette), `Probabilities of ${name}.`);
      }
      trajectories.update();
      scenes?.update();
    },
    redraw() {
      rewards.draw();
      for (const { chart } of proportions) chart.draw();
    },
    close() {
      rewards.close();
      for (const { chart } of proportions) chart.close();
      trajectories.close();
      scenes?.close();
      predictions?.close();
    },
  };
}

function truthNote({ description }: RunData): string {
  return description.truth ? ' Dashed: the hidden values.' : '';
}

/** What the chart of rewards says, in words. */
function summaryOf(data: RunData): string {
  const best = data.best();
  if (best < 0) return `${plural(data.rows.length, 'evaluation')}, none with a reward yet.`;
  const { seq } = data.rows[best]!;
  return (
    `${plural(data.rows.length, 'evaluation')}. The best reward is ${digits(data.rewards[best])}, of evaluation ${seq}; ` +
    `the latest is ${digits(data.rows.at(-1)!.reward)}. The view Evaluations has them as a table.`
  );
}

/** The figures above the charts. */
class Tiles {
  readonly element = h('dl', { class: 'tiles' });
  private readonly parts = new Map<string, { value: HTMLElement; note: HTMLElement }>();

  constructor(
    private readonly data: RunData,
    private readonly app: App,
  ) {
    const names = ['Best reward', 'Evaluations', 'A minute', 'At this moment', 'State'];
    for (const name of app.source.live ? names : names.slice(0, 2)) {
      const [value, note] = [h('span', { class: 'value' }), h('span', { class: 'note' })];
      this.parts.set(name, { value, note });
      this.element.append(h('div', {}, h('dt', {}, name), h('dd', {}, value, note)));
    }
  }

  update(): void {
    const { data, app } = this;
    const best = data.best();
    const noise = noiseOf(data);
    this.set(
      'Best reward',
      best < 0 ? '–' : digits(data.rewards[best]),
      noise ? `noise ${noise.from === 'neighbours' ? 'at most ' : ''}± ${digits(noise.sd, 2)} (sd)` : '',
    );
    const failed = data.rows.filter(({ outcome }) => outcome !== 'ok').length;
    this.set('Evaluations', data.rows.length.toLocaleString('en'), failed > 0 ? `${failed} without a reward` : '');
    if (!app.source.live) return;
    const rate = ratePerMinute(data);
    const usual = medianMs(data);
    const live = app.frame?.runs.find(({ run }) => run === data.description.run);
    const isIdle = !live?.attached && !live?.in_flight && !Number.isNaN(rate);
    const each = Number.isNaN(usual) ? '' : `${isIdle ? ', ' : ''}one takes ${duration(usual)}`;
    this.set('A minute', digits(rate, 3), `${isIdle ? 'while it ran' : ''}${each}`);
    const running = app.frame?.underway.filter(({ session_id }) => session_id === data.description.run).length ?? 0;
    const waiting = Math.max(0, (live?.in_flight ?? 0) - running);
    this.set('At this moment', `${running} running`, waiting > 0 ? `${waiting} waiting` : '');
    const state = !live ? 'ended' : live.attached ? 'connected' : 'waiting';
    const why = !live ? 'its session is closed' : live.attached ? '' : 'for its client';
    this.set('State', state, why);
  }

  private set(name: string, value: string, note: string): void {
    const part = this.parts.get(name)!;
    say(part.value, value);
    say(part.note, note);
  }
}

/** How many evaluations a minute ended over the last minute of the run, or over all of a shorter one. */
function ratePerMinute({ rows }: RunData): number {
  const last = rows.at(-1);
  if (!last || rows.length < 2) return NaN;
  let first = rows.length - 1;
  while (first > 0 && last.end - rows[first - 1]!.end < RATE_MS) first--;
  const ms = last.end - rows[first]!.end;
  const count = rows.length - 1 - first;
  return ms > 0 ? (count / ms) * 60_000 : NaN;
}

function medianMs({ rows }: RunData): number {
  const times = rows
    .slice(-100)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? NaN;
}
