"""The environment of Gymnasium: an episode is one step, its action is θ, its reward the score of the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from .arguments import seed_number
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
from .parameters import Theta


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
    :param render_mode: `rgb_array`: `render` gives samples of the θ that was evaluated last (of the start before), each
        with the seed 0, so that frames differ by θ alone. For environments with pictures; it needs Pillow
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 2}

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
        self._settings = Settings(
            url, env_id, options, token, on_failure, zero, deadline, reconnect_for, render_mode
        )
        self.render_mode = render_mode
        self.remote: Environment = self._settings.connect()
        """The environment on the server: its spec, θ by name, history."""
        self.metadata = self._settings.metadata_of(self.remote, self.metadata)
        self._canvas = Canvas()
        self.action_space = self.remote.spec.action_space
        self.observation_space = self.remote.spec.observation_space
        self._stream = Stream(self.remote.seed)
        self._begun = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode: observation, all zeros, and an empty info. After `close`, it opens the environment again."""
        if self.remote.closed:  # Stable-Baselines3's checker does so
            self.remote = self._settings.connect()
        if seed is not None:
            seed = seed_number("seed", seed)
            self._stream = Stream(seed)
        super().reset(seed=seed)
        self._begun = True
        return np.zeros(self.observation_space.shape or (), np.float32), {}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Evaluates an action [D].

        :returns: observation [number of metrics], reward, True, False, info: `outcome`, `reason`, `scores`, `theta`,
            `seed`, `seeds`, `repro`
        :raises EvaluationError: when the evaluation has no reward, and always when the action breaks a rule
        :raises ParameterError: when the action has another shape
        :raises gymnasium.error.ResetNeeded: before `reset`, and after the step of an episode
        """
        if not self._begun:
            raise gymnasium.error.ResetNeeded("step: expected reset before it (an episode is one step)")
        given = self._settings.from_zero(self.remote, shaped("action", action, self.action_space))
        result = self.remote.evaluate(given, seeds=self._stream.peek(), deadline=self._settings.deadline)
        reward = self._settings.reward_of(result)
        self._stream.next()  # a refused action is no episode
        self._begun = False
        self._canvas.theta = result.theta
        return observation_of(result), reward, True, False, info_of(result)

    def render(self) -> Any:
        """A frame, uint8 [height, width, 3]; None without a render mode."""
        return None if self.render_mode is None else self._canvas.draw(self.remote)

    def to_theta(self, action: Action) -> Theta:
        """The θ that an action [D] of this environment stands for, whatever `zero` is."""
        return self.remote.to_theta(self._settings.from_zero(self.remote, shaped("action", action, self.action_space)))

    def close(self) -> None:
        """Ends the session on the server; nothing the second time."""
        # Gymnasium closes also what failed to open.
        if remote := self.__dict__.get("remote"):
            remote.close()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"_stream": self._stream, "_begun": self._begun}
        return reopened, (type(self), self._settings, {}, state)
