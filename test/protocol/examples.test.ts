import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BANDIT, startBanditServer } from '../env/server/bandit-server.ts';

const folder = join(import.meta.dirname, '../../protocol/examples');
/** Warnings about our own lines are errors; those about lines of libraries are theirs. */
const WARNINGS = ['-W', 'ignore', '-W', 'error:::environment', '-W', 'error:::__main__'];
interface Failure {
  readonly stderr: string;
  readonly code: number;
}
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
environment.close()
environment.close()`;
/** Values of numpy wherever values are given, and batches of any size. */
const BATCHES = `
import sys
import numpy as np
from environment import Environment
with Environment(sys.argv[1], options={"noise": np.float32(0.5), "delayMs": np.int64(0)}) as environment:
    environment.reset(seed=np.int64(7))
    sizes = []
    environment.send, send = lambda type, **f: sizes.append(len(f.get("items", []))) or send(type, **f), environment.send
    print(environment.evaluate([]), sizes)
    actions = np.linspace(-1, 1, 8)[:, None] * np.ones(6)
    all = environment.evaluate(actions, seed=np.uint32(4), test=np.bool_(True))
    environment.limits["max_batch"] = 3
    parts = environment.evaluate(actions, seed=4, test=True)
    environment.limits.update(max_batch=4096, max_payload_bytes=1500)
    small = environment.evaluate(actions[:3], seed=4)
    mixed = environment.evaluate([actions[0], [2] * 6, actions[1]], seed=4)
    print([r["outcome"] for r in mixed], mixed[1]["reason"], mixed[2]["reward"] == all[1]["reward"])
    print([r["reward"] for r in all] == [r["reward"] for r in parts], len({r["reward"] for r in all}), sizes, len(small))`;

/** What is given wrongly, and a number where a space has one dimension. */
const WRONG = `
import sys
from environment import Environment, encode, numbers
print(numbers(0.5), numbers([1, 2]))
for give in (lambda: encode({"a": {1}}), lambda: Environment(sys.argv[1], ""), lambda: Environment(sys.argv[1], token="")):
    try:
        give()
    except (TypeError, ValueError) as error:
        print(error)`;

describe('the Python examples', () => {
  it("[R5] search, where θ has kinds that they do not know too, and pass Gymnasium's check of environments", async function () {
    this.timeout(60_000);
    if (spawnSync('python3', ['-c', 'import websockets.sync.client, gymnasium']).status !== 0) {
      console.log('      skipped: python3 with websockets and gymnasium is not here');
      this.skip();
    }
    const server = await startBanditServer({ environments: [BANDIT, './env/examples/dice.ts'] });
    try {
      const python = (...args: string[]) =>
        promisify(execFile)('python3', ['-B', ...WARNINGS, ...args], { cwd: folder });
      const { stdout } = await python('random_search.py', '--url', server.url, '--evaluations', '12');
      assert.match(stdout, /^\[8\/12\] best gain 0\.\d+\n\[12\/12\] best gain 0\.\d+\n\{"x": /);
      const other = await python('random_search.py', '--url', server.url, '--evaluations', '8', '--env', 'Dice-v0');
      assert.match(other.stdout, /"dice": [1-6], "die": "[a-z]+", "bestOfTwo": (true|false), /);
      const checked = await python('-c', CHECK, server.url);
      assert.equal(checked.stdout, 'BAD_ACTION: action[0] (x): expected -1..1, got 2\n');
      const batches = await python('-c', BATCHES, server.url);
      const [none, mixed, ...rest] = batches.stdout.split('\n');
      assert.equal(none, '[] []');
      assert.equal(mixed, "['ok', 'refused', 'ok'] BAD_ACTION: action[0] (x): expected -1..1, got 2 True");
      assert.deepEqual(rest, ['True 8 [8, 3, 3, 2, 2, 1, 3] 3', '']);
      const wrong = await python('-c', WRONG, server.url);
      assert.equal(
        wrong.stdout,
        '[0.5] [1.0, 2.0]\nmessage: expected values of JSON or numpy, got {1}\n' +
          'env_id: expected a word or None, got nothing\ntoken: expected a word or None, got nothing\n',
      );
      for (const flags of [
        ['--env', ''],
        ['--token', ''],
        ['--seed', '-1'],
        ['--evaluations', '0'],
      ]) {
        await assert.rejects(python('random_search.py', '--url', server.url, ...flags), ({ stderr }: Failure) =>
          new RegExp(`error: argument ${flags[0]}: [^\n]*\n$`).test(stderr),
        );
      }
      const hopeless = ['--env-options', '{"fault":"diverge"}', '--evaluations', '2'];
      await assert.rejects(
        python('random_search.py', '--url', server.url, ...hopeless),
        ({ stderr, code }: Failure) => {
          assert.match(stderr, /^random_search: no evaluation has a reward; the first one: diverged \(.*\n$/);
          return code === 1;
        },
      );
    } finally {
      await server.stop();
    }
  });
});
