"""What is lost on the way: the socket, the server, the client. Nothing is lost for the caller, and nothing is made twice."""

from __future__ import annotations

import concurrent.futures
import json
import logging
import os
import stat
import threading
import time

import numpy as np
import pytest
from conftest import FragileServer, gain, sessions_of, wait_until

import learning_to_simulate as lts


def every_step_once(environment, count):
    """The server's history of the session: each step one result, and the rewards are those of their θ."""
    history = environment.history()
    assert len(history) == len({entry["step_id"] for entry in history}) == count
    assert all(entry["reward"] == pytest.approx(gain(entry["theta"]), abs=1e-8) for entry in history)


def test_a_lost_socket(server, network, caplog):
    between = network(server.port)
    with lts.connect(between.url, "Bandit-v0", {"delayMs": 40}) as environment:
        actions = np.random.default_rng(3).uniform(-1, 1, (60, 6))
        for delay in (0.3, 0.7, 0.9):
            threading.Timer(delay, between.cut).start()
        results = environment.evaluate(actions)
        assert between.connections > 1
        for action, result in zip(actions, results):
            assert result.reward == pytest.approx(gain(environment.to_theta(action)), abs=1e-12)
        every_step_once(environment, 60)
    assert "trying again for 60 s" in caplog.text and "connected again" in caplog.text


def test_what_the_server_has_never_received_is_sent_again(server, network):
    between = network(server.port)
    with lts.connect(between.url, "Bandit-v0", {"delayMs": 3000}, seed=7) as environment:
        received = environment.submit({})
        wait_until(lambda: environment._session._steps._batches and len(environment._session._steps._sent) == 1)
        time.sleep(0.3)
        between.swallows = True
        lost = environment.submit({"x": 0.2})
        received.cancel()
        time.sleep(0.3)
        between.swallows = False
        between.cut()
        assert received.result(20).outcome == "cancelled"
        assert lost.result(20).seed == lts.derive_seed(7, "episode", 1)
        assert lost.result().theta["x"] == 0.2 and between.connections == 2


def test_a_socket_that_is_lost_at_once(server, network):
    between = network(server.port)
    with lts.connect(between.url, "Bandit-v0") as environment:
        between.cut()
        assert environment.evaluate({}).ok and between.connections == 2


def test_a_lost_socket_is_not_tried_for_ever(server, network):
    between = network(server.port)
    environment = lts.connect(between.url, "Bandit-v0", {"delayMs": 300}, reconnect_for=0.5)
    evaluations = [environment.submit({}), environment.submit({"x": 0.2})]
    evaluations[0].result(20)
    between.close()
    with pytest.raises(lts.ConnectionLost, match="no server listens there.*0.5 s"):
        environment.evaluate([{}] * 3)
    with pytest.raises(lts.ConnectionLost):
        environment.evaluate({})
    began = time.monotonic()
    environment.close()
    environment.close()
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("delay", [0, 0, 0, 0.001, 0.003, 0.3])
def test_closing_after_a_lost_socket_does_not_wait_for_it(server, network, delay):
    between = network(server.port)
    environment = lts.connect(between.url, "Bandit-v0")
    between.close()
    time.sleep(delay)
    began = time.monotonic()
    environment.close()
    assert environment.closed and time.monotonic() - began < 2


def test_what_has_arrived_before_the_end_is_in_the_error(server, network):
    between = network(server.port)
    environment = lts.connect(between.url, "Bandit-v0", {"delayMs": 100}, reconnect_for=0)
    threading.Timer(1.0, between.close).start()
    with pytest.raises(lts.ConnectionLost) as lost:
        environment.evaluate([{"x": 0.2}] * 100)
    arrived = [result for result in lost.value.results if result]
    assert 0 < len(arrived) < 100 == len(lost.value.results) and all(r.ok for r in arrived)


def test_a_killed_server_that_is_started_again(fragile, caplog):
    with lts.connect(fragile.url, "Bandit-v0", {"delayMs": 40}) as environment:
        actions = np.random.default_rng(4).uniform(-1, 1, (60, 6))
        threading.Timer(0.5, fragile.restart).start()
        results = environment.evaluate(actions)
        for action, result in zip(actions, results):
            assert result.reward == pytest.approx(gain(environment.to_theta(action)), abs=1e-12)
        every_step_once(environment, 60)
    assert "connected again" in caplog.text


def test_a_server_that_is_full_is_asked_again(tmp_path, caplog):
    limits = {"queue_depth": 5, "max_unacknowledged": 8, "max_in_flight": 50, "max_sessions": 1}
    server = FragileServer(tmp_path, limits=limits)
    try:
        with lts.connect(server.url, "Bandit-v0", {"delayMs": 5}) as environment:
            results = environment.evaluate([{"x": i / 40} for i in range(40)])
            assert [r.theta["x"] for r in results] == [i / 40 for i in range(40)]
            assert "asking again" in caplog.text
            every_step_once(environment, 40)
            with pytest.raises(lts.ProtocolError, match="TOO_MANY_SESSIONS"):
                lts.connect(server.url, "Bandit-v0", reconnect_for=0)
    finally:
        server.kill()


PROGRAM = """
import sys, learning_to_simulate as lts
url, file = sys.argv[1:]
with lts.connect(url, "Bandit-v0", {"noise": 0.5, "delayMs": 50}, session_file=file, seed=7) as environment:
    print(environment.session_id, flush=True)
    for i in range(0, 40, 10):
        names = [f"trial-{j}" for j in range(i, i + 10)]
        for result in environment.evaluate([{"x": 0.5}] * 10, step_ids=names):
            print(result.step_id, result.seed, result.reward, flush=True)
"""


def test_a_killed_client_that_is_started_again(server, program, tmp_path):
    file = tmp_path / "runs" / "search.session"
    first = program(PROGRAM, server.url, str(file))
    lines = [first.stdout.readline() for _ in range(13)]
    first.kill()
    first.communicate()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    second = program(PROGRAM, server.url, str(file))
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    again = out.splitlines(keepends=True)
    assert again[:13] == lines  # the session, and the results under their old names
    history = lts.fetch_history(server.url, session=again[0].strip())
    assert len(history) == 40 and {h["seed"] for h in history} == {lts.derive_seed(7, "episode", i) for i in range(40)}
    assert not file.exists()  # the session was closed


def test_a_session_file_that_cannot_be_taken_up_is_told(server, tmp_path, caplog):
    file = tmp_path / "search.session"
    with lts.connect(server.url, "Bandit-v0", session_file=file) as environment:
        with pytest.raises(TypeError, match="session_file"):
            environment.__reduce__()
        environment.close(keep=True)
    ticket = json.loads(file.read_text())
    file.write_text(json.dumps({**ticket, "session_id": "another"}))
    with lts.connect(server.url, "Bandit-v0", session_file=file) as environment:
        assert environment.evaluate({}).ok
    assert "cannot be taken up" in caplog.text
    file.write_text("no ticket")
    with lts.connect(server.url, "Bandit-v0", session_file=file) as environment:
        assert environment.session_id != ticket["session_id"]
    assert "expected the ticket of a session" in caplog.text


def test_a_session_file_of_another_seed_environment_or_options_is_refused(server, tmp_path):
    file = tmp_path / "search.session"
    with lts.connect(server.url, "Bandit-v0", {"noise": 0.5, "delayMs": 1}, seed=7, session_file=file) as environment:
        environment.close(keep=True)
    kept = file.read_bytes()
    has, end = f"{file}: expected ", "; name another file, or delete this one"
    for env_id, options, seed, message in (
        ("Bandit-v0", {"noise": 0.5, "delayMs": 1}, 8, "seed 7, as the session in this file has, got 8"),
        ("Mixture-v0", {"noise": 0.5, "delayMs": 1}, 7, "env_id Bandit-v0, as the session in this file has, got Mixture-v0"),
        ("Bandit-v0", None, 7, 'options {"noise":0.5,"delayMs":1}, as the session in this file has, got {}'),
        (None, {"noise": 0.5}, None, 'options {"noise":0.5,"delayMs":1}, as the session in this file has, got {"noise":0.5}'),
    ):
        with pytest.raises(ValueError) as refused:
            lts.connect(server.url, env_id, options, seed=seed, session_file=file)
        assert str(refused.value) == has + message + end and file.read_bytes() == kept
    for env_id, options, seed in ((None, {"delayMs": 1, "noise": 0.5}, None), ("Bandit-v0", {"noise": 0.5, "delayMs": 1.0}, 7)):
        again = lts.connect(server.url, env_id, options, seed=seed, session_file=file)
        assert (again.session_id, again.seed) == (environment.session_id, 7)
        again.close(keep=True)
    again = lts.connect(server.url, None, {"delayMs": 1, "noise": 0.5}, session_file=file)
    again.close()
    assert list(tmp_path.iterdir()) == []


def test_a_seed_that_the_server_has_drawn_is_the_sessions_too(server, tmp_path):
    file = tmp_path / "search.session"
    lts.connect(server.url, "Bandit-v0", session_file=file).close(keep=True)
    seed = json.loads(file.read_text())["opened"]["seed"]
    with pytest.raises(ValueError, match=f"expected seed {seed}, as the session in this file has, got {seed ^ 1};"):
        lts.connect(server.url, "Bandit-v0", session_file=file, seed=seed ^ 1)
    lts.connect(server.url, "Bandit-v0", session_file=file, seed=seed).close()


@pytest.mark.parametrize("kept", [False, True])
def test_of_clients_that_open_one_session_file_at_once_one_has_it(server, tmp_path, kept):
    file = tmp_path / "search.session"
    if kept:
        lts.connect(server.url, "Bandit-v0", session_file=file).close(keep=True)
    before = sessions_of(server)

    def connect(_):
        try:
            return lts.connect(server.url, "Bandit-v0", session_file=file)
        except lts.ConnectionLost as error:
            assert "another process has taken this file" in str(error)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [client for client in pool.map(connect, range(4)) if client]
    wait_until(lambda: sum(client._session.failure is None for client in clients) == 1)
    (owner,) = [client for client in clients if client._session.failure is None]
    wait_until(lambda: len(sessions_of(server) - before) == (0 if kept else 1))
    owner.evaluate([{}] * 70, step_ids=[f"trial-{i}" for i in range(70)])  # enough to acknowledge
    for client in clients:
        if client is not owner:
            client.close()
    assert json.loads(file.read_text())["session_id"] == owner.session_id
    rewards = [r.seed for r in owner.evaluate([{}] * 70, step_ids=[f"trial-{i}" for i in range(70)])]
    owner.close(keep=True)
    with lts.connect(server.url, "Bandit-v0", session_file=file) as last:
        assert [r.seed for r in last.evaluate([{}] * 70, step_ids=[f"trial-{i}" for i in range(70)])] == rewards
    assert list(tmp_path.iterdir()) == []


def test_a_client_whose_session_was_taken_over_leaves_the_file_alone(server, tmp_path):
    file = tmp_path / "search.session"
    first = lts.connect(server.url, "Bandit-v0", session_file=file)
    older = dict(first._session._ticket)
    with lts.connect(server.url, "Bandit-v0", session_file=file) as second:
        mine = file.read_bytes()
        assert not first._session._file.write(older)  # what was on its way when it lost the session
        first._session._file.remove(older)
        assert file.read_bytes() == mine and list(tmp_path.iterdir()) == [file]
        wait_until(lambda: first._session.failure)
        first.close()
        assert file.read_bytes() == mine and second.evaluate({}).ok
    assert list(tmp_path.iterdir()) == []


def test_two_clients_do_not_fight_for_a_session(server, tmp_path):
    file = tmp_path / "search.session"
    first = lts.connect(server.url, "Bandit-v0", session_file=file)
    with lts.connect(server.url, "Bandit-v0", session_file=file) as second:
        assert second.session_id == first.session_id
        wait_until(lambda: first._session.failure)
        with pytest.raises(lts.ConnectionLost, match="another client has taken over the session; one process a session_file"):
            first.evaluate({})
        assert second.evaluate({}).ok
    first.close()


BUSY_SECONDS = float(os.environ.get("LTS_BUSY_SECONDS", "2.5"))


def test_a_caller_that_is_busy_keeps_its_connection(fragile, network, caplog):
    """LTS_BUSY_SECONDS=90 for longer; the heartbeat of this server is half a second."""
    caplog.set_level(logging.WARNING)
    between = network(fragile.port)
    with lts.connect(between.url, "Bandit-v0", {"delayMs": 100}) as environment:
        evaluation = environment.submit({})
        end = time.monotonic() + BUSY_SECONDS
        while time.monotonic() < end:
            sum(range(100_000))
        assert evaluation.done() and environment.evaluate({}).ok
        assert between.connections == 1 and caplog.text == ""
