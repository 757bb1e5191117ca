"""Arguments that cannot be so: named in the caller's words, before anything is sent."""

from __future__ import annotations

import asyncio
import math

import gymnasium
import numpy as np
import pytest

import learning_to_simulate as lts

lts.register("Bandit-v0")
TOP = 4294967295
SEED = f"expected a whole number from 0 to {TOP}, got "
DEADLINE = "expected seconds, a number from 0.001 to 2147483.647, got "
NAME = "expected a name of 1 to 128 characters, none of them a control character, got "


def refused(call, *args, **given):
    """The message of a refusal, and its class."""
    with pytest.raises((TypeError, ValueError)) as error:
        call(*args, **given)
    return f"{type(error.value).__name__} {error.value}"


def evaluations(environment):
    """In every form: blocking, for asyncio, and one that does not wait."""
    return (
        lambda **given: environment.evaluate({}, **given),
        lambda **given: environment.evaluate([{}, {}], **given),
        lambda **given: asyncio.run(environment.evaluate_async([{}, {}], **given)),
    )


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (1.5, f"ValueError seed: {SEED}1.5"),
        (-3, f"ValueError seed: {SEED}-3"),
        (2**32, f"ValueError seed: {SEED}4294967296"),
        (math.nan, f"ValueError seed: {SEED}nan"),
        ("3", f"TypeError seed: {SEED}'3'"),
        (True, f"TypeError seed: {SEED}True"),
        (np.float32(0.5), f"ValueError seed: {SEED}0.5"),
        (b"1", f"TypeError seed: {SEED}b'1'"),
    ],
)
def test_a_seed_is_a_whole_number(bandit, server, seed, message):
    plural = message.replace("seed:", "seeds:")
    for evaluate in evaluations(bandit):
        assert refused(evaluate, seeds=seed) == plural
    assert refused(bandit.evaluate, [{}, {}], seeds=[1, seed]) == message.replace("seed:", "seeds[1]:")
    assert refused(bandit.evaluate, {}, seeds={"order": seed}) == message.replace("seed:", "seeds.order:")
    assert refused(bandit.submit, {}, seed=seed) == message
    assert refused(lts.connect, server.url, "Bandit-v0", seed=seed) == message
    assert refused(lts.derive_seed, seed, "episode", 0) == message
    assert bandit.history() == []


def test_a_whole_number_may_be_numpys_or_a_float(bandit):
    for seed in (5, 5.0, np.int64(5), np.uint8(5), np.float32(5), np.array(5)):
        assert bandit.evaluate({}, seeds=seed).seed == bandit.submit({}, seed=seed).result(20).seed == 5
    for seeds in ([1, 2], (1, 2), range(1, 3), np.array([1, 2]), [1, 2.0]):
        assert [r.seed for r in bandit.evaluate([{}, {}], seeds=seeds)] == [1, 2]
    own = [r.seed for r in bandit.evaluate([{}, {}], seeds=[1, None])]
    assert own[0] == 1 != own[1]


def test_seeds_are_as_many_as_points_and_of_sources_that_exist(bandit):
    assert refused(bandit.evaluate, {}, seeds=[1]) == (
        "ValueError seeds: expected one, since one point was given and no list, got [1]"
    )
    assert refused(bandit.submit, {}, seed=[1]) == (
        "ValueError seed: expected one, since one point was given and no list, got [1]"
    )
    assert refused(bandit.evaluate, [{}, {}], seeds="12") == f"TypeError seeds: {SEED}'12'"
    sources = "seed: expected seeds of simulation, initialisation, order, got one of 'init'"
    assert refused(bandit.submit, {}, seed={"init": 3}) == f"ValueError {sources}"
    assert refused(lts.derive_seed, 1, 1.0) == "TypeError parts[0]: expected a name or a whole number, got 1.0"


def test_gymnasiums_seeds_are_whole_numbers(server):
    environment = gymnasium.make("learning_to_simulate:Bandit-v0", url=server.url).unwrapped
    assert refused(environment.reset, seed=1.5) == f"ValueError seed: {SEED}1.5"
    assert refused(environment.reset, seed="3") == f"TypeError seed: {SEED}'3'"
    environment.close()
    environment = gymnasium.make_vec("learning_to_simulate:Bandit-v0", num_envs=2, url=server.url)
    most = f"expected a whole number from 0 to {TOP - 1}"
    assert refused(environment.reset, seed=1.5) == f"ValueError seed: {most}, got 1.5"
    assert refused(environment.reset, seed="12") == f"TypeError seed: {most}, got '12'"
    assert refused(environment.reset, seed=TOP) == f"ValueError seed: {most}, got {TOP}"
    assert refused(environment.reset, seed=[1, 2.5]) == f"ValueError seed[1]: {SEED}2.5"
    environment.close()
    assert refused(lts.SimulatorVectorEnvironment, 2.5, server.url, "Bandit-v0") == (
        "ValueError num_envs: expected a whole number from 1, got 2.5"
    )


@pytest.mark.parametrize(("deadline", "error"), [(0, "ValueError"), (-1, "ValueError"), (math.inf, "ValueError"), ("3", "TypeError")])
def test_a_deadline_is_seconds(bandit, server, deadline, error):
    message = f"{error} deadline: {DEADLINE}{deadline!r}"
    for evaluate in evaluations(bandit):
        assert refused(evaluate, deadline=deadline) == message
    assert refused(bandit.submit, {}, deadline=deadline) == message
    made = refused(gymnasium.make, "learning_to_simulate:Bandit-v0", url=server.url, deadline=deadline)
    assert made.startswith(message)  # Gymnasium adds words of its own
    assert bandit.history() == []


def test_the_shortest_and_the_longest_deadline_are_taken(bandit):
    assert bandit.evaluate({}, deadline=2_147_483.647).ok
    assert bandit.evaluate({}, deadline=0.001).outcome in ("ok", "deadline")


def test_step_ids_are_a_list_of_different_names(bandit):
    assert refused(bandit.evaluate, [{}, {}], step_ids="zz") == (
        "TypeError step_ids: expected a list with one for each of 2 points, got 'zz'"
    )
    assert refused(bandit.evaluate, {}, step_ids=["z"]) == (
        "ValueError step_ids: expected one, since one point was given and no list, got ['z']"
    )
    assert refused(bandit.evaluate, [{}] * 3, step_ids=["a", "b", "a"]) == (
        "ValueError step_ids[2]: expected another name than step_ids[0] has, got 'a'"
    )
    for bad in ("", "bad\nname", "x" * 129, "\U0001f3b2" * 65, "\ud800"):
        assert refused(bandit.submit, {}, step_id=bad).startswith(f"ValueError step_id: {NAME}")
        assert refused(bandit.evaluate, [{}, {}], step_ids=["a", bad]).startswith(f"ValueError step_ids[1]: {NAME}")
    assert refused(bandit.submit, {}, step_id=1.5) == f"TypeError step_id: {NAME}1.5"
    assert bandit.history() == []
    assert bandit.submit({}, step_id=np.int64(3)).result(20).step_id == "3"
    names = ["\U0001f3b2" * 64, "x" * 128]
    assert [r.step_id for r in bandit.evaluate([{}, {}], step_ids=np.array(names))] == names


def test_points_are_of_the_shapes_that_are_meant(bandit):
    rule = "points: expected θ by name, an action of 6 numbers, a list of θ or actions, or an array [n, 6], got "
    for points, error in (
        ("x", "TypeError"),
        (b"x", "TypeError"),
        (None, "TypeError"),
        (3, "TypeError"),
    ):
        assert refused(bandit.evaluate, points) == f"{error} {rule}{points!r}"
        assert refused(bandit.submit, points).startswith("TypeError point: expected θ by name, or an action of 6 numbers")
    assert refused(bandit.evaluate, np.zeros((2, 3, 6))) == f"ValueError {rule}an array of the shape [2, 3, 6]"
    assert refused(bandit.evaluate, np.float64(3)) == f"ValueError {rule}an array of the shape []"
    one = "ValueError point: expected θ by name, or an action of 6 numbers (evaluate takes many), got a list of "
    for many, count in (([{}, {}], 2), (np.zeros((1, 6)), 1), ([], 0)):
        assert refused(bandit.submit, many) == f"{one}{count} points"
    assert bandit.submit(np.zeros(6)).result(20).ok and bandit.submit([0] * 5).result(20).outcome == "refused"
    assert [r.ok for r in bandit.evaluate({"a": {}, "b": {"x": 0.2}}.values())] == [True, True]


def test_an_argument_of_the_other_function_is_told(bandit):
    seeds = "expected seeds (one for all, or a list with one for each), got the argument seed"
    assert refused(bandit.evaluate, {}, seed=1) == f"TypeError evaluate: {seeds}"
    assert refused(lambda: asyncio.run(bandit.evaluate_async({}, seed=1))) == f"TypeError evaluate_async: {seeds}"
    assert refused(bandit.submit, {}, seeds=1) == "TypeError submit: expected seed (one point, one seed), got the argument seeds"
    assert refused(bandit.submit, {}, on_progress=print) == (
        "TypeError submit: expected no progress (evaluate and evaluate_async tell it), got the argument on_progress"
    )
    assert refused(bandit.evaluate, {}, sedes=1) == "TypeError evaluate: expected no such argument, got the argument sedes"


def test_history_says_what_it_takes(bandit, server):
    assert refused(bandit.history, frame="polars") == "ValueError frame: expected 'list' or 'pandas', got 'polars'"
    for limit, got in ((-1, "ValueError"), (100_001, "ValueError"), (1.5, "ValueError"), ("3", "TypeError")):
        rule = f"{got} limit: expected a whole number from 0 to 100000, got {limit!r}"
        assert refused(bandit.history, limit=limit) == rule == refused(lts.fetch_history, server.url, limit=limit)
    outcomes = "'ok' or 'infeasible' or 'diverged' or 'failed' or 'deadline' or 'cancelled'"
    told = f"ValueError outcome: expected {outcomes}, got 'refused'"
    assert refused(lts.fetch_history, server.url, outcome="refused") == told
    assert "session" in refused(lts.fetch_history, server.url, session="")  # what only the server refuses
    assert bandit.history(limit=0) == []


def test_connect_says_what_it_takes(server):
    def connect(*args, **given):
        return refused(lts.connect, server.url, *args, **given)

    assert connect({"noise": 1}).startswith("TypeError env_id: expected the id of an environment")
    assert connect("Bandit-v0", "quick").startswith("TypeError options: expected them by name")
    assert connect("Bandit-v0", codec="xml") == "ValueError codec: expected 'msgpack' or 'json', got 'xml'"
    patience = "reconnect_for: expected seconds, a number from 0, got "
    assert connect("Bandit-v0", reconnect_for="1") == f"TypeError {patience}'1'"
    assert connect("Bandit-v0", reconnect_for=math.nan) == f"ValueError {patience}nan"
    assert connect("Bandit-v0", name="").startswith(f"ValueError name: {NAME}")
    with lts.connect(server.url, "Bandit-v0", seed=7.0, reconnect_for=math.inf) as environment:
        assert environment.seed == 7
    with pytest.raises(lts.ClosedError, match="connect again"), environment:
        pass


@pytest.mark.parametrize("url", ["", "127.0.0.1:7077", "http://127.0.0.1:7077", "ws://", "ws://a:b", "ws://a:70000", "ws://a:1/#b", None])
def test_connect_names_an_address_that_is_none(url):
    told = f"ValueError url: expected ws://HOST:PORT or wss://HOST:PORT, got {str(url)!r}"
    assert refused(lts.connect, url) == told == refused(lts.fetch_history, url)


def test_tls_to_a_server_without_it_gets_a_hint(server):
    with pytest.raises(lts.ConnectionLost, match="a server without TLS is ws://"):
        lts.connect(server.url.replace("ws://", "wss://"), reconnect_for=0)


def test_finalists_are_counted_in_whole_numbers(bandit):
    results = bandit.evaluate([{}])
    assert refused(lts.finalists, bandit, results, repeats=0) == "ValueError repeats: expected a whole number from 1, got 0"
    assert refused(lts.finalists, bandit, results, count=1.5) == "ValueError count: expected a whole number from 0, got 1.5"
