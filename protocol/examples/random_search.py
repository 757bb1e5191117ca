"""Random search in Python, against any server of this protocol:

    pip install websockets gymnasium
    python3 protocol/examples/random_search.py --url ws://127.0.0.1:7077 --evaluations 16
"""

import argparse
import json

from environment import Environment

parser = argparse.ArgumentParser()
parser.add_argument("--url", default="ws://127.0.0.1:7077")
parser.add_argument("--env", help="environment id (default: the server's first)")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--token")
parser.add_argument("--evaluations", type=int, default=16)
parser.add_argument("--seed", type=int, default=1)
flags = parser.parse_args()

environment = Environment(flags.url, flags.env, flags.env_options, flags.token)
environment.action_space.seed(flags.seed)
best = None
for done in range(0, flags.evaluations, 8):
    count = min(8, flags.evaluations - done)
    actions = [environment.action_space.sample() for _ in range(count)]
    for result in environment.evaluate(actions):
        if result["outcome"] == "ok" and (best is None or result["reward"] > best["reward"]):
            best = result
    print(f"[{done + count}/{flags.evaluations}] best {environment.description['reward']['metric']}", best and best["reward"])
if best:
    print(json.dumps(best["theta"]))
environment.close()
