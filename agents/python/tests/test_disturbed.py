"""A drop of the socket, a kill of the server and a busy client, in the middle of a search of another library."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from test_resume import BUSY_SECONDS

import learning_to_simulate as lts

OPTIONS = {"noise": 0.2, "delayMs": 20}


class Disturbance:
    """What happens after a number of evaluations: the socket is cut, the server is killed, the client is busy."""

    def __init__(self, at, fragile, between):
        self.cut, self.kill, self.busy = at
        self.fragile, self.between = fragile, between
        self.happened = []

    def after(self, count):
        if count >= self.cut and not self.happened:
            self.happened.append("cut")
            self.between.cut()
        elif count >= self.kill and len(self.happened) == 1:
            self.happened.append("kill")
            self.fragile.kill()
            threading.Thread(target=self.fragile.start).start()
        elif count >= self.busy and len(self.happened) == 2:
            self.happened.append("busy")
            end = time.monotonic() + BUSY_SECONDS
            while time.monotonic() < end:
                sum(range(100_000))


    def assert_nothing_lost_nothing_twice(self, rewards, undisturbed, history, caplog):
        assert self.happened == ["cut", "kill", "busy"]
        assert "trying again" in caplog.text and "connected again" in caplog.text
        assert rewards == undisturbed and len(set(rewards)) == len(rewards)
        assert len(history) == len({entry["step_id"] for entry in history}) == len(rewards)
        assert np.allclose(sorted(entry["reward"] for entry in history), sorted(rewards))


def test_a_search_of_optuna(fragile, network, caplog):
    optuna = pytest.importorskip("optuna", reason="Optuna is not here")
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def search(url, disturb):
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
        with lts.connect(url, "Bandit-v0", OPTIONS, seed=1) as environment:

            def objective(trial):
                seed = lts.derive_seed(1, "trial", trial.number)
                return environment.evaluate(lts.suggest(trial, environment.parameters), seeds=seed).require()

            study.optimize(objective, 30, callbacks=[lambda study, trial: disturb(trial.number)])
            return [trial.value for trial in study.trials], environment.history()

    undisturbed, _ = search(fragile.url, lambda count: None)
    between = network(fragile.port)
    disturbance = Disturbance((5, 12, 20), fragile, between)
    rewards, history = search(between.url, disturbance.after)
    disturbance.assert_nothing_lost_nothing_twice(rewards, undisturbed, history, caplog)


@pytest.mark.filterwarnings("ignore")
def test_a_run_of_ppo(fragile, network, caplog):
    stable_baselines3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not here")
    from learning_to_simulate.stable_baselines import SimulatorVecEnv

    def run(url, disturb):
        environment = SimulatorVecEnv(8, url, "Bandit-v0", OPTIONS, zero="start")
        environment.seed(1)
        model = stable_baselines3.PPO("MlpPolicy", environment, n_steps=4, batch_size=32, seed=1, device="cpu")
        rewards = []

        def after(told, _):
            rewards.extend(told["rewards"].tolist())
            assert all(info["scores"]["gain"] == pytest.approx(r) for info, r in zip(told["infos"], told["rewards"]))
            disturb(len(rewards))
            return True

        model.learn(96, callback=after)
        history = environment.environment.remote.history()
        environment.close()
        return rewards, history

    undisturbed, _ = run(fragile.url, lambda count: None)
    between = network(fragile.port)
    disturbance = Disturbance((16, 32, 72), fragile, between)
    rewards, history = run(between.url, disturbance.after)
    disturbance.assert_nothing_lost_nothing_twice(rewards, undisturbed, history, caplog)
