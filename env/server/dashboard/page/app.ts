/** What all views share: the source, the runs that are loaded, and the state of the server. */
import { RunData } from '../analysis/run-data.ts';
import type { ServerState, RunEntry } from '../answers.ts';
import { ServerSource, TokenError, type StreamState, type PageSource } from './source.ts';

/** What has changed since a view was last told. */
export interface Change {
  /** The state of the server. */
  readonly frame: boolean;
  /** The list of runs. */
  readonly runs: boolean;
  /** The evaluations or notes of these runs. */
  readonly data: ReadonlySet<string>;
}

/** Views are told of changes at most this often. */
const TELL_MS = 300;
/** While many rows arrive, what has come is shown this often. */
const SHOW_MS = 700;
/** What is new of a run is asked for, and its charts are drawn, at most this often: it costs the search as much each time. */
const REFRESH_MS = 2000;

/** The notes of a run that is closed: there will be no others. */
const CLOSED = -2;

interface Loading {
  readonly data: RunData;
  /** The state of the notes that were asked for. */
  notes: number;
  refreshing: Promise<void> | undefined;
  refreshedAt: number;
}

export class App {
  frame: ServerState | undefined;
  connection: StreamState = 'connecting';
  runs: readonly RunEntry[] = [];
  /** Why something could not be had, in a sentence. */
  trouble: string | undefined;
  /** Called with what has changed. */
  onChange: (change: Change) => void = () => {};
  /** Called when the server does not know the token any more. */
  onTokenRefused: (error: TokenError) => void = () => {};
  private readonly loaded = new Map<string, Promise<Loading>>();
  private changed = { frame: false, runs: false, data: new Set<string>() };
  private telling: ReturnType<typeof setTimeout> | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private toldAt = -Infinity;
  private readonly stop = new AbortController();
  /** Runs that are kept up to date. */
  private watched: ReadonlySet<string> = new Set();

  constructor(readonly source: PageSource) {}

  /** The source, if it is a server. */
  get server(): ServerSource | undefined {
    return this.source instanceof ServerSource ? this.source : undefined;
  }

  may(role: 'agent' | 'observer' | 'admin'): boolean {
    return this.source.visitor.roles.includes(role);
  }

  async start(): Promise<void> {
    await this.listRuns();
    void this.server?.listen(
      (frame) => this.hear(frame),
      (connection, error) => {
        if (error instanceof TokenError) this.onTokenRefused(error);
        if (this.connection === connection) return;
        this.connection = connection;
        this.tell({ frame: true });
      },
      this.stop.signal,
    );
  }

  close(): void {
    this.stop.abort();
    clearTimeout(this.telling);
    clearTimeout(this.waiting);
    this.onChange = () => {};
  }

  /** The runs, the latest first. */
  async listRuns(): Promise<void> {
    const runs = await this.source.runs();
    this.runs = [...runs].sort((a, b) => Number(b.open) - Number(a.open) || b.latest_at - a.latest_at);
    for (const { run, about } of this.runs) {
      if (about) void this.loaded.get(run)?.then(({ data }) => (data.description = { ...data.description, about }));
    }
    this.tell({ runs: true });
    this.refreshWatched();
  }

  /** A run with what there is of it, loaded once. @throws {Error} in a sentence */
  async run(id: string): Promise<RunData> {
    return (await this.loading(id)).data;
  }

  /** Keeps these runs up to date, and no others. */
  watch(ids: Iterable<string>): void {
    this.watched = new Set(ids);
    this.refreshWatched();
  }

  private loading(id: string): Promise<Loading> {
    let loading = this.loaded.get(id);
    if (!loading) {
      loading = this.load(id);
      this.loaded.set(id, loading);
      loading.catch(() => this.loaded.delete(id));
    }
    return loading;
  }

  private async load(id: string): Promise<Loading> {
    const data = new RunData(await this.source.describe(id));
    const loading: Loading = { data, notes: -1, refreshing: undefined, refreshedAt: -Infinity };
    await this.refresh(id, loading, this.notesOf(id));
    return loading;
  }

  private notesOf(id: string): number {
    return this.frame?.runs.find(({ run }) => run === id)?.notes ?? -1;
  }

  private refresh(id: string, loading: Loading, notes: number): Promise<void> {
    const { data } = loading;
    let shownAt = performance.now();
    const taken = () => {
      if (performance.now() - shownAt < SHOW_MS) return;
      shownAt = performance.now();
      this.tell({ data: id });
    };
    loading.refreshing ??= (async () => {
      try {
        await this.source.evaluations(id, data.seq, (rows) => {
          data.add(rows);
          taken();
        });
        await this.source.notes(id, data.note, (some) => data.addNotes(some));
        loading.notes = notes;
      } finally {
        loading.refreshing = undefined;
        loading.refreshedAt = performance.now();
        this.tell({ data: id });
      }
    })();
    return loading.refreshing;
  }

  private hear(frame: ServerState): void {
    const before = this.frame;
    this.frame = frame;
    const isRestarted = before !== undefined && before.server.started_at !== frame.server.started_at;
    const known = new Set(this.runs.filter(({ open }) => open).map(({ run }) => run));
    const isOther = frame.runs.length !== known.size || frame.runs.some(({ run }) => !known.has(run));
    // One may have come and gone between two looks.
    const isNew = before?.server.sessions !== frame.server.sessions;
    // Who searches is told after the session was opened.
    const isNamed = frame.runs.some(
      ({ run, notes }) => notes > 0 && !before?.runs.some((other) => other.run === run && other.notes > 0),
    );
    if (isRestarted || isOther || isNew || isNamed)
      void this.listRuns()
        .then(() => this.recover())
        .catch((error: unknown) => this.fail(error));
    // What a server has counted is not what the next one counts.
    if (isRestarted) for (const loading of this.loaded.values()) void loading.then((one) => (one.notes = -1));
    this.tell({ frame: true });
    this.refreshWatched();
  }

  private refreshWatched(): void {
    for (const id of this.watched) {
      const live = this.frame?.runs.find(({ run }) => run === id);
      // Of a run that has just been closed, the last results may not be here yet.
      const closed = live ? undefined : this.runs.find(({ run, open }) => run === id && !open);
      if (!live && !closed) continue;
      void this.loading(id)
        .then((loading) => {
          const { seq, notes } = live ?? { seq: closed!.seq, notes: CLOSED };
          if (loading.refreshing || (loading.data.seq >= seq && loading.notes === notes)) return;
          const early = loading.refreshedAt + REFRESH_MS - performance.now();
          if (early > 0) return this.refreshIn(early);
          return this.refresh(id, loading, notes);
        })
        .then(() => this.recover())
        .catch((error: unknown) => this.fail(error));
    }
  }

  /** What was asked for has come: an earlier trouble is over. */
  private recover(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.tell({ frame: true });
  }

  private refreshIn(ms: number): void {
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.refreshWatched();
    }, ms);
  }

  private fail(error: unknown): void {
    if (error instanceof TokenError) return this.onTokenRefused(error);
    this.trouble = (error as Error).message;
    this.tell({ frame: true });
  }

  private tell({ frame = false, runs = false, data }: { frame?: boolean; runs?: boolean; data?: string }): void {
    this.changed.frame ||= frame;
    this.changed.runs ||= runs;
    if (data !== undefined) this.changed.data.add(data);
    this.telling ??= setTimeout(
      () => {
        this.telling = undefined;
        this.toldAt = performance.now();
        const change = this.changed;
        this.changed = { frame: false, runs: false, data: new Set() };
        this.onChange(change);
      },
      Math.max(0, this.toldAt + TELL_MS - performance.now()),
    );
  }
}
