/** The session of a run, kept in a file beside the run's log: a run that goes on after a crash takes up its session. */
import { readFileSync, rmSync } from 'node:fs';
import { writeWhole } from '../../protocol/whole-file.ts';
import { ProtocolError, type Client, type RemoteEnvironment, type SessionTicket } from '../client/index.ts';

/** The time for which a server keeps the session of a run that was killed, after its last evaluation has ended. */
export const SESSION_GRACE_MS = 24 * 3600 * 1000;

export class SessionFile {
  private readonly path: string;

  /** @param log the path of the run's log; the token of its session is in the file `<log>.session`, for its owner only */
  constructor(
    log: string,
    private readonly say: (sentence: string) => void,
  ) {
    this.path = `${log}.session`;
  }

  /** The session of the run; undefined if it has none any more. Steps under their old ids are not evaluated again. */
  async takeUp(client: Client): Promise<RemoteEnvironment | undefined> {
    const ticket = this.read();
    if (!ticket) return undefined;
    try {
      return await client.resume(ticket);
    } catch (error) {
      const ended = ['SESSION_NOT_FOUND', 'RESUME_GAP', 'BAD_MESSAGE'];
      if (!(error instanceof ProtocolError) || !ended.includes(error.code)) throw error;
      this.say(`${this.path}: the session cannot be taken up (${error.message}), a new one is opened`);
      return undefined;
    }
  }

  /** Keeps the ticket of a session, now and whenever it changes. */
  keep(environment: RemoteEnvironment): void {
    environment.onTicket = (ticket) => this.write(ticket);
    this.write(environment.ticket);
  }

  /** Called when the session has ended. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  private read(): SessionTicket | undefined {
    try {
      return JSON.parse(readFileSync(this.path, 'utf8')) as SessionTicket;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.say(`${this.path}: expected the ticket of a session, got: ${(error as Error).message}`);
      }
      return undefined;
    }
  }

  /** As a whole or not at all; the run goes on without it, for example when the disk is full. */
  private write(ticket: SessionTicket): void {
    try {
      writeWhole(this.path, JSON.stringify(ticket), { mode: 0o600, flush: true });
    } catch (error) {
      this.say(`the session cannot be kept: ${(error as Error).message}`);
    }
  }
}
