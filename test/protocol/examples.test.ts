import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startBanditServer } from '../env/server/bandit-server.ts';

const folder = join(import.meta.dirname, '../../protocol/examples');
const CHECK = `
import sys
from gymnasium.utils.env_checker import check_env
from environment import Environment, ProtocolError
check_env(Environment(sys.argv[1]), skip_render_check=True)
environment = Environment(sys.argv[1])
environment.reset()
try:
    environment.step([2] * 6)
except ProtocolError as error:
    print(error)
environment.close()`;

describe('the Python examples', () => {
  it("search, and pass Gymnasium's check of environments", async function () {
    this.timeout(60_000);
    if (spawnSync('python3', ['-c', 'import websockets.sync.client, gymnasium']).status !== 0) {
      console.log('      skipped: python3 with websockets and gymnasium is not here');
      this.skip();
    }
    const server = await startBanditServer();
    try {
      const python = (...args: string[]) =>
        promisify(execFile)('python3', ['-B', '-W', 'ignore', ...args], { cwd: folder });
      const { stdout } = await python('random_search.py', '--url', server.url, '--evaluations', '12');
      assert.match(stdout, /^\[8\/12\] best gain 0\.\d+\n\[12\/12\] best gain 0\.\d+\n\{"x": /);
      const checked = await python('-c', CHECK, server.url);
      assert.equal(checked.stdout, 'BAD_ACTION: action[0] (x): expected -1..1, got 2\n');
    } finally {
      await server.stop();
    }
  });
});
