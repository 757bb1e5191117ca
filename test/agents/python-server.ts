/**
 * A server of the bandit for the tests of the Python package: `python-server.ts '{"heartbeatMs":300}'`.
 *
 * Its argument has options of the server. It prints its address when it is ready, and ends with its standard input.
 */
import type { ServerOptions } from '../../env/server/server.ts';
import { startBanditServer } from '../env/server/bandit-server.ts';

const server = await startBanditServer(JSON.parse(process.argv[2] ?? '{}') as Partial<ServerOptions>);
console.log(JSON.stringify({ url: server.url, port: server.port }));
process.stdin.once('end', () => void server.stop().then(() => process.exit(0))).resume();
