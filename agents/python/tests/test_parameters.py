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


SPEC = {
    "parameters": [
        {"kind": "integer", "name": "n", "slice": [0, 1], "low": -2, "high": 6, "scale": "linear", "default": 0},
        {"kind": "integer", "name": "m", "slice": [1, 2], "low": 1, "high": 1000, "scale": "log", "default": 10},
        {"kind": "boolean", "name": "b", "slice": [2, 3], "default": True},
        {"kind": "categorical", "name": "c", "slice": [3, 6], "choices": ["p", "q", "r"], "default": "q"},
    ]
}
for one in SPEC["parameters"]:
    one |= {"meaning": "", "unit": "1"}


def test_integers_booleans_and_choices_are_the_servers():
    parameters = lts.specification.parameters_of(SPEC)
    random = np.random.default_rng(5)
    ties = [[a, b, c, d, e, f] for a in (-1, 1) for b in (-1, 1) for c in (-1, 0) for d, e, f in ((0, 0, 0), (-1, 1, 1))]
    edges = [[2 * k / 9 - 1, 0, -0.0, 0.5, 0.5, -1] for k in range(10)]
    actions = [*random.uniform(-1, 1, (2000, 6)).tolist(), *ties, *edges]
    given = json.dumps({"parameters": SPEC["parameters"], "actions": actions})
    command = ["node", "--import", "tsx", "--input-type=module", "--eval", NODE]
    told = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=True)
    server = json.loads(told.stdout)
    for action, theta, back in zip(actions, server["thetas"], server["back"]):
        ours = parameters.to_theta(action)
        assert ours == theta and [type(value) for value in ours.values()] == [int, int, bool, str]
        error = np.abs(parameters.to_action(theta) - back)
        assert error[1] <= 1e-15 and np.delete(error, 1).max() == 0  # `m` has a quotient of logarithms
        assert parameters.to_theta(parameters.to_action(theta)) == theta
        assert parameters.to_theta(parameters.to_action(theta).astype(np.float32)) == theta


def test_the_server_takes_and_tells_integers_booleans_and_choices(dice):
    assert dice.parameters.labels[:6] == ["dice", *(f"die.{c}" for c in dice.parameters[1].choices), "bestOfTwo"]
    theta = {"dice": np.int64(5), "die": np.str_("icosahedron"), "bestOfTwo": np.bool_(True), "bonus": np.float32(0.5)}
    theirs = dice.evaluate(theta).theta
    assert theirs == {"dice": 5, "die": "icosahedron", "bestOfTwo": True, "bonus": 0.5, "luck": [0, 1, 0]}
    assert type(theirs["dice"]) is int and theirs["bestOfTwo"] is True
    actions = np.random.default_rng(3).uniform(-1, 1, (16, dice.parameters.size)).astype(np.float32)
    for action, result in zip(actions, dice.evaluate(actions)):
        for name in ("dice", "die", "bestOfTwo"):
            assert dice.to_theta(action)[name] == result.theta[name]
    assert dice.history()[0]["theta"] == result.theta


def test_the_server_evaluates_the_theta_of_to_theta(bandit):
    action = [0.3, -0.2, 0.9, -0.9, 0, 0.4]
    theirs = bandit.evaluate(action).theta
    assert bandit.evaluate(bandit.to_theta(action)).theta["weather"] == pytest.approx(theirs["weather"], abs=1e-15)
    assert bandit.evaluate(bandit.to_action(bandit.start)).theta["weather"] == pytest.approx(bandit.start["weather"])


def types_of(theta):
    return {name: [type(v) for v in value] if isinstance(value, list) else type(value) for name, value in theta.items()}


@pytest.mark.parametrize("codec", ["msgpack", "json"])
def test_a_number_has_the_type_of_its_kind_also_where_it_is_whole(server, codec):
    """On the wire, 1.0 is the integer 1."""
    types = {"dice": int, "die": str, "bestOfTwo": bool, "bonus": float, "luck": [float] * 3}
    theta = {"dice": 1, "die": "cube", "bestOfTwo": True, "bonus": 1.0, "luck": [0, 1, 0]}
    with lts.connect(server.url, "Dice-v0", codec=codec) as environment:
        result = environment.evaluate(theta, test=True)
        (mine,) = environment.history()
        (ours,) = lts.fetch_history(server.url, session=environment.session_id)
        told = (result.theta, mine["theta"], ours["theta"], environment.start, environment.spec.default)
        again = lts.finalists(environment, [result], repeats=1)[0].theta
        flat = lts.from_values(environment.parameters, lts.to_values(environment.parameters, theta))
        for one in (*told, again, environment.parameters.complete(theta), flat, environment.to_theta([0] * 10)):
            assert types_of(one) == types
        assert result.theta == theta == mine["theta"] == ours["theta"]
        for entry in (mine, ours):
            assert type(entry["reward"]) is float and {type(s) for s in entry["scores"].values()} == {float}


def test_scores_are_floats_also_where_they_are_whole():
    message = {"step_id": "a", "outcome": "ok", "reward": 1, "scores": {"gain": 1}, "observation": [1], "test_scores": {"gain": 0}}
    message |= {"early_scores": [{"fraction": 1, "scores": {"gain": 1}}], "theta": {"n": 3, "m": 4, "b": True, "c": "p"}}
    message |= {"seed": 1, "seeds": {}, "test_evaluations": 1, "timing": {"queue_ms": 0}, "repro": {}}
    result = lts.results.result_of(message, lts.specification.parameters_of(SPEC))
    early = result.early_scores[0]
    numbers = [result.reward, *result.scores.values(), *result.observation, *result.test_scores.values()]
    numbers += [early["fraction"], *early["scores"].values(), *result.timing.values()]
    assert len(numbers) == 7 and {type(number) for number in numbers} == {float}
    assert [type(value) for value in result.theta.values()] == [int, int, bool, str]
    progress = {"step_id": "a", "phase": "train", "fraction": 1, "metrics": {"loss": 2}}
    told = lts.results.progress_of(progress, 0)
    assert [type(told.fraction), type(told.metrics["loss"])] == [float, float]


def test_rules_are_named(bandit):
    parameters = bandit.parameters
    assert parameters.size == 6 and parameters.labels[2:4] == ["weather.clear", "weather.overcast"]
    for theta, message in (
        ({"x": 2}, "x: expected 0.0..1.0 m, got 2.0"),
        ({"x": math.nan}, "x: expected a finite number, got nan"),
        ({"x": "a"}, "x: expected a number, got 'a'"),
        ({"x": True}, "x: expected a number, got True"),
        ({"fog": 1}, "fog: expected one of x, y, weather; no parameter has this name"),
        ({"weather": [1, 0, 0]}, "weather: expected 4 probabilities (clear, overcast, low sun, rain), got [1, 0, 0]"),
        ({"weather": [1, 1, 0, 0]}, "weather: expected probabilities of at least 0 that sum to 1, got [1, 1, 0, 0]"),
        ({"weather": 1}, "weather: expected 4 probabilities (clear, overcast, low sun, rain), got 1"),
        ({"weather": "1000"}, "weather: expected 4 probabilities (clear, overcast, low sun, rain), got '1000'"),
        ({"weather": ["1", 0, 0, 0]}, "weather: expected 4 probabilities (clear, overcast, low sun, rain), got ['1', 0, 0, 0]"),
    ):
        with pytest.raises(lts.ParameterError) as refused:
            parameters.to_action(theta)
        assert str(refused.value) == message
    for action, rule, message in (
        (0.5, "shape", "action: expected 6 numbers, got 0.5"),
        (np.array(0.5), "shape", "action: expected 6 numbers, got array(0.5)"),
        ("000000", "shape", "action: expected 6 numbers, got '000000'"),
        ([0, 0], "shape", "action: expected 6 numbers, got 2"),
        ([0, "0", 0, 0, 0, 0], "type", "action[1] (y): expected a number, got '0'"),
        ([0, 0, True, 0, 0, 0], "type", "action[2] (weather.clear): expected a number, got True"),
        ([[0]] * 6, "type", "action[0] (x): expected a number, got [0]"),
        (np.array(["0"] * 6), "type", "action[0] (x): expected a number, got '0'"),
        ([0, 0, 0, 0, math.inf, 0], "not_finite", "action[4] (weather.low sun): expected a finite number, got inf"),
    ):
        with pytest.raises(lts.ParameterError) as refused:
            parameters.to_theta(action)
        assert (str(refused.value), refused.value.rule) == (message, rule)


def test_rules_of_integers_booleans_and_choices_are_named(dice):
    bodies = "tetrahedron, cube, octahedron, icosahedron"
    for theta, rule, message in (
        ({"dice": 2.5}, "type", "dice: expected a whole number 1..6 dice, got 2.5"),
        ({"dice": "2"}, "type", "dice: expected a whole number 1..6 dice, got '2'"),
        ({"dice": True}, "type", "dice: expected a whole number 1..6 dice, got True"),
        ({"dice": np.float64("nan")}, "not_finite", "dice: expected a whole number 1..6 dice, got nan"),
        ({"dice": 7}, "range", "dice: expected a whole number 1..6 dice, got 7"),
        ({"bestOfTwo": 1}, "type", "bestOfTwo: expected True or False, got 1"),
        ({"die": "coin"}, "unknown", f"die: expected one of {bodies}, got 'coin'"),
        ({"die": 1}, "type", f"die: expected one of {bodies}, got 1"),
    ):
        with pytest.raises(lts.ParameterError) as refused:
            dice.to_action(theta)
        assert (str(refused.value), refused.value.rule) == (message, rule)
    assert dice.evaluate({"die": "coin"}).outcome == "refused"
    assert dice.parameters.complete({"dice": 3.0})["dice"] == 3
    with pytest.raises(lts.ParameterError, match="day: expected a kind that this version of the package knows, got 'date'"):
        lts.specification.parameters_of({"parameters": [SPEC["parameters"][0] | {"kind": "date", "name": "day"}]})


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
    flat = {"weather.clear": 0, "weather.overcast": "0", "weather.low sun": 0, "weather.rain": 0}
    with pytest.raises(lts.ParameterError, match=r"action\[3\] \(weather.overcast\): expected a number, got '0'"):
        lts.from_values(bandit.parameters, flat)
    with pytest.raises(lts.ParameterError, match="x: expected a number, got '0.5'"):
        lts.from_values(bandit.parameters, {"x": "0.5"})
    with pytest.raises(lts.ParameterError, match="weathr: expected one of"):
        lts.from_values(bandit.parameters, {"weathr": 1})


def test_every_point_of_a_space_is_a_theta(bandit):
    space = lts.dimensions(bandit.parameters)
    assert [(d.low, d.high, d.log) for d in space[:3]] == [(0, 1, False), (0.001, 1, True), (-1, 1, False)]
    random = np.random.default_rng(6)
    for _ in range(200):
        theta = lts.from_values(bandit.parameters, {d.name: random.uniform(d.low, d.high) for d in space})
        assert sum(theta["weather"]) == pytest.approx(1) and bandit.parameters.complete(theta) == theta


def test_a_space_has_integers_and_choices(dice):
    space = {d.name: d for d in lts.dimensions(dice.parameters)}
    assert list(space) == ["dice", "die", "bestOfTwo", "bonus", "luck.lowest", "luck.any", "luck.highest"]
    assert [d.kind for d in space.values()] == ["integer", "choice", "choice", *["number"] * 4]
    assert (space["dice"].low, space["dice"].high, space["dice"].default) == (1, 6, 2)
    assert space["die"].choices == ("tetrahedron", "cube", "octahedron", "icosahedron") and space["die"].high == 3
    assert space["bestOfTwo"].choices == (False, True) and space["bestOfTwo"].default is False
    theta = {"dice": 4, "die": "octahedron", "bestOfTwo": True, "bonus": 1.5, "luck": [0.1, 0.7, 0.2]}
    values = lts.to_values(dice.parameters, theta)
    assert [values[name] for name in ("dice", "die", "bestOfTwo", "bonus")] == [4, "octahedron", True, 1.5]
    again = lts.from_values(dice.parameters, values)
    assert again["luck"] == pytest.approx(theta["luck"]) and again | {"luck": theta["luck"]} == theta
    with pytest.raises(lts.ParameterError, match="die: expected one of"):
        lts.from_values(dice.parameters, {"die": "coin"})
    with pytest.raises(lts.ParameterError, match="die.cube: expected one of dice, die"):
        lts.from_values(dice.parameters, {"die.cube": 1})


def test_optuna_draws_integers_and_choices(dice):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    of = optuna.distributions
    space = lts.optuna_distributions(dice.parameters)
    assert space["dice"] == of.IntDistribution(1, 6) and space["bestOfTwo"] == of.CategoricalDistribution([False, True])
    assert space["die"] == of.CategoricalDistribution(dice.parameters[1].choices)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial(lts.to_values(dice.parameters, dice.start))
    first = study.ask(space)
    assert lts.from_values(dice.parameters, first.params) == pytest.approx(dice.start | {"luck": pytest.approx([0, 1, 0], abs=0.01)})
    study.tell(first, dice.evaluate(lts.from_values(dice.parameters, first.params)).require())

    def objective(trial):
        theta = lts.suggest(trial, dice.parameters)
        told = dice.evaluate(theta)
        assert {n: theta[n] for n in ("dice", "die", "bestOfTwo")} == {n: told.theta[n] for n in ("dice", "die", "bestOfTwo")}
        return told.require()

    study.optimize(objective, n_trials=40)
    assert study.best_value > -4 > study.trials[0].value


def test_nevergrad_draws_integers_and_choices(dice):
    ng = pytest.importorskip("nevergrad")
    start = {"dice": 5, "die": "octahedron", "bestOfTwo": True, "bonus": -5}
    parametrization = lts.nevergrad_parametrization(dice.parameters, start)
    begin = lts.from_values(dice.parameters, parametrization.value)
    assert {name: begin[name] for name in start} == pytest.approx(start)
    parametrization.random_state.seed(1)
    optimizer = ng.optimizers.registry["NGOpt"](parametrization, budget=40)
    seen = set()
    for _ in range(40):
        candidate = optimizer.ask()
        result = dice.evaluate(lts.from_values(dice.parameters, candidate.value))
        seen.add((result.theta["dice"], result.theta["die"], result.theta["bestOfTwo"]))
        optimizer.tell(candidate, -result.require())
    assert len(seen) > 3 and {die for _, die, _ in seen} > {"octahedron"}


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
