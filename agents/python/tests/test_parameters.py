from __future__ import annotations

import json
import math
import subprocess

import numpy as np
import pytest
from conftest import OPTIMUM, ROOT, gain

import learning_to_simulate as lts

NODE = """
import { readFileSync } from 'node:fs';
import { actionToTheta, thetaToAction } from './protocol/parameters.ts';
const { parameters, actions } = JSON.parse(readFileSync(0, 'utf8'));
const thetas = actions.map((action) => actionToTheta(parameters, action));
console.log(JSON.stringify({ thetas, back: thetas.map((theta) => thetaToAction(parameters, theta)) }));
"""


def ulps(a, b):
    return abs(a - b) / math.ulp(max(abs(a), abs(b)))


def test_theta_and_actions_are_the_servers_to_the_last_digits(bandit):
    """Node's exp, log and pow round otherwise than C's in a tenth of all cases, by the last bit: hence the few ulps."""
    random = np.random.default_rng(5)
    actions = [*random.uniform(-1, 1, (2000, 6)).tolist(), [0.0] * 6, [1.0] * 6, [-1.0] * 6, [1, -1, 1, -1, 1, -1]]
    given = json.dumps({"parameters": bandit.spec.raw["parameters"], "actions": actions})
    command = ["node", "--import", "tsx", "--input-type=module", "--eval", NODE]
    told = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=True)
    server = json.loads(told.stdout)
    for action, theta, back in zip(actions, server["thetas"], server["back"]):
        ours = bandit.to_theta(action)
        assert ours["x"] == theta["x"]
        assert ulps(ours["y"], theta["y"]) <= 2
        assert all(ulps(p, q) <= 4 for p, q in zip(ours["weather"], theta["weather"]))
        assert np.abs(bandit.to_action(theta) - back).max() <= 4e-16


def test_the_server_evaluates_the_theta_of_to_theta(bandit):
    action = [0.3, -0.2, 0.9, -0.9, 0, 0.4]
    theirs = bandit.evaluate(action).theta
    assert bandit.evaluate(bandit.to_theta(action)).theta["weather"] == pytest.approx(theirs["weather"], abs=1e-15)
    assert bandit.evaluate(bandit.to_action(bandit.start)).theta["weather"] == pytest.approx(bandit.start["weather"])


def test_rules_are_named(bandit):
    parameters = bandit.parameters
    assert parameters.size == 6 and parameters.labels[2:4] == ["weather.clear", "weather.overcast"]
    for theta, message in (
        ({"x": 2}, "x: expected 0.0..1.0 m, got 2.0"),
        ({"x": math.nan}, "x: expected a finite number, got nan"),
        ({"x": "a"}, "x: expected a number, got 'a'"),
        ({"x": True}, "x: expected a number, got True"),
        ({"fog": 1}, "fog: expected one of x, y, weather"),
        ({"weather": [1, 0, 0]}, "weather: expected 4 probabilities (clear, overcast, low sun, rain), got [1, 0, 0]"),
        ({"weather": [1, 1, 0, 0]}, "weather: expected probabilities of at least 0 that sum to 1, got [1, 1, 0, 0]"),
        ({"weather": 1}, "weather: expected 4 probabilities (clear, overcast, low sun, rain), got 1"),
    ):
        with pytest.raises(lts.ParameterError) as refused:
            parameters.to_action(theta)
        assert str(refused.value) == message
    with pytest.raises(lts.ParameterError, match="action: expected 6 numbers, got 0.5"):
        parameters.to_theta(0.5)


def test_the_flat_form_and_theta_are_each_others_inverse(bandit):
    values = lts.to_values(bandit.parameters, OPTIMUM)
    assert list(values) == bandit.parameters.labels and values["x"] == 0.7 and values["y"] == 0.01
    theta = lts.from_values(bandit.parameters, values)
    assert theta["weather"] == pytest.approx(OPTIMUM["weather"]) and theta["y"] == 0.01
    assert lts.from_values(bandit.parameters, {}) == bandit.spec.default
    assert lts.from_values(bandit.parameters, {"x": 1 + 1e-12})["x"] == 1
    with pytest.raises(lts.ParameterError, match="x: expected 0.0..1.0 m, got 1.1"):
        lts.from_values(bandit.parameters, {"x": 1.1})
    with pytest.raises(lts.ParameterError, match="weather.rain.: expected a finite number"):
        lts.from_values(bandit.parameters, {"weather.clear": 0, "weather.overcast": 0, "weather.low sun": 0})
    with pytest.raises(lts.ParameterError, match="weathr: expected one of"):
        lts.from_values(bandit.parameters, {"weathr": 1})


def test_every_point_of_a_space_is_a_theta(bandit):
    space = lts.dimensions(bandit.parameters)
    assert [(d.low, d.high, d.log) for d in space[:3]] == [(0, 1, False), (0.001, 1, True), (-1, 1, False)]
    random = np.random.default_rng(6)
    for _ in range(200):
        theta = lts.from_values(bandit.parameters, {d.name: random.uniform(d.low, d.high) for d in space})
        assert sum(theta["weather"]) == pytest.approx(1) and bandit.parameters.complete(theta) == theta


def test_optuna(bandit):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial(lts.to_values(bandit.parameters, bandit.start))
    first = study.ask(lts.optuna_distributions(bandit.parameters))
    theta = lts.from_values(bandit.parameters, first.params)
    assert theta["weather"] == pytest.approx(bandit.start["weather"]) and theta["x"] == bandit.start["x"]
    study.tell(first, bandit.evaluate(theta).require())
    study.optimize(lambda trial: bandit.evaluate(lts.suggest(trial, bandit.parameters)).require(), n_trials=40)
    best = lts.from_values(bandit.parameters, study.best_params)
    assert gain(best) == pytest.approx(study.best_value) and study.best_value > study.trials[0].value + 0.2


def test_nevergrad(bandit):
    ng = pytest.importorskip("nevergrad")
    parametrization = lts.nevergrad_parametrization(bandit.parameters, bandit.start)
    begin = lts.from_values(bandit.parameters, parametrization.value)
    assert begin["y"] == pytest.approx(bandit.start["y"]) and begin["weather"] == pytest.approx(bandit.start["weather"])
    optimizer = ng.optimizers.OnePlusOne(parametrization, budget=30)
    optimizer.parametrization.random_state.seed(1)
    for _ in range(30):
        candidate = optimizer.ask()
        reward = bandit.evaluate(lts.from_values(bandit.parameters, candidate.value)).require()
        optimizer.tell(candidate, -reward)
    best = lts.from_values(bandit.parameters, optimizer.provide_recommendation().value)
    assert gain(best) > gain(bandit.start)


def test_seeds_are_derived_as_the_protocol_says():
    assert lts.derive_seed(7, "episode", 0) == 2550420695
    assert lts.derive_seed(2550420695, "simulation") == 165751487
    told = "import { deriveSeed } from './protocol/random.ts'; console.log(JSON.stringify([...'abcdefgh'].map((_, n) => deriveSeed(4294967295, 'ä'.repeat(n), n))))"
    command = ["node", "--import", "tsx", "--input-type=module", "--eval", told]
    theirs = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert [lts.derive_seed(4294967295, "ä" * n, n) for n in range(8)] == theirs
