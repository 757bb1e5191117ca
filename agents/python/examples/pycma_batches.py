"""CMA-ES of Hansen's pycma, a generation as one batch: pip install cma"""

import argparse
import json
import math

import cma

import learning_to_simulate as lts

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=64)
parser.add_argument("--population", type=int, default=8, help="evaluations of a generation")
parser.add_argument("--sigma", type=float, default=0.3, help="first standard deviation; the range of an action is 2")
parser.add_argument("--seed", type=int, default=1, help="of pycma and of the environment")
flags = parser.parse_args()

with lts.connect(flags.url, flags.env, flags.env_options, seed=flags.seed) as environment:
    options = {"bounds": [-1, 1], "popsize": flags.population, "seed": flags.seed, "verbose": -9}
    search = cma.CMAEvolutionStrategy(environment.to_action(environment.start), flags.sigma, options)
    results = []
    while len(results) + flags.population <= flags.evaluations:
        actions = search.ask()
        generation = environment.evaluate(actions)
        # pycma takes NaN for the median: an evaluation without a reward is worse than all others.
        search.tell(actions, [-r.require() if r.ok else math.inf for r in generation])
        results += generation
        print(f"[{len(results)}/{flags.evaluations}] best {-search.result.fbest:.4f}")
    for finalist in lts.finalists(environment, results, also=[search.result.xfavorite])[:1]:
        print(f"on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
