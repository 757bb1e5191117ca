/** The server: its workers, its queue, its sessions, and how much it gets done. */
import { runName } from '../../analysis/run-data.ts';
import type { ServerState } from '../../answers.ts';
import type { App } from '../app.ts';
import { card, fill, h, say } from '../dom.ts';
import { digits, plural, time } from '../format.ts';
import { hashOf } from '../route.ts';
import type { PageView } from '../view.ts';

/** Throughput is counted over this time. */
const WINDOW_MS = 30_000;

/** The columns of the tables that are numbers. */
const NUMBERS = ['evaluations', 'under way', 'running', 'places'];

function tableOf(name: string, heads: readonly string[], body: HTMLElement): HTMLElement {
  const cells = heads.map((head) => h('th', { scope: 'col', class: NUMBERS.includes(head) ? 'number' : '' }, head));
  return h(
    'div',
    { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': name },
    h('table', {}, h('thead', {}, h('tr', {}, cells)), body),
  );
}

export function serverView(app: App): PageView {
  const tiles = h('dl', { class: 'tiles' });
  const values = new Map<string, HTMLElement>();
  const set = (name: string, text: string) => {
    let value = values.get(name);
    if (!value) {
      value = h('span', { class: 'value' });
      values.set(name, value);
      tiles.append(h('div', {}, h('dt', {}, name), h('dd', {}, value)));
    }
    say(value, text);
  };
  const counted: { at: number; evaluated: number; started: number }[] = [];
  const rows = h('tbody');
  const about = h('p', { class: 'note' });
  const trouble = h('p', { class: 'trouble', role: 'alert' });
  const close = async (run: string) => {
    if (!confirm('Close this session? Its running evaluations are cancelled, and its client cannot go on with it.'))
      return;
    try {
      await app.server!.closeRun(run);
      say(trouble, '');
    } catch (error) {
      say(trouble, (error as Error).message);
    }
  };
  const mayClose = app.may('admin');
  const heads = ['run', 'state', 'evaluations', 'under way', 'latest', ...(mayClose ? [''] : [])];
  const sessions = tableOf('Table of runs', heads, rows);
  const machineRows = h('tbody');
  const machines = tableOf(
    'Table of workers',
    ['host', 'state', 'running', 'places', 'backends', 'build'],
    machineRows,
  );
  const showMachines = (all: ServerState['server']['machines']) =>
    fill(
      machineRows,
      all.map(({ id, host, state, reason, running, places, backends = {}, build = '' }) =>
        h(
          'tr',
          { title: id },
          h('td', {}, host),
          h('td', {}, state, reason !== undefined && h('p', { class: 'note' }, reason)),
          h('td', { class: 'number' }, running),
          h('td', { class: 'number' }, places),
          h('td', {}, [...new Set(Object.values(backends))].join(', ')),
          h('td', {}, build),
        ),
      ),
    );
  const showRuns = () =>
    fill(
      rows,
      app.runs.slice(0, 200).map((entry) => {
        const live = app.frame?.runs.find(({ run }) => run === entry.run);
        const state = !live ? 'closed' : live.attached ? 'connected' : 'waits for its client';
        return h(
          'tr',
          {},
          h('td', {}, h('a', { href: hashOf('live', entry.run) }, runName(entry))),
          h('td', {}, state),
          h('td', { class: 'number' }, (live?.seq ?? entry.seq).toLocaleString('en')),
          h('td', { class: 'number' }, live?.in_flight ?? 0),
          h('td', {}, time(entry.latest_at)),
          mayClose && h('td', {}, live && h('button', { type: 'button', click: () => void close(entry.run) }, 'Close')),
        );
      }),
    );
  return {
    element: h(
      'div',
      { class: 'view' },
      tiles,
      card('Workers', { class: 'wide' }, machines),
      card('Runs', { class: 'wide' }, trouble, sessions),
      about,
    ),
    update({ frame, runs }) {
      const server = app.frame?.server;
      if (frame && server) {
        const now = performance.now();
        counted.push({ at: now, evaluated: server.evaluated, started: server.started_at });
        while (counted.length > 2 && (now - counted[0]!.at > WINDOW_MS || counted[0]!.started !== server.started_at)) {
          counted.shift();
        }
        const [first] = counted;
        const ms = now - first!.at;
        set('Workers', `${server.ready_workers} of ${server.workers} ready`);
        set('Running', String(server.running));
        set('Waiting', String(server.queued));
        set('Evaluations a minute', ms > 3000 ? digits(((server.evaluated - first!.evaluated) / ms) * 60_000, 3) : '…');
        set('Workers replaced', String(server.restarts));
        showMachines(server.machines);
        set('Memory', `${Math.round(server.memory_bytes / 2 ** 20)} MiB`);
        say(
          about,
          `${server.build}. The process began ${time(server.started_at)}, and has ended ${plural(server.evaluated, 'evaluation')} since. ` +
            'The memory is that of the server’s process, without its workers.',
        );
      }
      if (frame || runs) showRuns();
    },
  };
}
