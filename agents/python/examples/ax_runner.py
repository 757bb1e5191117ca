"""Bayesian optimisation of Ax, which runs the trials itself, through IRunner and IMetric: pip install ax-platform"""

import argparse
import json
import logging

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.api.protocols import IMetric, IRunner
from ax.core.trial_status import TrialStatus

import learning_to_simulate as lts

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=32, help="number of trials")
parser.add_argument("--parallel", type=int, default=4, help="trials at once")
parser.add_argument("--seed", type=int, default=1, help="of Ax and of the environment")
flags = parser.parse_args()


class Simulations(IRunner):
    def __init__(self):
        super().__init__()
        self.evaluations = []

    def run_trial(self, trial_index, parameterization):
        self.evaluations.append(environment.submit(lts.from_values(environment.parameters, parameterization)))
        return {"evaluation": len(self.evaluations) - 1}

    def poll_trial(self, trial_index, trial_metadata):
        evaluation = self.evaluations[trial_metadata["evaluation"]]
        if not evaluation.done():
            return TrialStatus.RUNNING
        return TrialStatus.COMPLETED if evaluation.result().ok else TrialStatus.FAILED

    def stop_trial(self, trial_index, trial_metadata):
        self.evaluations[trial_metadata["evaluation"]].cancel()
        return {}


class Reward(IMetric):
    def fetch(self, trial_index, trial_metadata):
        return 0, runner.evaluations[trial_metadata["evaluation"]].result().require()


def parameter(d):
    if d.kind == "choice":
        kind = "str" if isinstance(d.default, str) else "bool"
        return ChoiceParameterConfig(d.name, list(d.choices), kind, is_ordered=False)
    kind = "int" if d.kind == "integer" else "float"
    return RangeParameterConfig(d.name, (d.low, d.high), kind, scaling="log" if d.log else "linear")


logging.disable(logging.INFO)
with lts.connect(flags.url, flags.env, flags.env_options, seed=flags.seed) as environment:
    search, runner = Client(random_seed=flags.seed), Simulations()
    search.configure_experiment([parameter(d) for d in lts.dimensions(environment.parameters)])
    search.configure_optimization("reward")
    search.configure_runner(runner)
    search.configure_metrics([Reward("reward")])
    while len(runner.evaluations) < flags.evaluations:
        search.run_trials(min(flags.parallel, flags.evaluations - len(runner.evaluations)), parallelism=flags.parallel)
        results = [evaluation.result() for evaluation in runner.evaluations]
        best = max((result.reward for result in results if result.ok), default=None)
        print(f"[{len(results)}/{flags.evaluations}] best {best}", flush=True)
    for finalist in lts.finalists(environment, results)[:1]:
        print(f"on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
