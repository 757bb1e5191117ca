/** What a server keeps for those who watch it. */
import type { Server } from '../dispatch.ts';
import { Painter } from '../../workers/processes/painter.ts';
import { Feed, frameOf } from './feed.ts';
import { Runs } from './runs.ts';

export class Dashboard {
  readonly runs: Runs;
  readonly feed: Feed;
  readonly painter: Painter;

  constructor(server: Omit<Server, 'dashboard'>) {
    const startedAt = Date.now();
    this.runs = new Runs(server);
    const sources = server.environments.map(({ source }) => source);
    this.painter = new Painter(sources, (line) => server.log.debug({ line }, 'the painter mutters'));
    this.feed = new Feed(() => frameOf(server, startedAt));
  }

  /** When it resolves, no process is left. */
  async close(): Promise<void> {
    this.feed.close();
    await this.painter.close();
  }
}
