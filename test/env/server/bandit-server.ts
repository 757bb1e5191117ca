/** A server of the bandit on a free port, for tests. */
import { fileURLToPath } from 'node:url';
import { createLog } from '../../../env/server/log.ts';
import { startServer, type EnvironmentServer, type ServerOptions } from '../../../env/server/server.ts';

export const BANDIT = fileURLToPath(new URL('../../environments/bandit.ts', import.meta.url));

export function startBanditServer(options: Partial<ServerOptions> = {}): Promise<EnvironmentServer> {
  return startServer({
    environments: [BANDIT],
    port: 0,
    host: '127.0.0.1',
    workers: 1,
    build: 'test',
    version: '0.0.0',
    log: createLog('silent'),
    cancelGraceMs: 300,
    ...options,
  });
}
