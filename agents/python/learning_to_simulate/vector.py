"""The vector environment of Gymnasium: the steps of all its episodes are one batch, which keeps all workers busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from .arguments import GREATEST_SEED, is_list, seed_number, whole_number
from .client import Environment
from .episodes import (
    Action,
    Canvas,
    Observation,
    OnFailure,
    Settings,
    Stream,
    Zero,
    info_of,
    observation_of,
    reopened,
    shaped,
)
from .errors import EvaluationError
from .parameters import Theta
from .results import Result
from .seeds import derive_seed

Bools = npt.NDArray[np.bool_]


class SimulatorVectorEnvironment(VectorEnv[Observation, Action, Any]):
    """`gymnasium.make_vec("learning_to_simulate:TrafficCounting-v0", num_envs=8, url=…, options=…)`

    The same as `num_envs` environments side by side, with equal rewards and infos for equal seeds, over one session. It
    resets in the same step (`AutoresetMode.SAME_STEP`): every step is an evaluation of every episode. The observations
    are those after the reset, all zeros; those of the evaluations are in `info["final_obs"]` [num_envs, metrics], and
    their infos in `info["final_info"]`.

    The parameters are those of `SimulatorEnvironment`.
    """

    metadata: dict[str, Any] = {
        "render_modes": ["rgb_array"],
        "render_fps": 2,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        url: str = "ws://127.0.0.1:7077",
        env_id: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        on_failure: OnFailure = "raise",
        zero: Zero = "centre",
        deadline: float | None = None,
        reconnect_for: float = 60.0,
        render_mode: str | None = None,
    ) -> None:
        self._settings = Settings(
            url, env_id, options, token, on_failure, zero, deadline, reconnect_for, render_mode
        )
        self.num_envs = whole_number("num_envs", num_envs, 1)
        self.remote: Environment = self._settings.connect()
        """The environment on the server: its spec, θ by name, history."""
        self.render_mode = render_mode
        self.metadata = self._settings.metadata_of(self.remote, self.metadata)
        self._canvases = [Canvas() for _ in range(self.num_envs)]
        self.single_action_space = self.remote.spec.action_space
        self.single_observation_space = self.remote.spec.observation_space
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._streams = self._own_streams()
        self._begun = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins the episodes.

        :param seed: of the streams of episodes: seed, seed + 1, seed + 2 …; or one for each, None to go on
        :returns: observations [num_envs, metrics], all zeros
        """
        if is_list(seed):
            each = cast("Sequence[int | None]", seed)
            if len(each) != self.num_envs:
                raise ValueError(f"seed: expected one for each of {self.num_envs} environments, got {len(each)}")
            seeds = [None if one is None else seed_number(f"seed[{i}]", one) for i, one in enumerate(each)]
        elif seed is not None:
            first = whole_number("seed", seed, 0, GREATEST_SEED + 1 - self.num_envs)  # the last one is a seed too
            seeds = [first + i for i in range(self.num_envs)]
        else:
            seeds = [None] * self.num_envs
        self._streams = [own if one is None else Stream(one) for own, one in zip(self._streams, seeds)]
        self._begun = True
        return self._zeros(), {}

    def step(
        self, actions: Action
    ) -> tuple[Observation, npt.NDArray[np.float64], Bools, Bools, dict[str, Any]]:
        """Evaluates actions [num_envs, D], in one batch.

        :returns: observations [num_envs, metrics] after the reset, rewards [num_envs], True [num_envs], False
            [num_envs], info with `final_obs` and `final_info`
        :raises EvaluationError: when one has no reward, and always when an action breaks a rule; its `index` says which
            environment that was, its `results` has all of them
        """
        results, rewards = self.evaluate(actions)
        infos: dict[str, Any] = {}
        for i, result in enumerate(results):
            infos = self._add_info(infos, info_of(result), i)
        final = np.empty(self.num_envs, dtype=object)
        final[:] = [observation_of(result) for result in results]
        all_true = np.ones(self.num_envs, np.bool_)
        info = {"final_obs": final, "_final_obs": all_true, "final_info": infos, "_final_info": all_true.copy()}
        return self._zeros(), rewards, all_true.copy(), ~all_true, info

    def evaluate(self, actions: Action) -> tuple[list[Result], npt.NDArray[np.float64]]:
        """`step` with the results themselves, and rewards [num_envs]."""
        if not self._begun:
            raise gymnasium.error.ResetNeeded("step: expected reset before it")
        given = self._settings.from_zero(self.remote, shaped("actions", actions, self.action_space))
        seeds = [stream.peek() for stream in self._streams]
        results: list[Result] = self.remote.evaluate(given, seeds=seeds, deadline=self._settings.deadline)
        rewards = np.zeros(self.num_envs)
        failed: EvaluationError | None = None
        for index, (result, stream) in enumerate(zip(results, self._streams)):
            try:
                rewards[index] = self._settings.reward_of(result)
                stream.next()  # without a reward it is no episode, as in `SimulatorEnvironment`
            except EvaluationError:
                failed = failed or EvaluationError(result, results, index)
        if failed:
            raise failed
        for canvas, result in zip(self._canvases, results):
            canvas.theta = result.theta
        return results, rewards

    def render(self) -> Any:
        """A frame for each environment, uint8 [height, width, 3]; None without a render mode."""
        if self.render_mode is None:
            return None
        return tuple(canvas.draw(self.remote) for canvas in self._canvases)

    def to_theta(self, action: Action) -> Theta:
        """The θ that an action [D] of this environment stands for, whatever `zero` is."""
        return self.remote.to_theta(self._settings.from_zero(self.remote, shaped("action", action, self.single_action_space)))

    def close_extras(self, **kwargs: Any) -> None:
        if remote := self.__dict__.get("remote"):
            remote.close()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"_streams": self._streams, "_begun": self._begun}
        return reopened, (type(self), self._settings, {"num_envs": self.num_envs}, state)

    def _zeros(self) -> Observation:
        return np.zeros(self.observation_space.shape or (), np.float32)

    def _own_streams(self) -> list[Stream]:
        """Until `reset` gives seeds: streams that follow from the session's seed."""
        return [Stream(derive_seed(self.remote.seed, "environment", i)) for i in range(self.num_envs)]
