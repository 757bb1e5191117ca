"""Optuna's TPE, several trials at once; a trial that is worse than half of the others early on is cancelled: pip install optuna"""

import argparse
import json

import optuna

import learning_to_simulate as lts

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=64, help="number of trials")
parser.add_argument("--seed", type=int, default=1, help="of the sampler and of the environment")
parser.add_argument("--prune", type=json.loads, default=True, help="whether trials are cancelled: true or false")
parser.add_argument("--storage", help="where Optuna keeps the study, such as sqlite:///study.db")
flags = parser.parse_args()

sampler = optuna.samplers.TPESampler(seed=flags.seed, multivariate=True, constant_liar=True)
pruner = optuna.pruners.MedianPruner(n_startup_trials=8) if flags.prune else optuna.pruners.NopPruner()
study = optuna.create_study(
    storage=flags.storage, study_name="tpe", load_if_exists=True, direction="maximize", sampler=sampler, pruner=pruner
)
results = []

with lts.connect(flags.url, flags.env, flags.env_options, seed=flags.seed) as environment:
    metric = environment.spec.reward_metric

    def objective(trial):
        def watch(progress):
            if metric in progress.metrics:  # a score of the unfinished model
                trial.report(progress.metrics[metric], int(100 * progress.fraction))
                if trial.should_prune():
                    raise optuna.TrialPruned  # which cancels the evaluation on the server

        results.append(environment.evaluate(lts.suggest(trial, environment.parameters), on_progress=watch))
        return results[-1].require()

    study.enqueue_trial(lts.to_values(environment.parameters, environment.start), skip_if_exists=True)
    study.optimize(objective, flags.evaluations, n_jobs=2 * environment.workers, catch=lts.EvaluationError)
    for finalist in lts.finalists(environment, results)[:1]:
        print(f"best seen {study.best_value:.4f}; the best on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
