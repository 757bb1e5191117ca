import type { App, Change } from './app.ts';
import type { Route } from './route.ts';
import type { RunData } from '../analysis/run-data.ts';

/** One page of the page. */
export interface PageView {
  readonly element: HTMLElement;
  /** Draws what has changed. */
  update(change: Change): void;
  /** Called when the colours have changed. */
  redraw?(): void;
  close?(): void;
}

/** What a view of a run is made with. */
export interface RunPlace {
  readonly app: App;
  readonly route: Route;
  readonly data: RunData;
}
