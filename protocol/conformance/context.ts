import { randomUUID } from 'node:crypto';
import { actionSize } from '../parameters.ts';
import type { Codec, ServerMessages } from '../messages.ts';
import { Peer } from './peer.ts';

export interface ServerUnderTest {
  readonly url: string;
  readonly codec: Codec;
  readonly token?: string | undefined;
  readonly envId: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The longest time that an answer may take. */
  readonly patienceMs?: number;
}

export interface Check {
  /** Ids of the rules, such as `S6`. */
  readonly rules: readonly string[];
  readonly title: string;
  readonly run: (context: Context) => Promise<void>;
}

/** The connections and sessions of one check; all are closed after it. */
export class Context {
  readonly peers: Peer[] = [];
  private count = 0;

  constructor(readonly target: ServerUnderTest) {}

  async connect(): Promise<Peer> {
    const peer = await Peer.connect(this.target.url, this.target.codec, this.target.token, this.target.patienceMs);
    this.peers.push(peer);
    return peer;
  }

  async welcomed(capabilities = ['progress', 'resume', 'batch']): Promise<Peer> {
    const peer = await this.connect();
    await peer.ask({ t: 'hello', id: 'hello', protocol: [1], capabilities }, 'welcome');
    return peer;
  }

  async opened(fields: object = {}): Promise<{ peer: Peer; opened: ServerMessages['opened'] }> {
    const peer = await this.welcomed();
    return { peer, opened: await this.open(peer, fields) };
  }

  open(peer: Peer, fields: object = {}): Promise<ServerMessages['opened']> {
    const { envId: env_id, options } = this.target;
    return peer.ask({ t: 'open', id: 'open', env_id, options, seed: 7, ...fields }, 'opened');
  }

  /** A step that is an episode of its own, with a new `step_id`. */
  step({ session_id, spec }: ServerMessages['opened'], fields: object = {}) {
    const action = new Array<number>(actionSize(spec.parameters)).fill(0);
    return { t: 'step', id: ++this.count, session_id, step_id: randomUUID(), action, reset: true, ...fields };
  }

  resume(peer: Peer, { session_id }: { session_id: string }, resume_token: string, last_seq = 0) {
    return peer.ask({ t: 'resume', id: 'resume', session_id, resume_token, last_seq }, 'resumed');
  }
}
