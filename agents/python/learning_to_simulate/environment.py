"""The environment of Gymnasium: an episode is one step, its action is θ, its reward the score of the trained model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt

from .client import Environment, connect
from .errors import EvaluationError
from .results import Result
from .seeds import derive_seed

OnFailure: TypeAlias = "Literal['raise', 'nan'] | float"
Zero: TypeAlias = Literal["centre", "start"]
Observation: TypeAlias = "npt.NDArray[np.float32]"
Action: TypeAlias = "npt.NDArray[Any]"


class SimulatorEnvironment(gymnasium.Env[Observation, Action]):
    """`gymnasium.make("learning_to_simulate:TrafficCounting-v0", url=…, options=…)`

    Action: Box(-1, 1, (D,), float32), the parameters of θ. Observation: the scores, one number for each metric; all zeros
    after `reset`. Reward: the score on validation, higher is better. Every step ends its episode (`terminated`).

    `reset(seed=…)` begins a stream of episodes, as the protocol says: step n of it has the seed
    `derive_seed(seed, "episode", n)`, and equal seeds and actions give equal rewards and an equal `info`. A reset without
    a seed goes on with the stream.

    :param url, env_id, options, token, reconnect_for: as in `connect`
    :param on_failure: what an evaluation without a reward does. `raise`: EvaluationError; `nan`: the reward is NaN, which
        many libraries carry into their networks for ever; a number: the reward is that number, say the worst score. An
        action that breaks a rule always raises
    :param zero: the θ of the action 0, where most libraries begin: `centre` of its ranges, or the environment's `start`;
        each half of a component's range then reaches from the start to its bound
    :param deadline: of an evaluation, in seconds
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
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
        check_arguments(on_failure, zero, render_mode)
        self.render_mode = None
        self.on_failure = on_failure
        self.zero = zero
        self.deadline = deadline
        self._arguments = {
            "url": url,
            "env_id": env_id,
            "options": options,
            "token": token,
            "on_failure": on_failure,
            "zero": zero,
            "deadline": deadline,
            "reconnect_for": reconnect_for,
        }
        self._connect = partial(connect, url, env_id, options, token=token, reconnect_for=reconnect_for)
        self.remote: Environment = self._connect()
        """The environment on the server: its spec, θ by name, history."""
        self.action_space = self.remote.spec.action_space
        self.observation_space = self.remote.spec.observation_space
        self._stream = Stream(self.remote.seed)
        self._begun = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode: observation, all zeros, and an empty info. After `close`, it opens the environment again."""
        if self.remote.closed:  # Stable-Baselines3's checker does so
            self.remote = self._connect()
        super().reset(seed=None if seed is None else int(seed))
        if seed is not None:
            self._stream = Stream(int(seed))
        self._begun = True
        return np.zeros(self.observation_space.shape or (), np.float32), {}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Evaluates an action [D].

        :returns: observation [number of metrics], reward, True, False, info: `outcome`, `reason`, `scores`, `theta`,
            `seed`, `seeds`, `repro`
        :raises EvaluationError: when the evaluation has no reward, and always when the action breaks a rule
        :raises gymnasium.error.ResetNeeded: before `reset`, and after the step of an episode
        """
        if not self._begun:
            raise gymnasium.error.ResetNeeded("step: expected reset before it (an episode is one step)")
        theta_action = from_zero(self.remote, self.zero, np.asarray(action))
        result = self.remote.evaluate(theta_action, seeds=self._stream.peek(), deadline=self.deadline)
        reward = reward_of(result, self.on_failure)
        self._stream.next()  # a refused action is no episode
        self._begun = False
        return observation_of(result), reward, True, False, info_of(result)

    def close(self) -> None:
        """Ends the session on the server; nothing the second time."""
        # Gymnasium closes also what failed to open.
        if remote := self.__dict__.get("remote"):
            remote.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._arguments, self._stream, self._begun)


class Stream:
    """The seeds of the episodes that follow each other (rule P7)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.count = 0

    def peek(self) -> int:
        return derive_seed(self.seed, "episode", self.count)

    def next(self) -> int:
        seed = self.peek()
        self.count += 1
        return seed


def _reopened(arguments: dict[str, Any], stream: Stream, begun: bool) -> SimulatorEnvironment:
    environment = SimulatorEnvironment(**arguments)
    environment._stream, environment._begun = stream, begun
    return environment


def check_arguments(on_failure: OnFailure, zero: Zero, render_mode: str | None) -> None:
    """:raises ValueError: naming the argument that cannot be so"""
    number = isinstance(on_failure, (int, float)) and math.isfinite(on_failure)
    if not number and on_failure not in ("raise", "nan"):
        raise ValueError(f"on_failure: expected 'raise', 'nan' or a number, got {on_failure!r}")
    if zero not in ("centre", "start"):
        raise ValueError(f"zero: expected 'centre' or 'start', got {zero!r}")
    if render_mode is not None:
        told = "expected None, since the protocol has no pictures (npm run scenes draws some)"
        raise ValueError(f"render_mode: {told}, got {render_mode!r}")


def from_zero(remote: Environment, zero: Zero, action: Action) -> Action:
    """The server's action, of which 0 is the centre, from one of which 0 is the start. [D] or [n, D]"""
    if zero == "centre":
        return action
    start = remote.to_action(remote.start)
    moved = start + action * (1 - np.sign(action) * start)
    return np.where(np.abs(action) <= 1, np.clip(moved, -1, 1), action)  # what breaks a rule is refused as it is


def reward_of(result: Result, on_failure: OnFailure) -> float:
    """:raises EvaluationError: when it has none, and `on_failure` gives none"""
    if result.reward is not None:
        return result.reward
    if on_failure == "raise" or result.outcome == "refused":
        raise EvaluationError(result)
    return math.nan if on_failure == "nan" else float(on_failure)


def observation_of(result: Result) -> Observation:
    return np.array(result.observation, np.float32)


def info_of(result: Result) -> dict[str, Any]:
    """Without times: equal seeds give equal infos."""
    told = ("outcome", "reason", "scores", "theta", "seed", "seeds", "repro")
    return {name: value for name in told if (value := getattr(result, name)) is not None}
