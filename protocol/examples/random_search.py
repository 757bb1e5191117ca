"""Random search in Python, against any server of this protocol:

    pip install websockets gymnasium
    python3 protocol/examples/random_search.py --url ws://127.0.0.1:7077 --evaluations 16
"""

import argparse
import json
import sys

from environment import Environment, ProtocolError
from websockets.exceptions import WebSocketException


def count(word):
    if int(word) < 1:
        raise ValueError
    return int(word)


def seed(word):
    if not 0 <= int(word) < 2**32:
        raise ValueError
    return int(word)


def word(text):
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a word, got nothing (an unset variable?)")
    return text


parser = argparse.ArgumentParser()
parser.add_argument("--url", type=word, default="ws://127.0.0.1:7077")
parser.add_argument("--env", type=word, help="environment id (default: the server's first)")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--token", type=word)
parser.add_argument("--evaluations", type=count, default=16)
parser.add_argument("--seed", type=seed, default=1)
flags = parser.parse_args()


def search(environment):
    environment.action_space.seed(flags.seed)
    results = []
    best = None
    while len(results) < flags.evaluations:
        count = min(8, flags.evaluations - len(results))
        results += environment.evaluate([environment.action_space.sample() for _ in range(count)])
        best = max((r for r in results if r["outcome"] == "ok"), key=lambda r: r["reward"], default=None)
        metric = environment.description["reward"]["metric"]
        print(f"[{len(results)}/{flags.evaluations}] best {metric}", best and best["reward"])
    if best is None:
        first = results[0]
        sys.exit(f"random_search: no evaluation has a reward; the first one: {first['outcome']} ({first.get('reason')})")
    print(json.dumps(best["theta"]))


try:
    with Environment(flags.url, flags.env, flags.env_options, flags.token) as environment:
        search(environment)
except (OSError, ProtocolError, WebSocketException) as error:
    sys.exit(f"random_search: {flags.url}: {error} (npm run serve -- --env … starts a server)")
