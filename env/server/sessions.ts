import { ProtocolError, shown } from '../../protocol/errors.ts';
import {
  refuseWhileFailing,
  Session,
  type Listener,
  type SessionOptions,
  type SessionSurroundings,
} from './session.ts';
import type { SessionRecord } from './store.ts';

/** All sessions of a server: which connection has which session, and when a session without a connection ends. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  /** When idle sessions without a connection end; the one that has waited longest is the first. */
  private readonly expiry = new Map<string, NodeJS.Timeout>();

  /** The number of sessions that were opened or restored. */
  count = 0;

  constructor(private readonly surroundings: SessionSurroundings) {}

  get all(): readonly Session[] {
    return [...this.sessions.values()];
  }

  /** @throws {ProtocolError} TOO_MANY_SESSIONS; QUEUE_FULL while nothing can be written */
  open(options: Omit<SessionOptions, 'onIdle'>, listener: Listener): { session: Session; token: string } {
    refuseWhileFailing(this.surroundings.store, 'open');
    this.checkShare('open', listener);
    const { max_sessions: all, max_sessions_per_connection: one = all } = this.surroundings.limits;
    // What is left of one address is enough for a connection of another one.
    const ofAddress = ({ address }: Session) => address === listener.address;
    this.makeRoom(ofAddress, Math.max(one, all - one), 'sessions of one address');
    this.makeRoom(() => true, all, 'sessions');
    const session = this.add(options);
    const { token } = session.attach(listener);
    this.surroundings.log.info({ session: session.id, env: options.spec.env_id }, 'session opened');
    return { session, token };
  }

  /** Continues a session of an earlier process: its unfinished steps run again, and it waits for `resume`. */
  restore(options: Omit<SessionOptions, 'onIdle'>, record: SessionRecord): void {
    const session = this.add(options, record);
    this.surroundings.log.info({ session: session.id, env: options.spec.env_id }, 'session restored');
    this.expireLater(session);
  }

  /**
   * Makes room for one more session among some of them: the one that has waited longest for its client gives way. None does
   * that is attached, or has a step under way.
   *
   * @throws {ProtocolError} TOO_MANY_SESSIONS
   */
  private makeRoom(isOne: (session: Session) => boolean, most: number, what: string): void {
    if (this.all.filter(isOne).length < most) return;
    const waiting = [...this.expiry.keys()].map((id) => this.sessions.get(id)!).find(isOne);
    if (!waiting) {
      const text = `open: expected at most ${most} ${what}, all of which are in use`;
      throw new ProtocolError('TOO_MANY_SESSIONS', text, { retryAfterMs: 5000 });
    }
    this.close(waiting, 'it made room for a new one');
  }

  /** Leaves room for other connections. @throws {ProtocolError} TOO_MANY_SESSIONS */
  private checkShare(question: 'open' | 'resume', listener: Listener): void {
    const { max_sessions_per_connection: most = Infinity } = this.surroundings.limits;
    if (this.all.filter((session) => session.isHeardBy(listener)).length < most) return;
    const text = `${question}: expected at most ${most} sessions of one connection, and the client to close one first`;
    throw new ProtocolError('TOO_MANY_SESSIONS', text);
  }

  private add(options: Omit<SessionOptions, 'onIdle'>, record?: SessionRecord): Session {
    const onIdle = () => this.expireLater(session);
    const session: Session = new Session(this.surroundings, { ...options, onIdle }, record);
    this.sessions.set(session.id, session);
    this.count++;
    return session;
  }

  /** @throws {ProtocolError} SESSION_NOT_FOUND, also for a session of another connection */
  of(listener: Listener, id: string): Session {
    const session = this.sessions.get(id);
    if (!session?.isHeardBy(listener)) throw notFound(id);
    session.confirmToken();
    return session;
  }

  /**
   * A session that the connection may resume.
   *
   * @throws {ProtocolError} SESSION_NOT_FOUND, also for a wrong token, so that it reveals nothing about other sessions;
   *   TOO_MANY_SESSIONS
   */
  toResume(listener: Listener, id: string, token: string): Session {
    const session = this.sessions.get(id);
    if (!session?.isToken(token)) throw notFound(id);
    if (!session.isHeardBy(listener)) this.checkShare('resume', listener);
    return session;
  }

  /** Gives a session to a connection; `previous` in the return value is the connection that had it, if any. */
  attach(session: Session, listener: Listener, token: string): ReturnType<Session['attach']> {
    clearTimeout(this.expiry.get(session.id));
    this.expiry.delete(session.id);
    const attached = session.attach(listener, token);
    this.surroundings.log.info({ session: session.id, epoch: session.epoch }, 'session resumed');
    return attached;
  }

  /** Detaches the sessions of a lost connection: they wait for `resume`, or end if the client cannot resume. */
  connectionLost(listener: Listener, canResume: boolean): void {
    for (const session of this.all) {
      if (!session.detach(listener)) continue;
      if (canResume) this.expireLater(session);
      else this.close(session, 'its client is gone');
    }
  }

  close(session: Session, why: string): void {
    this.forget(session);
    this.surroundings.store.closeSession(session.id);
    this.surroundings.log.info({ session: session.id, why }, 'session closed');
  }

  /** Called when the process stops: sessions stay open in the store, and the next process continues them. */
  suspend(): void {
    for (const session of this.all) this.forget(session);
  }

  private forget(session: Session): void {
    clearTimeout(this.expiry.get(session.id));
    this.expiry.delete(session.id);
    this.sessions.delete(session.id);
    session.end();
  }

  /** Starts the grace of a session that has no connection and no unfinished step. A busy session is never closed. */
  private expireLater(session: Session): void {
    if (session.attached || session.busy || !this.sessions.has(session.id)) return;
    clearTimeout(this.expiry.get(session.id));
    this.expiry.delete(session.id);
    const timer = setTimeout(() => this.close(session, 'nobody resumed it'), session.options.detachGraceMs);
    this.expiry.set(session.id, timer);
  }
}

function notFound(id: string): ProtocolError {
  return new ProtocolError('SESSION_NOT_FOUND', `session_id: expected a session of this connection, got ${id}`, {
    at: '/session_id',
    got: shown(id),
  });
}
