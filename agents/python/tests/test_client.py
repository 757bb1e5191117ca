from __future__ import annotations

import asyncio
import concurrent.futures
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np
import pytest
from conftest import BANDIT, ROOT, gain, sessions_of, wait_until

import learning_to_simulate as lts
from learning_to_simulate.evaluation import Evaluation
from learning_to_simulate.steps import Step, Steps

SLOW = {"delayMs": 60_000}


def test_one_point_gives_one_result_and_a_list_gives_a_list(bandit):
    result = bandit.evaluate({"x": 0.7})
    assert result.ok and result.theta == {"x": 0.7, "y": 0.1, "weather": [0.25] * 4}
    assert result.reward == result.scores["gain"] == result.require()
    assert result.reward == pytest.approx(gain(result.theta), abs=1e-12)
    assert bandit.evaluate([0] * 6).theta["x"] == 0.5
    assert bandit.evaluate(np.zeros(6, np.float32)).theta["x"] == 0.5
    for many in ([{"x": 0.2}, {"x": 0.3}], [[-0.6] + [0] * 5, [-0.4] + [0] * 5], np.array([[-0.6] + [0] * 5, [-0.4] + [0] * 5])):
        results = bandit.evaluate(many)
        assert [r.theta["x"] for r in results] == pytest.approx([0.2, 0.3])
    assert bandit.evaluate([]) == []
    assert len(bandit.evaluate({"x": x} for x in (0.2, 0.3))) == 2
    assert [r.outcome for r in bandit.evaluate([[0] * 6, "nonsense"])] == ["ok", "refused"]
    assert bandit.evaluate([{}])[0].theta == bandit.spec.default


def test_every_point_gets_its_own_reward_whatever_the_order(server):
    with lts.connect(server.url, "Bandit-v0") as environment:
        actions = np.random.default_rng(1).uniform(-1, 1, (300, 6))
        for action, result in zip(actions, environment.evaluate(actions)):
            assert result.reward == pytest.approx(gain(environment.to_theta(action)), abs=1e-12)


def test_batches_keep_to_the_limits_in_number_and_bytes(server):
    with lts.connect(server.url, "Bandit-v0") as environment:
        session, sizes = environment._session, []
        send = session._steps._send_batch
        session._steps._send_batch = lambda steps: (sizes.append(len(steps)), send(steps))
        environment._session.limits = {**session.limits, "max_batch": 3}
        actions = np.random.default_rng(2).uniform(-1, 1, (8, 6))
        assert all(r.ok for r in environment.evaluate(actions))
        assert sizes == [3, 3, 2]
        sizes.clear()
        environment._session.limits = {**session.limits, "max_batch": 100, "max_payload_bytes": 1250}
        assert all(r.ok for r in environment.evaluate(actions))
        assert len(sizes) > 2 and sum(sizes) == 8
        sizes.clear()
        environment._session.limits = {**session.limits, "max_payload_bytes": 1_000_000, "max_in_flight": 2}
        assert all(r.ok for r in environment.evaluate(actions))
        assert max(sizes) <= 2 and sum(sizes) == 8


def test_seeds_are_one_for_all_or_one_for_each(server):
    with lts.connect(server.url, "Bandit-v0", {"noise": 0.3}, seed=7) as environment:
        points = [{}] * 3
        assert len({r.reward for r in environment.evaluate(points, seeds=5)}) == 1
        each = environment.evaluate(points, seeds=[5, 6, np.int64(5)])
        assert each[0].reward == each[2].reward != each[1].reward
        assert environment.evaluate({}, seeds=5).reward == each[0].reward
        pinned = environment.evaluate(points, seeds={"simulation": 3, "order": 4})
        assert {(r.seeds["simulation"], r.seeds["order"]) for r in pinned} == {(3, 4)}
        with pytest.raises(ValueError, match="seeds: expected one for each of 3 points, got 2"):
            environment.evaluate(points, seeds=[1, 2])
    with lts.connect(server.url, "Bandit-v0", seed=7) as environment:
        assert environment.seed == 7
        assert environment.evaluate({}).seed == lts.derive_seed(7, "episode", 0) == 2550420695


def test_finalists_are_evaluated_again_on_the_same_fresh_seeds(server):
    with lts.connect(server.url, "Bandit-v0", {"noise": 0.05}, seed=7) as environment:
        results = environment.evaluate([{"x": x} for x in (0.1, 0.7, 0.65, 0.3)] + [{"x": 2}])
        ranked = lts.finalists(environment, results, count=3, repeats=4)
        assert len(ranked) == 3 and ranked[0].reward == max(f.reward for f in ranked)
        for finalist in ranked:
            assert finalist.reward == pytest.approx(np.mean(finalist.rewards)) and len(finalist.rewards) == 4
            assert finalist.seen not in finalist.rewards
            assert finalist.seen in [r.reward for r in results if r.theta == finalist.theta]
        noise = [np.subtract(f.rewards, gain(f.theta)) for f in ranked]
        assert np.allclose(noise[0], noise[1]) and len(set(noise[0])) == 4  # common random numbers
        assert lts.finalists(environment, results[-1:]) == []
        own = lts.finalists(environment, results, count=1, also=[{"x": 0.6}, [0] * 6])
        assert [f.seen is None for f in own].count(True) == 2 and len(own) == 3
        assert sorted(f.theta["x"] for f in own if f.seen is None) == [0.5, 0.6]
        best = next(f for f in own if f.seen is not None)
        once = lts.finalists(environment, results, count=1, also=[best.theta, environment.to_action(best.theta)])
        assert [f.theta for f in once] == [best.theta] and once[0].seen == best.seen
        tested = lts.finalists(environment, results, count=1, test=True)
        same = next(f for f in ranked if f.theta == tested[0].theta).rewards[:3]
        assert tested[0].rewards != same and np.allclose(tested[0].rewards, same)


def test_a_finalist_that_is_refused_or_fails_is_left_out_and_told(server, caplog):
    with lts.connect(server.url, "Bandit-v0", {"fault": "diverge", "faultAbove": 0.5}) as environment:
        results = environment.evaluate([{"x": 0.4}, {"x": 0.6}, {"x": 2}])
        ranked = lts.finalists(environment, results, repeats=2, also=[{"x": 0.7}, [0] * 5, {"x": 0.2}])
        assert sorted(finalist.theta["x"] for finalist in ranked) == [0.2, 0.4]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 and told[0].startswith("finalists: {'x': 0.7} is left out: diverged (")
    assert told[1] == "finalists: [0, 0, 0, 0, 0] is left out: refused (action: expected 6 numbers, got 5)"


def test_a_theta_is_one_finalist_however_often_it_was_evaluated(dice):
    results = dice.evaluate([{"dice": n, "bonus": 8} for n in (2, 2, 2, 3, 4)])
    ranked = lts.finalists(dice, results, count=3, repeats=2)
    assert sorted(f.theta["dice"] for f in ranked) == [2, 3, 4]
    seen = next(f.seen for f in ranked if f.theta["dice"] == 2)
    assert seen == max(r.reward for r in results[:3])


def test_test_scores_come_on_request_and_are_counted(bandit):
    assert bandit.evaluate({}).test_scores is None
    result = bandit.evaluate({}, test=True)
    assert result.test_scores["gain"] == pytest.approx(result.reward, abs=1e-8)
    assert result.test_evaluations == 1


def test_an_evaluation_that_fails_is_a_value(server):
    with lts.connect(server.url, "Bandit-v0", {"fault": "diverge", "faultAbove": 0.5}) as environment:
        good, bad = environment.evaluate([{"x": 0.4}, {"x": 0.6}])
        assert good.ok and good.reward is not None
        assert bad.outcome == "diverged" and bad.reward is None and bad.scores == {} and bad.reason
        with pytest.raises(lts.EvaluationError, match="diverged"):
            bad.require()


def test_one_bad_point_loses_no_other(bandit):
    good, nan, wide, short, other = bandit.evaluate([[0] * 6, [0, math.nan] + [0] * 4, [2] + [0] * 5, [0], [0] * 6])
    assert good.ok and other.ok
    assert nan.outcome == "refused" and nan.reward is None
    assert nan.reason == "action[1] (y): expected a finite number, got nan"
    assert wide.reason == "action[0] (x): expected -1..1, got 2.0"
    assert short.reason == "action: expected 6 numbers, got 1"
    assert nan.error.code == "BAD_ACTION" and nan.error.at == "/action/1"
    first, second = bandit.evaluate([{"x": 0.5}, {"z": 1}])
    assert first.ok and second.reason == "z: expected one of x, y, weather; no parameter has this name"


def test_what_only_the_server_can_refuse_loses_no_other_either(bandit, monkeypatch):
    def seeds_of(name, seeds, count):
        return [{"seed": seed} for seed in seeds]

    monkeypatch.setattr(lts.client, "seeds_of", seeds_of)  # as a client that knows the rule no better
    results = bandit.evaluate([{}] * 5, seeds=[1, 2, -3, 4, 5])
    assert [r.outcome for r in results] == ["ok", "ok", "refused", "ok", "ok"]
    assert results[2].error.code == "BAD_MESSAGE" and "seed" in results[2].reason
    huge = bandit.evaluate([{}] * 3, seeds=[1, 2**70, 3])
    assert [r.outcome for r in huge] == ["ok", "refused", "ok"]
    assert bandit.evaluate([{}], seeds=[1], step_ids=["a"])[0].ok
    conflict = bandit.evaluate([{}, {"x": 0.2}, {}], seeds=[1, 2, 3], step_ids=["b", "a", "c"])
    assert [r.outcome for r in conflict] == ["ok", "refused", "ok"] and conflict[1].error.code == "STEP_ID_CONFLICT"


def test_a_deadline_ends_an_evaluation(server):
    with lts.connect(server.url, "Bandit-v0", SLOW) as environment:
        result = environment.evaluate({}, deadline=0.3)
        assert result.outcome == "deadline" and result.reward is None


def test_progress_comes_in_the_callers_thread_and_its_exception_cancels_on_the_server(server):
    with lts.connect(server.url, "Bandit-v0", {"delayMs": 60_000}) as environment:
        threads, seen = set(), []

        def watch(progress):
            threads.add(threading.current_thread())
            seen.append(progress)
            if progress.index == 1:
                raise LookupError("enough")

        with pytest.raises(LookupError, match="enough"):
            environment.evaluate([{}, {"x": 0.2}], on_progress=watch)
        assert threads == {threading.main_thread()} and seen[-1].index == 1
        done = wait_until(lambda: len(h := environment.history()) == 2 and h)
        assert {entry["outcome"] for entry in done} == {"cancelled"}


def test_progress_tells_the_share_of_its_phase_and_the_time_left_of_the_whole(server):
    with lts.connect(server.url, "Bandit-v0", {"delayMs": 1201}) as environment:  # no other test has timed this
        first, seen = [], []
        environment.evaluate({}, on_progress=first.append)
        assert first and {progress.eta for progress in first} == {None}
        began = time.monotonic()
        environment.evaluate({}, on_progress=lambda progress: seen.append((time.monotonic() - began, progress)))
        assert len(seen) > 2 and all(0 <= progress.fraction <= 1 for _, progress in seen)
        for phase in {progress.phase for _, progress in seen}:
            shares = [progress.fraction for _, progress in seen if progress.phase == phase]
            assert shares == sorted(shares)
        whole = [elapsed / (elapsed + progress.eta) for elapsed, progress in seen]
        assert whole == sorted(whole) and 0 <= whole[0] < whole[-1] <= 1


def test_progress_has_scores_of_the_unfinished_model(server):
    with lts.connect(server.url, "Bandit-v0", {"delayMs": 400}) as environment:
        seen = []
        result = environment.evaluate({}, on_progress=seen.append)
        scored = [p for p in seen if "gain" in p.metrics]
        assert [p.fraction for p in scored] == [e["fraction"] for e in result.early_scores] == [0.25, 0.5, 0.75]
        assert all(p.phase == "train" and p.step_id == result.step_id for p in scored)


def test_submit_gives_a_future_that_can_be_cancelled(server):
    with lts.connect(server.url, "Bandit-v0", SLOW) as environment:
        evaluations = [environment.submit({}), environment.submit([0] * 6)]
        assert all(e.cancel() for e in evaluations)
        for evaluation in concurrent.futures.as_completed(evaluations, timeout=20):
            assert evaluation.result().outcome == "cancelled" and not evaluation.cancelled()
            assert not evaluation.cancel()
        slow = environment.submit({})
        environment.cancel_all()
        assert slow.result(20).outcome == "cancelled"


def test_refusals_of_open_are_exceptions(server):
    with pytest.raises(lts.ProtocolError, match="BAD_OPTIONS"):
        lts.connect(server.url, "Bandit-v0", {"noise": "loud"})
    with pytest.raises(TypeError, match="expected numbers, strings, lists and maps, got object"):
        lts.connect(server.url, "Bandit-v0", {"noise": object()})
    with pytest.raises(lts.ProtocolError, match="ENV_NOT_FOUND"):
        lts.connect(server.url, "Nothing-v0")
    with pytest.raises(ValueError, match="env_id: expected one of Mixture-v0, Bandit-v0"):
        lts.connect(server.url)
    with pytest.raises(lts.ConnectionLost, match="no server listens there"):
        lts.connect("ws://127.0.0.1:1")
    with pytest.raises(ValueError, match="url: expected ws"):
        lts.connect("http://127.0.0.1")


def test_json_gives_the_same_as_msgpack(server, bandit):
    with lts.connect(server.url, "Bandit-v0", {"noise": np.float32(0)}, codec="json", seed=7) as environment:
        assert environment.evaluate({"x": np.float64(0.3)}, seeds=1).scores == bandit.evaluate({"x": 0.3}, seeds=1).scores


def test_many_threads_use_one_environment_at_once(bandit):
    def work(i):
        x = i / 10
        return all(r.theta["x"] == x for r in bandit.evaluate([{"x": x}] * 5))

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        assert all(pool.map(work, range(10)))


def test_asyncio_evaluates_and_cancels(server):
    async def main():
        async with await lts.connect_async(server.url, "Bandit-v0") as environment:
            one, many = await asyncio.gather(environment.evaluate_async({}), environment.evaluate_async([{"x": 0.1}] * 3))
            assert one.ok and [r.theta["x"] for r in many] == [0.1] * 3
        assert environment.closed
        async with await lts.connect_async(server.url, "Bandit-v0", SLOW) as environment:
            seen = []
            task = asyncio.create_task(environment.evaluate_async([{}] * 3, on_progress=seen.append))
            while not seen:
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            history = await asyncio.to_thread(wait_until, lambda: len(h := environment.history()) == 3 and h)
            assert {entry["outcome"] for entry in history} == {"cancelled"}

            def stop(progress):
                raise LookupError("enough")

            with pytest.raises(LookupError):
                await environment.evaluate_async({}, on_progress=stop)

    asyncio.run(main())


def test_ctrl_c_cancels_what_is_under_way_on_the_server(server):
    with lts.connect(server.url, "Bandit-v0", SLOW) as environment:
        threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            environment.evaluate([{}] * 190)
        history = wait_until(lambda: len(h := environment.history()) == 190 and h)
        assert {entry["outcome"] for entry in history} == {"cancelled"}


def test_ctrl_c_leaves_the_evaluations_of_a_session_file_to_the_next_process(server, tmp_path):
    def connect():
        return lts.connect(server.url, "Bandit-v0", {"delayMs": 300}, seed=3, session_file=tmp_path / "session")

    names = [f"trial-{i}" for i in range(8)]
    with pytest.raises(KeyboardInterrupt):
        with connect() as environment:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            environment.evaluate([{}] * 8, step_ids=names)
    with connect() as environment:
        assert [result.outcome for result in environment.evaluate([{}] * 8, step_ids=names)] == ["ok"] * 8


def test_a_callback_that_would_wait_for_itself_is_refused(bandit, server):
    told = concurrent.futures.Future()

    def go_on(_):
        try:
            bandit.evaluate({})
        except RuntimeError as error:
            told.set_result(str(error))

    bandit.submit({}).add_done_callback(go_on)
    assert "evaluate: expected a thread of your own" in told.result(10)
    assert bandit.evaluate({}).ok


def test_an_admin_that_ends_a_session_ends_what_waits_for_it(server):
    with lts.connect(server.url, "Bandit-v0", SLOW) as environment:
        address = f"{server.url.replace('ws', 'http', 1)}/v1/sessions/{environment.session_id}"
        request = urllib.request.Request(address, method="DELETE")
        threading.Timer(0.5, lambda: urllib.request.urlopen(request)).start()
        with pytest.raises(lts.ConnectionLost, match="SESSION_NOT_FOUND") as lost:
            environment.evaluate([{}] * 4)
        assert lost.value.results == [None] * 4


def test_refused_steps_give_their_places_to_the_others():
    class Channel:
        limits = {"max_in_flight": 2, "max_batch": 2, "max_payload_bytes": 10_000}
        spec, connected, codec = None, True, "json"

        def __init__(self):
            self.sent, self.ids = [], iter(range(100))

        def new_id(self):
            return next(self.ids)

        def tell(self, kind, **fields):
            self.sent.append((fields["id"], [item["step_id"] for item in fields["items"]]))

        def retry_after(self, error, since):
            return None

    channel = Channel()
    steps = Steps(channel)
    steps.add(Step({"step_id": name}, 0, Evaluation(name, lambda _: None), None) for name in "abcd")
    (id, names), = channel.sent
    for name in names:
        error = {"t": "error", "re": id, "code": "STEP_ID_CONFLICT", "message": "", "retryable": False, "step_id": name}
        steps.hear_error(lts.ProtocolError(error))
    assert sum((names for _, names in channel.sent), []) == ["a", "b", "c", "d"]


def test_a_history_needs_no_proxy_and_takes_the_token_of_the_variable(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with lts.serve(BANDIT, workers=1, token="secret") as server:
        monkeypatch.setenv("LTS_TOKEN", "secret")
        with lts.connect(server.url) as environment:
            environment.evaluate({})
            assert len(environment.history()) == len(lts.fetch_history(server.url)) == 1


def test_closing_twice_and_closing_under_way(server):
    environment = lts.connect(server.url, "Bandit-v0", SLOW)
    under_way = environment.submit({})
    environment.close()
    environment.close()
    with pytest.raises(lts.ClosedError):
        under_way.result(20)
    with pytest.raises(lts.ClosedError, match="expected an open one"):
        environment.evaluate({})
    assert "closed" in repr(environment)


def test_forgotten_environments_leave_the_server(server):
    before = sessions_of(server)
    for _ in range(5):
        lts.connect(server.url, "Bandit-v0")
    wait_until(lambda: sessions_of(server) == before)
    assert lts.connect(server.url, "Bandit-v0").submit({}).result(20).ok  # it lives until its evaluation has ended


def test_a_program_that_ends_leaves_nothing_on_the_server(server, program):
    text = """
import sys, learning_to_simulate as lts
environment = lts.connect(sys.argv[1], "Bandit-v0", {"delayMs": 60000})
evaluation = environment.submit({})
print(environment.session_id)
"""
    ended = program(text, server.url)
    out, err = ended.communicate(timeout=30)
    assert ended.returncode == 0 and err == ""
    assert out.strip() and out.strip() not in sessions_of(server)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_is_refused_and_opens_its_own(server, bandit):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                bandit.evaluate({})
                told = "no error"
            except lts.ForkError as error:
                told = str(error)
            bandit.close()  # the parent's session stays
            with lts.connect(server.url, "Bandit-v0") as own:
                told += f" | {own.evaluate({}).outcome}"
            os.write(write, told.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    told = os.read(read, 1000).decode()
    assert "expected the process that connected" in told and told.endswith("| ok")
    assert bandit.evaluate({}).ok


def test_a_pickled_environment_opens_its_own(bandit):
    with pickle.loads(pickle.dumps(bandit)) as other:
        assert other.session_id != bandit.session_id and other.evaluate({}).ok
    assert bandit.evaluate({}).ok


def test_history_is_a_list_or_a_data_frame(bandit):
    pandas = pytest.importorskip("pandas")
    results = bandit.evaluate([{"x": 0.1}, {"x": 0.2}])
    history = bandit.history()
    assert {entry["step_id"]: entry["reward"] for entry in history} == {r.step_id: r.reward for r in results}
    assert len(bandit.history(limit=1)) == 1
    frame = bandit.history(frame="pandas")
    assert isinstance(frame, pandas.DataFrame)
    assert sorted(frame["theta.x"]) == [0.1, 0.2] and list(frame["theta.weather.low sun"]) == [0.25] * 2


def test_a_history_has_no_refused_points(bandit):
    assert [r.outcome for r in bandit.evaluate([{"x": 0.1}, {"x": 2}])] == ["ok", "refused"]
    assert [entry["theta"]["x"] for entry in bandit.history()] == [0.1]


def test_without_pandas_a_data_frame_is_refused_with_a_sentence(bandit, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="history: expected pandas for frame='pandas', got none; pip install pandas"):
        bandit.history(frame="pandas")
    assert bandit.history() == []


def test_a_data_frame_has_integers_booleans_and_choices(dice):
    pytest.importorskip("pandas")
    dice.evaluate([{"dice": 3, "die": "octahedron"}, {"dice": 5, "die": "octahedron", "bestOfTwo": True}])
    frame = dice.history(frame="pandas").sort_values("theta.dice")
    assert list(frame["theta.dice"]) == [3, 5] and list(frame["theta.die"]) == ["octahedron"] * 2
    assert list(frame["theta.bestOfTwo"]) == [False, True]


def test_the_conformance_kit_passes():
    client = f"{sys.executable} -B {ROOT / 'agents/python/tests/conformance_client.py'} {{url}} {{codec}}"
    command = ["node", "--import", "tsx", "protocol/conformance/run.ts", "--client", client]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0 and "18 of 18 checks passed" in told.stdout, told.stdout + told.stderr
