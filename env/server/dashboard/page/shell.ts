/** What surrounds every view: the header with the run and the tabs, and the line that says how the connection is. */
import { runName } from '../analysis/run-data.ts';
import type { App, Change } from './app.ts';
import { fill, h, newId, say } from './dom.ts';
import { hashOf, routeOf, VIEWS, type Route, type ViewName } from './route.ts';
import { nextTheme, onTheme, themeName } from './theme.ts';
import type { PageView } from './view.ts';
import { compareView } from './views/compare.ts';
import { evaluationView } from './views/evaluation.ts';
import { evaluationsView } from './views/evaluations.ts';
import { liveView } from './views/live.ts';
import { playgroundView } from './views/playground.ts';
import { serverView } from './views/server.ts';
import { understandView } from './views/understand.ts';
import type { RunPlace } from './view.ts';

const OF_A_RUN: Partial<Record<ViewName, (place: RunPlace) => PageView>> = {
  live: liveView,
  evaluations: evaluationsView,
  evaluation: evaluationView,
  understand: understandView,
  playground: playgroundView,
};

const THEME_TEXT = { system: 'as the system', light: 'light', dark: 'dark' } as const;
const THEME_SIGN = { system: '◐', light: '☀', dark: '☾' } as const;

export class Shell {
  readonly header: HTMLElement;
  /** Read aloud when it changes. */
  readonly status = h('p', { class: 'status', role: 'status' });
  onLogout: () => void = () => {};
  private readonly endTheme: () => void;
  private readonly tabs: ReadonlyMap<string, HTMLAnchorElement>;
  private readonly select: HTMLSelectElement;
  private readonly light = h('span', { class: 'light', 'aria-hidden': 'true' });
  private view: PageView | undefined;
  private route: Route = routeOf('');
  /** Counts the views, so that one that took long to load does not replace a later one. */
  private visit = 0;

  constructor(
    private readonly app: App,
    private readonly main: HTMLElement,
  ) {
    const id = newId();
    this.select = h('select', {
      id,
      change: () => (location.hash = hashOf(this.tabOf(this.route.view), this.select.value)),
    });
    this.tabs = new Map(
      Object.entries(VIEWS)
        .filter(([name]) => app.source.live || (name !== 'playground' && name !== 'server'))
        .map(([name, text]) => [name, h('a', { href: hashOf(name as ViewName) }, text)]),
    );
    const theme = h('button', { type: 'button', class: 'quiet', click: () => nextTheme() });
    const nameTheme = () => {
      const text = `Colours: ${THEME_TEXT[themeName()]}`;
      say(theme, THEME_SIGN[themeName()]);
      theme.setAttribute('aria-label', text);
      theme.title = text;
    };
    nameTheme();
    this.endTheme = onTheme(() => {
      nameTheme();
      this.view?.redraw?.();
    });
    this.header = h(
      'header',
      {},
      h('div', { class: 'title' }, this.light, h('h1', {}, 'Learning to Simulate')),
      h('div', { class: 'run' }, h('label', { for: id }, 'Run'), this.select),
      h(
        'div',
        { class: 'tools' },
        theme,
        app.source.visitor.needsToken &&
          h('button', { type: 'button', class: 'quiet', click: () => this.onLogout() }, 'Forget the token'),
      ),
      h('nav', { 'aria-label': 'Views' }, ...this.tabs.values()),
    );
    this.showConnection();
  }

  /** Ends the view, and listens to nothing any more. */
  close(): void {
    this.visit++;
    this.view?.close?.();
    this.view = undefined;
    this.endTheme();
  }

  private tabOf(view: ViewName): ViewName {
    return view === 'evaluation' ? 'evaluations' : view;
  }

  /** Shows the view of an address. */
  go(route: Route): void {
    const run = route.run ?? this.app.runs[0]?.run;
    const before = this.route;
    this.route = { ...route, run };
    this.showTabs();
    this.showRuns();
    if (before.view !== this.route.view) window.scrollTo(0, 0);
    void this.open(this.route, ++this.visit);
  }

  private async open(route: Route, visit: number): Promise<void> {
    const place = () => this.visit === visit;
    const title = route.view === 'evaluation' ? 'Evaluation' : VIEWS[route.view];
    document.title = `${title} · Learning to Simulate`;
    try {
      let view: PageView;
      const make = OF_A_RUN[route.view];
      if (make) {
        if (route.run === undefined) return this.show(nothingYet(this.app));
        const waiting = setTimeout(() => place() && this.show(loading()), 150);
        const data = await this.app.run(route.run).finally(() => clearTimeout(waiting));
        if (!place()) return;
        this.app.watch([route.run]);
        view = make({ app: this.app, route, data });
      } else {
        this.app.watch([]);
        view = route.view === 'compare' ? compareView(this.app, route.run) : serverView(this.app);
      }
      this.show(view);
    } catch (error) {
      if (!place()) return;
      this.show({
        element: h('p', { class: 'trouble', role: 'alert' }, (error as Error).message),
        update: () => {},
      });
    }
  }

  private show(view: PageView): void {
    this.view?.close?.();
    this.view = view;
    fill(this.main, view.element);
    view.update({ frame: true, runs: true, data: new Set(this.route.run === undefined ? [] : [this.route.run]) });
  }

  update(change: Change): void {
    if (change.frame) this.showConnection();
    if (change.runs) {
      this.showRuns();
      // The first run has come to a page that had none to show.
      if (this.route.run === undefined && this.app.runs.length > 0) return this.go(routeOf(location.hash));
    }
    this.view?.update(change);
  }

  private showTabs(): void {
    const current = this.tabOf(this.route.view);
    for (const [name, tab] of this.tabs) {
      tab.href = hashOf(name as ViewName, this.route.run);
      if (name === current) {
        tab.setAttribute('aria-current', 'page');
        tab.scrollIntoView({ block: 'nearest', inline: 'nearest' }); // on a telephone, not all are in sight
      } else tab.removeAttribute('aria-current');
    }
  }

  private showRuns(): void {
    const { run } = this.route;
    const options = this.app.runs.map(
      (entry) => [entry.run, `${runName(entry)}${entry.open ? '' : ' (closed)'}`] as const,
    );
    if (run !== undefined && !options.some(([id]) => id === run)) options.unshift([run, run]);
    const wanted = JSON.stringify(options);
    if (this.select.dataset['shown'] !== wanted) {
      this.select.dataset['shown'] = wanted;
      fill(
        this.select,
        options.map(([value, text]) => h('option', { value }, text)),
      );
      if (options.length === 0) fill(this.select, h('option', { value: '' }, 'none yet'));
    }
    if (run !== undefined) this.select.value = run;
  }

  private showConnection(): void {
    const { source, connection, frame, trouble } = this.app;
    const words = {
      connecting: 'Connecting to the server …',
      live: '',
      lost: 'The connection to the server is lost. This page shows what it has, and tries again.',
    }[source.live ? connection : 'live'];
    const { failure, queue_failure: lost } = frame?.server ?? {};
    const text = [
      words,
      failure !== undefined ? `The server cannot write its journal (${failure}), and takes no new evaluations.` : '',
      lost !== undefined ? `The queue cannot be reached (${lost}); what was asked for waits.` : '',
      frame?.server.draining ? 'The server is stopping.' : '',
      trouble ?? '',
    ];
    this.light.dataset['state'] = source.live ? connection : 'file';
    this.light.title = source.live ? `connection: ${connection}` : 'from a file';
    say(this.status, text.filter(Boolean).join(' '));
  }
}

function nothingYet(app: App): PageView {
  const element = h(
    'section',
    { class: 'card' },
    h('h2', {}, 'Nothing has been evaluated yet'),
    h('p', {}, 'As soon as an agent connects to this server, its run appears here. For example:'),
    h(
      'pre',
      {},
      `node --import tsx agents/cem.ts --url ${location.origin.replace(/^http/, 'ws')} --evaluations 64 --seed 1`,
    ),
    app.source.live && h('p', { class: 'note' }, 'This page stays connected; you need not reload it.'),
  );
  return { element, update: () => {} };
}

const loading = (): PageView => ({ element: h('p', { class: 'note' }, 'Loading …'), update: () => {} });
