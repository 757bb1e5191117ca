"""Optuna's CMA-ES, a generation at a time: pip install optuna cmaes"""

import argparse
import json

import optuna

import learning_to_simulate as lts

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=64, help="number of trials")
parser.add_argument("--population", type=int, default=8, help="trials of a generation")
parser.add_argument("--seed", type=int, default=1, help="of the sampler and of the environment")
flags = parser.parse_args()

with lts.connect(flags.url, flags.env, flags.env_options, seed=flags.seed) as environment:
    space = lts.optuna_distributions(environment.parameters)
    sampler = optuna.samplers.CmaEsSampler(popsize=flags.population, seed=flags.seed)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial(lts.to_values(environment.parameters, environment.start))
    results = []
    while len(results) < flags.evaluations:
        count = min(flags.population, flags.evaluations - len(results))
        trials = [study.ask(space) for _ in range(count)]
        thetas = [lts.from_values(environment.parameters, trial.params) for trial in trials]
        for trial, result in zip(trials, environment.evaluate(thetas)):
            results.append(result)
            study.tell(trial, result.reward, state=None if result.ok else optuna.trial.TrialState.FAIL)
        best = max((result.reward for result in results if result.ok), default=float("nan"))
        print(f"[{len(results)}/{flags.evaluations}] best {best:.4f}")
    for finalist in lts.finalists(environment, results)[:1]:
        print(f"on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
