/** The address of a view, in the part after `#`: it stays on this machine, and a reload shows the same. */

export const VIEWS = {
  live: 'Live',
  evaluations: 'Evaluations',
  understand: 'Understand',
  playground: 'Playground',
  compare: 'Compare',
  server: 'Server',
} as const;

export type ViewName = keyof typeof VIEWS | 'evaluation';

export interface Route {
  readonly view: ViewName;
  readonly run: string | undefined;
  /** Of the view `evaluation`. */
  readonly step: string | undefined;
}

/** `#/live/RUN`, `#/evaluation/RUN/STEP`. */
export function routeOf(hash: string): Route {
  const [, view = '', run, step] = hash.replace(/^#/, '').split('/').map(decoded);
  const isKnown = Object.hasOwn(VIEWS, view) || (view === 'evaluation' && step !== undefined);
  return {
    view: isKnown ? (view as ViewName) : 'live',
    run: run === undefined || run === '' ? undefined : run,
    step,
  };
}

export function hashOf(view: ViewName, run?: string, step?: string): string {
  return `#/${[view, run, step]
    .filter((part) => part !== undefined)
    .map(encodeURIComponent)
    .join('/')}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
