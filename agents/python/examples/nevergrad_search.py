"""Nevergrad's NGOpt, as many candidates at once as keep the server busy: pip install nevergrad"""

import argparse
import json

import nevergrad

import learning_to_simulate as lts

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=64)
parser.add_argument("--optimizer", default="NGOpt", help="one of nevergrad.optimizers.registry")
parser.add_argument("--seed", type=int, default=1, help="of the optimiser and of the environment")
flags = parser.parse_args()

with lts.connect(flags.url, flags.env, flags.env_options, seed=flags.seed) as environment:
    parameters, results = environment.parameters, []
    space = lts.nevergrad_parametrization(parameters, environment.start)
    space.random_state.seed(flags.seed)
    width = 2 * environment.workers
    kind = nevergrad.optimizers.registry[flags.optimizer]
    search = kind(space, budget=flags.evaluations, num_workers=width)
    while len(results) < flags.evaluations:
        candidates = [search.ask() for _ in range(min(width, flags.evaluations - len(results)))]
        batch = environment.evaluate([lts.from_values(parameters, candidate.value) for candidate in candidates])
        for candidate, result in zip(candidates, batch):
            search.tell(candidate, -result.reward if result.ok else float("inf"))
        results += batch
        print(f"[{len(results)}/{flags.evaluations}] best {max((r.reward for r in results if r.ok), default=None)}")
    own = lts.from_values(parameters, search.provide_recommendation().value)
    for finalist in lts.finalists(environment, results, also=[own])[:1]:
        print(f"on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
