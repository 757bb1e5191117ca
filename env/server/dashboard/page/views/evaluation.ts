/** One evaluation, whole: θ, seeds, scores, training, pictures, and how to repeat it. */
import { flatTheta, numberOf, shareOf } from '../../analysis/columns.ts';
import { lossChart } from '../../charts/loss.ts';
import { Chart } from '../chart.ts';
import { card, copyButton, fill, h, say } from '../dom.ts';
import { digits, duration, time, valueText, withUnit } from '../format.ts';
import { hashOf } from '../route.ts';
import type { EvaluationDetail } from '../source.ts';
import type { RunPlace, PageView } from '../view.ts';
import { shortName } from './evaluations.ts';
import { picturesOf, strips } from './strips.ts';

const SEEDS: Readonly<Record<string, string>> = { initialisation: 'first weights' };

export function evaluationView({ app, data, route }: RunPlace): PageView {
  const step = route.step!;
  const { run } = data.description;
  const element = h('div', { class: 'view' }, h('p', { class: 'note' }, 'Loading …'));
  const charts: Chart[] = [];
  let isClosed = false;
  app.source.evaluation(run, step).then(
    (detail) => {
      if (isClosed) return;
      fill(element, ...parts({ app, data, route }, detail, charts));
    },
    (error: unknown) => fill(element, h('p', { class: 'trouble', role: 'alert' }, (error as Error).message)),
  );
  return {
    element,
    update: () => {},
    redraw: () => charts.forEach((chart) => chart.draw()),
    close() {
      isClosed = true;
      charts.forEach((chart) => chart.close());
    },
  };
}

function parts({ app, data, route }: RunPlace, { entry, losses }: EvaluationDetail, charts: Chart[]): HTMLElement[] {
  const { description, rewards, rows } = data;
  const { run } = description;
  const place = data.find(entry.step_id);
  const rank = entry.reward === null ? 0 : 1 + rewards.filter((reward) => reward > entry.reward!).length;
  const neighbour = (shift: number, text: string) => {
    const row = place < 0 ? undefined : rows[place + shift];
    return row
      ? h('a', { href: hashOf('evaluation', run, row.step_id) }, text)
      : h('span', { class: 'note', 'aria-hidden': 'true' }, text);
  };
  const head = h(
    'div',
    { class: 'row lead' },
    h('a', { href: hashOf('evaluations', run) }, 'All evaluations'),
    neighbour(-1, '← the one before'),
    neighbour(1, 'the next one →'),
  );
  const facts: [string, string][] = [
    ['Outcome', entry.outcome],
    [
      `Reward (${description.reward})`,
      entry.reward === null ? '–' : `${digits(entry.reward, 6)}, place ${rank} of ${data.scored().length}`,
    ],
    [
      'Number',
      `${entry.seq}${entry.accepted_at === undefined ? '' : `, accepted ${time(Date.parse(entry.accepted_at))}`}`,
    ],
    ...(entry.seed === undefined ? [] : [['Seed', String(entry.seed)] as [string, string]]),
    [
      'Seeds',
      Object.entries(entry.seeds)
        .map(([name, seed]) => `${SEEDS[name] ?? name} ${seed}`)
        .join(', '),
    ],
    ...(entry.repro
      ? [['Build', [entry.repro.build, entry.repro.backend].filter(Boolean).join('; ')] as [string, string]]
      : []),
  ];
  const summary = card(
    `Evaluation ${shortName(entry.step_id)}`,
    { class: 'half' },
    h(
      'dl',
      { class: 'facts' },
      facts.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
    ),
    entry.reason !== undefined && h('p', { class: 'trouble' }, entry.reason),
    h(
      'div',
      { class: 'row' },
      copyButton('Copy θ as JSON', () => JSON.stringify(entry.theta)),
      description.shows &&
        app.source.live &&
        h('a', { href: hashOf('playground', run, entry.step_id) }, 'Open in the playground'),
    ),
    ...repeatIt(entry, run),
  );
  return [
    head,
    summary,
    card('Scores', { class: 'half' }, scoresTable(data, { entry }), h('h3', {}, 'Time'), timing(entry.timing)),
    ...trainingCard(data, { entry, ...(losses && { losses }) }, charts),
    card('θ', { class: 'wide' }, thetaTable(data, { entry })),
    ...repeats(data, entry.step_id),
    ...(app.source.live && description.shows ? [scenesOf({ app, data, route }, entry)] : []),
  ];
}

/** How to repeat it, where a server has it. */
function repeatIt({ step_id, accepted_at }: EvaluationDetail['entry'], run: string): HTMLElement[] {
  if (accepted_at === undefined) return [];
  const note = 'The same θ and seeds give the same reward, to the bit, on the same build and backend.';
  return [h('h3', {}, 'Repeat it'), h('p', { class: 'note' }, note), replay(run, step_id)];
}

function replay(run: string, step: string): HTMLElement {
  const quoted = (text: string) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
  const server = location.protocol.startsWith('http') ? ` --url ${location.origin.replace(/^http/, 'ws')}` : '';
  const line = `node --import tsx agents/history.ts replay ${quoted(run)} ${quoted(step)}${server}`;
  return h(
    'div',
    { class: 'command' },
    h('pre', { tabindex: '0' }, line),
    copyButton('Copy', () => line),
  );
}

function scoresTable({ description }: RunPlace['data'], { entry }: Pick<EvaluationDetail, 'entry'>): HTMLElement {
  const names = [
    ...new Set([
      ...description.metrics.map(({ name }) => name),
      ...Object.keys(entry.scores),
      ...Object.keys(entry.test_scores ?? {}),
    ]),
  ];
  const meaning = (name: string) => description.metrics.find((metric) => metric.name === name)?.meaning ?? '';
  const tested = entry.test_scores !== undefined;
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['metric', 'validation', ...(tested ? ['test'] : [])].map((name, i) =>
          h('th', { scope: 'col', class: i > 0 ? 'number' : '' }, name),
        ),
      ),
    ),
    h(
      'tbody',
      {},
      names.map((name) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row', title: meaning(name) }, name === description.reward ? `${name} (reward)` : name),
          h('td', { class: 'number' }, digits(entry.scores[name], 6)),
          tested && h('td', { class: 'number' }, digits(entry.test_scores?.[name], 6)),
        ),
      ),
    ),
  );
}

function timing(times: Readonly<Record<string, number>>): HTMLElement {
  const phases = {
    queue_ms: 'in the queue',
    simulate_ms: 'drawing samples',
    train_ms: 'training',
    validate_ms: 'scoring',
  };
  const all = Object.keys(phases).reduce((sum, phase) => sum + (times[phase] ?? 0), 0);
  return h(
    'ul',
    { class: 'timing' },
    Object.entries(phases).map(([phase, name]) =>
      h(
        'li',
        {},
        h('span', {}, name),
        h('span', { class: 'bar' }, h('span', { style: { width: `${(100 * (times[phase] ?? 0)) / (all || 1)}%` } })),
        h('span', { class: 'number' }, duration(times[phase] ?? 0)),
      ),
    ),
  );
}

function trainingCard(
  data: RunPlace['data'],
  { entry, losses = [] }: EvaluationDetail,
  charts: Chart[],
): HTMLElement[] {
  const early = entry.early_scores ?? [];
  if (losses.length < 2 && early.length === 0) {
    const why =
      'The server remembers the losses of its latest trainings only, and not beyond its end; it has none of this one.';
    return [card('Training', { class: 'wide' }, h('p', { class: 'note' }, why))];
  }
  const chart = new Chart('Loss and early scores over the training');
  charts.push(chart);
  const { reward } = data.description;
  const said = losses.length > 1 ? `The loss goes from ${digits(losses[0]![1])} to ${digits(losses.at(-1)![1])}.` : '';
  chart.set((palette) => lossChart(losses, early, { name: reward, final: entry.scores[reward] }, palette), said);
  return [card('Training', { class: 'wide' }, chart.element)];
}

function thetaTable(
  { columns, description }: RunPlace['data'],
  { entry }: Pick<EvaluationDetail, 'entry'>,
): HTMLElement {
  const flat = flatTheta(columns, entry.theta);
  const truth = description.truth ? flatTheta(columns, description.truth) : undefined;
  return h(
    'ul',
    { class: 'theta' },
    columns.map((column, i) => {
      const value = flat[i];
      const range = column.range;
      const share = range && !column.choices ? shareOf(column, numberOf(column, value), range) : undefined;
      const hidden = truth && range ? shareOf(column, numberOf(column, truth[i]), range) : undefined;
      const percent = (at: number) => `${(100 * Math.min(1, Math.max(0, at))).toFixed(1)}%`;
      return h(
        'li',
        { title: column.parameter.meaning },
        h('span', { class: 'name' }, column.name),
        h('span', { class: 'number' }, withUnit(value, column.unit)),
        h(
          'span',
          { class: 'scale', 'aria-hidden': 'true' },
          share !== undefined && h('span', { class: 'mark', style: { left: percent(share) } }),
          hidden !== undefined &&
            !Number.isNaN(hidden) &&
            h('span', { class: 'hidden-value', style: { left: percent(hidden) } }),
        ),
        range && h('span', { class: 'note ends' }, `${valueText(range[0])} … ${valueText(range[1])}`),
      );
    }),
  );
}

/** Other evaluations of the same θ. */
function repeats(data: RunPlace['data'], step: string): HTMLElement[] {
  const place = data.find(step);
  if (place < 0) return [];
  const same = data.keys.flatMap((key, i) => (i !== place && key === data.keys[place] ? [i] : []));
  if (same.length === 0) return [];
  return [
    card(
      'The same θ with other seeds',
      { class: 'wide' },
      h(
        'ul',
        { class: 'chips' },
        same
          .slice(0, 60)
          .map((i) =>
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
      ),
    ),
  ];
}

/** The samples that the model was trained on, and on request what it predicts. */
function scenesOf({ app, data }: RunPlace, { theta, seeds, step_id }: EvaluationDetail['entry']): HTMLElement {
  const { run } = data.description;
  const scenes = h('div', { class: 'strips' });
  const predicted = h('div', { class: 'strips' });
  const says = h('p', { class: 'note', role: 'status' });
  void picturesOf(scenes, () => app.source.pictures({ run, theta, seed: seeds['simulation']! }));
  const button: HTMLButtonElement = h(
    'button',
    {
      type: 'button',
      disabled: !app.may('agent'),
      click: () => {
        button.disabled = true;
        say(says, 'The model is trained again …');
        app.source.predictions(run, step_id).then(
          (all) => {
            say(says, '');
            fill(predicted, strips(all));
          },
          (error: unknown) => {
            say(says, (error as Error).message);
            button.disabled = false;
          },
        );
      },
    },
    'Train it again, and show what it predicts',
  );
  const why = app.may('agent')
    ? 'The model was not kept. This repeats the whole evaluation, in its turn with those of all agents.'
    : 'The model was not kept, and repeating the evaluation takes the token of an agent.';
  return card(
    'Its first training samples, and what the model predicts',
    { class: 'wide' },
    scenes,
    h('div', { class: 'row' }, button, says),
    h('p', { class: 'note' }, why),
    predicted,
  );
}
