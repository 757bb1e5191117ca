import assert from 'node:assert/strict';
import { join } from 'node:path';
import { connect } from '../../../agents/client/client.ts';
import type { Runtime } from '../../../env/runtime.ts';
import { startBanditServer } from '../server/bandit-server.ts';

const ECHO = join(import.meta.dirname, '../../environments/runtime-echo.ts');
const RUNTIME: Runtime = { backend: 'wasm', renderer: 'software', data: '/some/images', weights: 'some/weights' };

describe('the runtime of a server', () => {
  for (const [workers, place] of [
    [1, 'a worker process'],
    [0, 'the server’s own process'],
  ] as const) {
    it(`reaches the experiments in ${place}, and does not change the hash of a specification`, async () => {
      const served = async (runtime?: Runtime) => {
        const server = await startBanditServer({ environments: [ECHO], workers, ...(runtime && { runtime }) });
        const client = await connect(server.url);
        const environment = await client.open({ env_id: 'RuntimeEcho-v0' });
        const { outcome, reason } = await environment.evaluate({ params: {} });
        const { backend, spec_hash } = environment.spec;
        await client.close();
        await server.stop();
        return {
          outcome,
          evaluated: JSON.parse(reason!) as unknown,
          prepared: JSON.parse(backend!) as unknown,
          spec_hash,
        };
      };
      const told = await served(RUNTIME);
      const untold = await served();
      assert.deepEqual(told, { ...untold, evaluated: RUNTIME, prepared: RUNTIME });
      assert.deepEqual(untold.evaluated, {
        backend: 'auto',
        renderer: 'software',
        weights: join('runs', 'pretrained'),
      });
      assert.equal(untold.outcome, 'infeasible');
    });
  }
});
