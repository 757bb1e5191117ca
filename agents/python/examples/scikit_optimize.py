"""Bayesian optimisation with a Gaussian process: pip install scikit-optimize"""

import argparse
import json

from skopt import Optimizer
from skopt.space import Real

import learning_to_simulate as lts

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=32)
parser.add_argument("--batch", type=int, default=4, help="evaluations at once")
parser.add_argument("--warm-start", metavar="LOG", help="of a run, or exported by agents/history.ts: trials to begin with")
parser.add_argument("--seed", type=int, default=1, help="of the optimiser and of the environment")
flags = parser.parse_args()

with lts.connect(flags.url, flags.env, flags.env_options, seed=flags.seed) as environment:
    space = [Real(-1.0, 1.0, name=label) for label in environment.parameters.labels]
    search = Optimizer(space, n_initial_points=2 * flags.batch, acq_optimizer="sampling", random_state=flags.seed)
    if flags.warm_start:
        past = lts.past_trials(flags.warm_start, environment.parameters)
        known = [(list(action), -reward) for action, reward in past if reward is not None]
        if known:
            search.tell(*map(list, zip(*known)))
    results = []
    points = [list(environment.to_action(environment.start)), *search.ask(flags.batch)][: flags.batch]
    while len(results) < flags.evaluations:
        batch = environment.evaluate(points[: flags.evaluations - len(results)])
        told = [(point, -result.reward) for point, result in zip(points, batch) if result.ok]
        if told:
            search.tell(*map(list, zip(*told)))
        results += batch
        print(f"[{len(results)}/{flags.evaluations}] best {-min(search.yi, default=float('nan')):.4f}")
        # It gives the same points again until it is told something: where all have failed, others are drawn.
        points = search.ask(flags.batch) if told else search.space.rvs(flags.batch, random_state=search.rng)
    for finalist in lts.finalists(environment, results)[:1]:
        print(f"on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
