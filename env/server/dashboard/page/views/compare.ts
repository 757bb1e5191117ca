/** Several runs beside each other: rewards over evaluations, with intervals over the seeds of an agent. */
import { defaultLevel, evaluationsToReach, meanOfLastTenth } from '../../../../../protocol/reward-curve.ts';
import { summarise, withInterval } from '../../../../../protocol/statistics.ts';
import { groupRuns, searchRewards, type RunGroup } from '../../analysis/run-groups.ts';
import { runName, type RunData } from '../../analysis/run-data.ts';
import { compareChart } from '../../charts/compare.ts';
import type { App } from '../app.ts';
import { Chart } from '../chart.ts';
import { card, fill, h, say } from '../dom.ts';
import { digits, plural } from '../format.ts';
import { hashOf } from '../route.ts';
import type { PageView } from '../view.ts';

const DRAW_MS = 1500;
/** Runs that are chosen at the beginning. */
const MOST_CHOSEN = 12;

/** @param shown the run that other views show: it is compared with those of its environment */
export function compareView(app: App, shown: string | undefined): PageView {
  const chosen = new Set<string>();
  const loaded = new Map<string, RunData>();
  let environment = app.runs.find(({ run }) => run === shown)?.spec_hash;
  let level: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let isFirst = true;
  const chart = new Chart('Mean reward of each group of runs over the evaluations', 'tall');
  const list = h('ul', { class: 'choices' });
  const says = h('p', { class: 'note', role: 'status' });
  const rows = h('tbody');
  const heads = h('tr');
  const levelField = h('input', {
    ...{ type: 'number', step: 'any', class: 'short' },
    change: () => {
      level = levelField.value === '' ? undefined : Number(levelField.value);
      draw();
    },
  });
  const spec = h('select', {
    change: () => {
      environment = spec.value;
      chosen.clear();
      chooseFirst();
      showList();
      load();
    },
  });

  /** Runs whose rewards can be compared: of one environment with the same options. */
  const comparable = () => app.runs.filter(({ spec_hash, seq }) => spec_hash === environment && seq > 0);
  const chooseFirst = () => {
    for (const { run } of comparable().slice(0, MOST_CHOSEN)) chosen.add(run);
  };
  const showList = () => {
    const specs = new Map<string, string>();
    for (const { spec_hash, env_id, seq } of app.runs) if (seq > 0) specs.set(spec_hash, env_id);
    if (environment === undefined || !specs.has(environment)) {
      environment = [...specs.keys()][0];
      isFirst = true;
    }
    if (isFirst) {
      isFirst = false;
      chosen.clear();
      chooseFirst();
      load();
    }
    fill(
      spec,
      [...specs].map(([hash, id]) =>
        h('option', { value: hash, selected: hash === environment }, `${id} (${hash.slice(0, 6)})`),
      ),
    );
    fill(
      list,
      comparable().map((entry) =>
        h(
          'li',
          {},
          h(
            'label',
            { class: 'field' },
            h('input', {
              ...{ type: 'checkbox', checked: chosen.has(entry.run) },
              change: (event) => {
                if ((event.target as HTMLInputElement).checked) chosen.add(entry.run);
                else chosen.delete(entry.run);
                load();
              },
            }),
            `${runName(entry)}, ${plural(entry.seq, 'evaluation')}`,
          ),
        ),
      ),
    );
  };
  const load = () => {
    app.watch(chosen);
    for (const run of chosen) {
      if (loaded.has(run)) continue;
      app.run(run).then(
        (data) => {
          loaded.set(run, data);
          soon();
        },
        (error: unknown) => say(says, (error as Error).message),
      );
    }
    soon();
  };
  const soon = () => {
    if (!isClosed) timer ??= setTimeout(draw, 50);
  };
  const draw = () => {
    clearTimeout(timer);
    timer = undefined;
    const data = [...chosen].flatMap((run) => loaded.get(run) ?? []).filter((each) => each.scored().length > 0);
    const groups = groupRuns(data);
    chart.element.hidden = groups.length === 0;
    if (groups.length === 0) {
      say(says, app.runs.length === 0 ? 'There is no run yet.' : 'Choose runs to compare.');
      return fill(rows);
    }
    const reached = level ?? defaultLevel(groups.map(({ runs }) => runs.map(searchRewards)));
    levelField.placeholder = digits(reached, 4);
    chart.set((palette) => compareChart(groups, reached, palette), 'The table below has the figures of each group.');
    say(says, explanation(groups));
    fill(
      heads,
      ['', 'agent', 'runs', 'evaluations', 'best', 'last tenth', `to reach ${digits(reached, 4)}`].map((name, i) =>
        h('th', { scope: 'col', class: i > 1 ? 'number' : '' }, name),
      ),
    );
    fill(
      rows,
      groups.map((group, i) => tableRow(group, reached, i)),
    );
  };
  const element = h(
    'div',
    { class: 'view' },
    card('Runs', { class: 'third' }, h('label', { class: 'field' }, h('span', {}, 'In'), spec), list),
    h(
      'div',
      { class: 'two-thirds stack' },
      card('Mean reward over the evaluations', {}, says, chart.element),
      card(
        'In figures',
        {},
        h('label', { class: 'field' }, h('span', {}, 'Reward to be reached'), levelField),
        h(
          'div',
          { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': 'Table of the comparison' },
          h('table', {}, h('thead', {}, heads), rows),
        ),
        h(
          'p',
          { class: 'note' },
          'Mean ± half of the 95 % interval (Student’s t) over the runs of a group. Best: the highest reward of a run, which is also the luckiest. ' +
            'To reach: evaluations until the mean of a tenth of the search is first that high; the median over the runs, and how many got there.',
        ),
      ),
    ),
  );
  return {
    element,
    update({ runs, data }) {
      if (runs) showList();
      if ([...data].some((run) => chosen.has(run))) timer ??= setTimeout(draw, DRAW_MS);
    },
    redraw: () => chart.draw(),
    close() {
      isClosed = true;
      clearTimeout(timer);
      chart.close();
    },
  };
}

function explanation(groups: readonly RunGroup[]): string {
  const several = groups.some(({ runs }) => runs.length > 1);
  return several
    ? 'Lines: the mean over the runs that differ in their seed alone. Bands: its 95 % interval.'
    : 'Each agent has one run here: run it with several seeds (--search-seeds 1..5) to see how far luck goes.';
}

function tableRow({ name, runs }: RunGroup, level: number, place: number): HTMLElement {
  const rewards = runs.map(searchRewards);
  const best = summarise(runs.map((run) => run.rewards[run.best()]!));
  const lasts = rewards.map(meanOfLastTenth).filter((mean) => mean !== null);
  const reached = rewards.map((all) => evaluationsToReach(all, level));
  const known = reached.filter((count) => count !== null);
  const sorted = reached.map((count) => count ?? Infinity).sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2;
  return h(
    'tr',
    {},
    h('td', {}, h('span', { class: `swatch series-${place % 8}` })),
    h('td', {}, runs.length === 1 ? h('a', { href: hashOf('live', runs[0]!.description.run) }, name) : name),
    h('td', { class: 'number' }, runs.length),
    h('td', { class: 'number' }, Math.max(...rewards.map(({ length }) => length))),
    h('td', { class: 'number' }, withInterval(best, 4)),
    h('td', { class: 'number' }, lasts.length > 0 ? withInterval(summarise(lasts), 4) : '–'),
    h(
      'td',
      { class: 'number' },
      `${Number.isFinite(median) ? Math.round(median) : '–'} (${known.length} of ${runs.length})`,
    ),
  );
}
