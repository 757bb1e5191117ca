"""Gymnasium's environments, with the genuine checkers."""

from __future__ import annotations

import copy
import math
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from conftest import sessions_of, wait_until
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics

import learning_to_simulate as lts

lts.register("Bandit-v0")
NOISY = {"noise": 0.3}


@pytest.fixture
def make(server):
    made = []

    def make(id="learning_to_simulate:Bandit-v0", **given):
        made.append(gymnasium.make(id, url=server.url, **given))
        return made[-1]

    yield make
    for environment in made:
        environment.close()


def test_gymnasiums_checker_passes_without_a_warning(make):
    for name, given in (("Bandit-v0", {}), ("Mixture-v0", {}), ("Simulator-v0", {"env_id": "Dice-v0"})):
        environment = make(f"learning_to_simulate:{name}", disable_env_checker=True, **given)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(environment.unwrapped)


def test_spaces_reset_and_step_are_gymnasiums(make):
    environment = make()
    assert environment.action_space == gymnasium.spaces.Box(-1, 1, (6,), np.float32)
    observation, info = environment.reset(seed=7)
    assert observation.tolist() == [0, 0] and info == {} and observation in environment.observation_space
    observation, reward, terminated, truncated, info = environment.step(np.zeros(6, np.float32))
    assert observation in environment.observation_space and observation[0] == np.float32(reward)
    assert (terminated, truncated) == (True, False)
    assert info["scores"]["gain"] == reward and info["theta"]["x"] == 0.5 and info["outcome"] == "ok"
    assert not {"timing", "episode"} & info.keys()
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.unwrapped.step(np.zeros(6))


def test_the_stream_of_a_seed_is_the_protocols(make, server):
    """What the server does with `reset` and steps without seeds."""
    environment, action = make(options=NOISY), np.zeros(6, np.float32)
    infos = []
    for episode in range(3):
        environment.reset(seed=7 if episode == 0 else None)
        infos.append(environment.step(action)[4])
    assert [info["seed"] for info in infos] == [lts.derive_seed(7, "episode", n) for n in range(3)]
    with lts.connect(server.url, "Bandit-v0", NOISY, seed=7) as remote:
        assert [remote.evaluate(action).scores for _ in range(3)] == [info["scores"] for info in infos]
    again = []
    for episode in range(3):
        environment.reset(seed=7 if episode == 0 else None)
        again.append(environment.step(action)[4])
    assert again == infos


def test_an_evaluation_without_a_reward_raises_or_is_what_the_caller_chose(make):
    fault = {"fault": "diverge", "faultAbove": 0.4}
    action = np.zeros(6, np.float32)

    def step(**given):
        environment = make(options=fault, disable_env_checker=True, **given)
        environment.reset(seed=1)
        return environment.step(action)

    with pytest.raises(lts.EvaluationError, match="diverged"):
        step()
    observation, reward, terminated, _, info = step(on_failure="nan")
    assert math.isnan(reward) and terminated and observation.tolist() == [0, 0] and info["outcome"] == "diverged"
    assert step(on_failure=-1)[1] == -1
    with pytest.raises(ValueError, match="on_failure: expected 'raise', 'nan' or a number, got 'zero'"):
        make(on_failure="zero")


def test_a_nan_in_an_action_always_raises_and_is_named(make):
    environment = make(on_failure=-1.0)
    environment.reset(seed=1)
    with pytest.raises(lts.EvaluationError, match=r"action\[2\] \(weather.clear\): expected a finite number, got nan"):
        environment.unwrapped.step(np.array([0, 0, math.nan, 0, 0, 0]))
    assert environment.unwrapped.step(np.zeros(6))[4]["seed"] == lts.derive_seed(1, "episode", 0)


def test_action_zero_is_the_start_where_it_was_asked_for(make):
    environment = make(zero="start", disable_env_checker=True).unwrapped
    environment.reset(seed=1)
    theta = environment.step(np.zeros(6, np.float32))[4]["theta"]
    assert theta["x"] == pytest.approx(0.1) and theta["weather"] == pytest.approx([0.1, 0.1, 0.4, 0.4])
    for end in (1, -1):
        environment.reset()
        theta = environment.step(np.full(6, end, np.float32))[4]["theta"]
        assert theta["x"] == (end + 1) / 2 and theta["y"] == pytest.approx(1 if end == 1 else 0.001)
    environment.reset()
    with pytest.raises(lts.EvaluationError, match="expected -1..1, got 1.5"):
        environment.step(np.full(6, 1.5))


def test_frames_are_samples_of_the_theta_that_was_evaluated_last(make, server):
    environment = make("learning_to_simulate:Mixture-v0", render_mode="rgb_array", disable_env_checker=True)
    environment.reset(seed=1)
    start = environment.render()
    assert start.dtype == np.uint8 and start.ndim == 3 and start.shape[2] == 3 and start.std() > 0
    environment.step(np.full(environment.action_space.shape, 0.5, np.float32))
    moved = environment.render()
    assert moved.shape == start.shape and (moved != start).any()
    assert (environment.render() == moved).all()
    remote = environment.unwrapped.remote
    theta = remote.to_theta(np.full(remote.parameters.size, 0.5, np.float32))
    (strip, *_) = remote.pictures(theta)
    assert (moved[: strip.pictures[0].shape[0], : strip.pictures[0].shape[1]] == strip.pictures[0]).all()
    with pytest.raises(ValueError, match="seed: expected"):
        remote.pictures(seed=-1)


def test_the_checkers_pass_with_frames(make):
    environment = make("learning_to_simulate:Mixture-v0", render_mode="rgb_array", disable_env_checker=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(environment.unwrapped)
    stable_baselines = pytest.importorskip("stable_baselines3.common.env_checker")
    stable_baselines.check_env(environment.unwrapped, skip_render_check=False)


def test_a_vector_environment_has_a_frame_for_each(server):
    vector = lts.SimulatorVectorEnvironment(2, server.url, "Mixture-v0", render_mode="rgb_array")
    vector.reset(seed=1)
    vector.step(np.stack([np.zeros(vector.single_action_space.shape), np.full(vector.single_action_space.shape, 0.5)]))
    first, second = vector.render()
    assert first.shape == second.shape and (first != second).any()
    vector.close()


def test_an_environment_without_pictures_refuses_the_mode_and_names_none(make):
    assert make().metadata["render_modes"] == [] and make().render_mode is None
    with pytest.raises(ValueError, match="render_mode: expected None, since Bandit-v0 has no pictures of its samples"):
        make(render_mode="rgb_array")
    with pytest.raises(ValueError, match="render_mode: expected None or 'rgb_array', got 'human'"):
        lts.SimulatorEnvironment(env_id="Bandit-v0", render_mode="human")


def test_an_action_of_another_shape_is_refused_before_it_is_evaluated(make):
    for zero in ("centre", "start"):
        environment = make(zero=zero, disable_env_checker=True).unwrapped
        environment.reset(seed=1)
        for shape in ((1, 6), (1,), ()):
            with pytest.raises(lts.ParameterError, match="^action: expected the shape"):
                environment.step(np.zeros(shape, np.float32))
        with pytest.raises(lts.ParameterError, match="^action: expected the shape"):
            environment.step([[0.0], [0.0, 0.0]])
        assert environment.remote.history() == []


def test_an_episode_without_a_reward_uses_no_seed_in_vectors_either(server):
    vector = lts.SimulatorVectorEnvironment(2, server.url, "Bandit-v0", NOISY)
    vector.reset(seed=7)
    actions = np.zeros((2, 6))
    broken = actions.copy()
    broken[0, 2] = math.nan
    with pytest.raises(lts.EvaluationError):
        vector.step(broken)
    seeds = [result.seed for result in vector.evaluate(actions)[0]]
    assert seeds == [lts.derive_seed(7, "episode", 0), lts.derive_seed(8, "episode", 1)]
    with pytest.raises(ValueError, match="actions: expected the shape"):
        vector.step(np.zeros((2, 1)))
    vector.close()


def test_any_environment_of_a_server_has_an_id(make):
    environment = make("learning_to_simulate:Simulator-v0", env_id="Bandit-v0")
    assert environment.unwrapped.remote.spec.env_id == "Bandit-v0"
    for env_id in ("Mixture-v0", "TrafficCounting-v0", "TrafficSegmentation-v0", "TrafficSegmentationReal-v0"):
        assert gymnasium.spec(env_id).kwargs == {"env_id": env_id}


def test_wrappers_work(make):
    environment = RecordEpisodeStatistics(make())
    environment.reset(seed=1)
    _, reward, *_, info = environment.step(np.zeros(6, np.float32))
    assert info["episode"]["r"] == pytest.approx(reward) and info["episode"]["l"] == 1


def test_pickle_and_copy_open_sessions_of_their_own_and_go_on(make):
    environment = make(options=NOISY, disable_env_checker=True).unwrapped
    environment.reset(seed=3)
    environment.step(np.zeros(6))
    environment.reset()
    for other in (pickle.loads(pickle.dumps(environment)), copy.deepcopy(environment)):
        assert other.remote.session_id != environment.remote.session_id
        assert other.step(np.zeros(6))[4]["seed"] == lts.derive_seed(3, "episode", 1)
        other.close()
    assert environment.step(np.zeros(6))[4]["seed"] == lts.derive_seed(3, "episode", 1)


def test_close_is_clean(server):
    before = sessions_of(server)
    with gymnasium.make("learning_to_simulate:Bandit-v0", url=server.url) as environment:
        environment.reset()
        environment.close()
    environment.close()
    with pytest.raises(lts.ConnectionLost):
        gymnasium.make("learning_to_simulate:Bandit-v0", url="ws://127.0.0.1:1")
    forgotten = gymnasium.make("learning_to_simulate:Bandit-v0", url=server.url)
    del forgotten
    wait_until(lambda: sessions_of(server) == before)


def make_vec(server, **given):
    return gymnasium.make_vec("learning_to_simulate:Bandit-v0", url=server.url, **given)


def test_the_vector_environment_is_the_same_as_environments_side_by_side(server):
    batch = make_vec(server, num_envs=3, options=NOISY)
    assert isinstance(batch, lts.SimulatorVectorEnvironment)
    same = {"vector_kwargs": {"autoreset_mode": AutoresetMode.SAME_STEP}}
    single = make_vec(server, num_envs=3, options=NOISY, vectorization_mode="sync", **same)
    assert isinstance(single, SyncVectorEnv)
    assert batch.metadata["autoreset_mode"] == single.metadata["autoreset_mode"]
    assert batch.action_space == single.action_space and batch.observation_space == single.observation_space
    assert np.array_equal(batch.reset(seed=11)[0], single.reset(seed=11)[0])
    batch.action_space.seed(1)
    for _ in range(3):
        actions = batch.action_space.sample()
        ours, theirs = batch.step(actions), single.step(actions)
        for mine, its in zip(ours[:4], theirs[:4]):
            assert np.array_equal(mine, its) and mine.dtype == its.dtype and mine.shape == its.shape
        assert set(ours[4]) == set(theirs[4])
        assert all(np.array_equal(a, b) for a, b in zip(ours[4]["final_obs"], theirs[4]["final_obs"]))
        mine, its = ours[4]["final_info"], theirs[4]["final_info"]
        assert set(mine) == set(its) and mine["seed"].tolist() == its["seed"].tolist()
        assert mine["scores"].keys() == its["scores"].keys() and np.array_equal(mine["scores"]["gain"], its["scores"]["gain"])
    batch.close()
    batch.close()
    single.close()


def test_the_infos_of_a_vector_environment_keep_fractions_behind_a_whole_number(server):
    """Gymnasium's array has the type of the first environment's value."""
    environment = make_vec(server, num_envs=3)
    actions = np.zeros((3, 6), np.float32)
    actions[:, 0] = [1, -0.5, 0.25]  # x: 1.0, 0.25, 0.625
    environment.reset(seed=1)
    info = environment.step(actions)[4]["final_info"]
    assert info["theta"]["x"].dtype == np.float64 and info["theta"]["x"].tolist() == [1, 0.25, 0.625]
    environment.close()


def test_a_step_of_the_vector_environment_is_one_batch_over_all_workers(server):
    environment = make_vec(server, num_envs=8, options={"delayMs": 100})
    session, sizes = environment.remote._session, []
    send = session._steps._send_batch
    session._steps._send_batch = lambda steps: (sizes.append(len(steps)), send(steps))
    environment.reset(seed=1)
    environment.step(environment.action_space.sample())
    assert sizes == [8]
    assert environment.reset(seed=[1] + [None] * 7)[0].shape == (8, 2)
    with pytest.raises(ValueError, match=r"actions: expected the shape \(8, 6\), got \(6,\)"):
        environment.step(np.zeros(6))
    with pytest.raises(ValueError, match="seed: expected one for each of 8 environments, got 1"):
        environment.reset(seed=[1])
    environment.close()


def test_a_failed_evaluation_of_the_vector_environment(server):
    fault = {"fault": "diverge", "faultAbove": 0.5}
    actions = np.zeros((2, 6), np.float32)
    actions[:, 0] = [-0.5, 0.5]
    for policy, expected in (("nan", math.nan), (-2.0, -2.0)):
        environment = make_vec(server, num_envs=2, options=fault, on_failure=policy)
        environment.reset(seed=1)
        _, rewards, *_ = environment.step(actions)
        assert math.isfinite(rewards[0]) and np.array_equal(rewards[1], expected, equal_nan=True)
        environment.close()
    environment = make_vec(server, num_envs=2, options=fault)
    environment.reset(seed=1)
    with pytest.raises(lts.EvaluationError, match="diverged") as failed:
        environment.step(actions)
    assert [result.outcome for result in failed.value.results] == ["ok", "diverged"]
    assert str(failed.value).startswith("environment 1 of 2: evaluation ")
    again = pickle.loads(pickle.dumps(failed.value))
    assert (again.index, str(again)) == (1, str(failed.value))
    actions[0, 3] = math.nan
    with pytest.raises(lts.EvaluationError, match=r"environment 0 of 2: .*action\[3\] \(weather.overcast\): expected a finite"):
        environment.step(actions)
    environment.close()


def test_a_pickled_vector_environment_opens_its_own(server):
    environment = make_vec(server, num_envs=2)
    environment.reset(seed=4)
    other = pickle.loads(pickle.dumps(environment))
    actions = environment.action_space.sample()
    assert np.array_equal(environment.step(actions)[1], other.step(actions)[1])
    environment.close()
    other.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_processes_that_make_their_own_work(server):
    """Gymnasium's vector environment forks, and makes the environments in its processes."""
    url = server.url

    def make():
        return gymnasium.make("learning_to_simulate:Bandit-v0", url=url)

    environment = AsyncVectorEnv([make] * 2, context="fork")
    environment.reset(seed=1)
    rewards = environment.step(np.zeros((2, 6), np.float32))[1]
    assert np.all(np.isfinite(rewards))
    environment.close()


def test_stable_baselines_checker_passes(make):
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="Stable-Baselines3 is not here")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module="(?!learning_to_simulate)")
        checker.check_env(make(disable_env_checker=True).unwrapped, warn=True, skip_render_check=False)


