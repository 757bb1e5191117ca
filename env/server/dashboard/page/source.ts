/** Where the page gets what it shows: from a server, or from the file that it stands in. */
import type {
  EvaluationEntry,
  EvaluationRow,
  LatestPrediction,
  ServerState,
  PictureStrip,
  PolicyNote,
  RunDescription,
  RunEntry,
  Visitor,
  Underway,
} from '../answers.ts';

/** What pictures are asked for. */
export interface PictureRequest {
  readonly run: string;
  readonly theta: unknown;
  readonly seed: number;
  /** Larger than the samples that models are trained on: for people. */
  readonly large?: boolean;
}

export interface PageSource {
  /** Whether it changes while the page is open. */
  readonly live: boolean;
  readonly visitor: Visitor;
  runs(): Promise<readonly RunEntry[]>;
  /** @throws {Error} in a sentence, when there is no such run */
  describe(run: string): Promise<RunDescription>;
  /** Calls `take` with rows after a `seq`, in order, as they come. */
  evaluations(run: string, after: number, take: (rows: EvaluationRow[]) => void): Promise<void>;
  notes(run: string, after: number, take: (notes: PolicyNote[]) => void): Promise<void>;
  /** All that is known about one evaluation. */
  evaluation(run: string, step: string): Promise<EvaluationDetail>;
  /** Scenes of a θ. */
  pictures(request: PictureRequest): Promise<readonly PictureStrip[]>;
  /** What a model trained as in this evaluation predicts: it is trained again. */
  predictions(run: string, step: string): Promise<readonly PictureStrip[]>;
}

export interface EvaluationDetail {
  readonly entry: EvaluationEntry;
  /** Of its training, while the server remembers it. */
  readonly losses?: Underway['losses'];
}

/** The server wants a token, or another one. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

/** How the stream of events is. */
export type StreamState = 'connecting' | 'live' | 'lost';

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10_000;
/** The server says something at least every ten seconds. */
const SILENT_MS = 25_000;

/** A server, over HTTP. The token goes along in a header: it stands in no address, and so in no log. */
export class ServerSource implements PageSource {
  readonly live = true;

  private constructor(
    private readonly token: string | undefined,
    readonly visitor: Visitor,
  ) {}

  /** @throws {TokenError} when the server shows nothing without another token */
  static async open(token: string | undefined): Promise<ServerSource> {
    const response = await fetch('/v1/visitor', { headers: authorization(token) });
    const visitor = (await response.json()) as Visitor;
    if (visitor.roles.includes('observer')) return new ServerSource(token, visitor);
    const knows = visitor.roles.length > 0;
    throw new TokenError(
      token === undefined
        ? 'This server asks for a token.'
        : knows
          ? 'This token may not watch: the server has another one for observers.'
          : 'This is not a token of the server.',
    );
  }

  async runs(): Promise<readonly RunEntry[]> {
    const all: RunEntry[] = [];
    await this.lines<RunEntry>('/v1/runs.jsonl', (page) => all.push(...page));
    return all;
  }

  async describe(run: string): Promise<RunDescription> {
    return (await (await this.ask(`/v1/runs/${encodeURIComponent(run)}`)).json()) as RunDescription;
  }

  evaluations(run: string, after: number, take: (rows: EvaluationRow[]) => void): Promise<void> {
    return this.lines(`/v1/evaluations.jsonl?${query({ run, after })}`, take);
  }

  notes(run: string, after: number, take: (notes: PolicyNote[]) => void): Promise<void> {
    return this.lines(`/v1/notes.jsonl?${query({ run, after })}`, take);
  }

  async evaluation(run: string, step: string): Promise<EvaluationDetail> {
    return (await (await this.ask(`/v1/evaluation?${query({ run, step })}`)).json()) as EvaluationDetail;
  }

  async pictures(request: PictureRequest): Promise<readonly PictureStrip[]> {
    return this.strips('/v1/pictures', request);
  }

  async predictions(run: string, step: string): Promise<readonly PictureStrip[]> {
    return this.strips('/v1/predictions', { run, step });
  }

  /**
   * What the model of a run's latest evaluation predicts. Asking makes evaluations that begin within the next half minute
   * show it.
   *
   * @param known the step whose predictions are here already
   * @returns undefined where there are no others
   */
  async latestPrediction(run: string, known: string | undefined): Promise<LatestPrediction | undefined> {
    const answer = await this.ask(`/v1/latest-predictions?${query({ run, ...(known !== undefined && { known }) })}`);
    const prediction = (await answer.json()) as LatestPrediction | Record<string, never>;
    return 'step' in prediction ? (prediction as LatestPrediction) : undefined;
  }

  private async strips(path: string, body: object): Promise<readonly PictureStrip[]> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return ((await answer.json()) as { strips: readonly PictureStrip[] }).strips;
  }

  /** Closes a session, as an admin. */
  async closeRun(run: string): Promise<void> {
    await this.ask(`/v1/sessions/${encodeURIComponent(run)}`, { method: 'DELETE' });
  }

  /**
   * Listens to the state of the server, again and again when the stream is lost, until the signal aborts.
   *
   * @param onChange called with how the stream is
   */
  async listen(
    onFrame: (frame: ServerState) => void,
    onChange: (connection: StreamState, error?: Error) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let wait = RETRY_MS; !signal.aborted;) {
      let lost: Error | undefined;
      try {
        onChange('connecting');
        await this.stream((frame) => {
          wait = RETRY_MS;
          onChange('live');
          onFrame(frame);
        }, signal);
      } catch (error) {
        lost = error as Error;
      }
      if (signal.aborted) return;
      onChange('lost', lost);
      if (lost instanceof TokenError) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, LONGEST_RETRY_MS);
    }
  }

  private async stream(onFrame: (frame: ServerState) => void, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const aborted = AbortSignal.any([signal, silence.signal]);
    let timer = setTimeout(() => silence.abort(), SILENT_MS);
    try {
      const response = await this.ask('/v1/events', { signal: aborted });
      let rest = '';
      for await (const text of pieces(response)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENT_MS);
        const events = (rest + text).split('\n\n');
        rest = events.pop()!;
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data !== undefined) onFrame(JSON.parse(data) as ServerState);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws {TokenError} {Error} with what the server says */
  private async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(path, { ...init, headers: { ...authorization(this.token), ...init.headers } });
    if (response.ok) return response;
    const text = await response.text();
    const { error = text } = parsed(text) as { error?: string };
    if (response.status === 401) throw new TokenError('The server does not know this token any more.');
    throw new Error(error || `the server answered ${response.status}`);
  }

  /** Reads lines of JSON, page by page. */
  private async lines<Line>(path: string, take: (lines: Line[]) => void): Promise<void> {
    const response = await this.ask(path);
    let rest = '';
    for await (const text of pieces(response)) {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      if (lines.length > 0) take(lines.map((line) => JSON.parse(line) as Line));
    }
  }

  /** The first message of a WebSocket: the token stands in it, as no header can be set there. */
  get auth(): { auth?: string } {
    return this.token === undefined ? {} : { auth: this.token };
  }
}

const authorization = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

const query = (parts: Record<string, string | number>) =>
  new URLSearchParams(Object.entries(parts).map(([key, value]): [string, string] => [key, String(value)])).toString();

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

async function* pieces({ body }: Response): AsyncGenerator<string> {
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
