"""What the environments of Gymnasium share: their arguments, the seeds of their episodes, and what a step tells."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt

from .arguments import deadline_seconds, shown
from .client import Environment, connect
from .errors import EvaluationError, ParameterError
from .parameters import Theta
from .pictures import Picture, sheet
from .results import Result
from .seeds import derive_seed

OnFailure: TypeAlias = "Literal['raise', 'nan'] | float"
Zero: TypeAlias = Literal["centre", "start"]
Observation: TypeAlias = "npt.NDArray[np.float32]"
Action: TypeAlias = "npt.NDArray[Any]"


@dataclass(frozen=True, slots=True)
class Settings:
    """The arguments of an environment; `SimulatorEnvironment` describes them.

    :raises TypeError, ValueError: naming the argument that cannot be so
    """

    url: str
    env_id: str | None
    options: Mapping[str, Any] | None
    token: str | None
    on_failure: OnFailure
    zero: Zero
    deadline: float | None
    reconnect_for: float
    render_mode: str | None

    def __post_init__(self) -> None:
        number = isinstance(self.on_failure, (int, float)) and math.isfinite(self.on_failure)
        if not number and self.on_failure not in ("raise", "nan"):
            raise ValueError(f"on_failure: expected 'raise', 'nan' or a number, got {self.on_failure!r}")
        if self.zero not in ("centre", "start"):
            raise ValueError(f"zero: expected 'centre' or 'start', got {self.zero!r}")
        if self.deadline is not None:
            deadline_seconds(self.deadline)
        if self.render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode: expected None or 'rgb_array', got {self.render_mode!r}")

    def connect(self) -> Environment:
        """:raises ValueError: when pictures are asked for, and the environment has none"""
        remote = connect(self.url, self.env_id, self.options, token=self.token, reconnect_for=self.reconnect_for)
        if self.render_mode is not None and not remote.spec.pictures:
            remote.close()
            raise ValueError(f"render_mode: expected None, since {remote.spec.env_id} has no pictures of its samples")
        return remote

    def metadata_of(self, remote: Environment, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Of an environment without pictures: no render mode."""
        return {**metadata, "render_modes": metadata["render_modes"] if remote.spec.pictures else []}

    def from_zero(self, remote: Environment, action: Action) -> Action:
        """The server's action, of which 0 is the centre, from one of which 0 is what `zero` says. [D] or [n, D]"""
        if self.zero == "centre":
            return action
        start = remote.to_action(remote.start)
        moved = start + action * (1 - np.sign(action) * start)
        return np.where(np.abs(action) <= 1, np.clip(moved, -1, 1), action)  # what breaks a rule is refused as it is

    def reward_of(self, result: Result) -> float:
        """:raises EvaluationError: when it has none, and `on_failure` gives none"""
        if result.reward is not None:
            return result.reward
        if self.on_failure == "raise" or result.outcome == "refused":
            raise EvaluationError(result)
        return math.nan if self.on_failure == "nan" else float(self.on_failure)


def shaped(name: str, action: Any, space: gymnasium.Space[Action]) -> Action:
    """An action, or one for each environment, as an array. :raises ParameterError: when it has another shape than the space"""
    rule = f"{name}: expected the shape {space.shape}"
    try:
        array = np.asarray(action)
    except ValueError as error:  # a list of lists that are not equally long
        raise ParameterError(f"/{name}", "shape", f"{rule}, got {shown(action)}") from error
    if array.shape != space.shape:
        raise ParameterError(f"/{name}", "shape", f"{rule}, got {array.shape}")
    return array


class Canvas:
    """The frame of an episode: samples of the θ that was evaluated last, of the start before. All have the same seed, so
    that one frame differs from the next by θ alone."""

    def __init__(self) -> None:
        self.theta: Theta | None = None
        self._drawn: tuple[Theta | None, Picture] | None = None

    def draw(self, remote: Environment) -> Picture:
        """[height, width, 3]; the errors are those of `Environment.pictures`."""
        if self._drawn is None or self._drawn[0] != self.theta:
            self._drawn = self.theta, sheet(remote.pictures(self.theta))
        return self._drawn[1]


def reopened(kind: type[Any], settings: Settings, arguments: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    """An environment that was pickled: it has a session of its own.

    :param arguments: of its class, beside the settings
    :param state: what it has besides
    """
    given = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    environment = kind(**given, **arguments)
    vars(environment).update(state)
    return environment


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


def observation_of(result: Result) -> Observation:
    return np.array(result.observation, np.float32)


def info_of(result: Result) -> dict[str, Any]:
    """Without times: equal seeds give equal infos."""
    told = ("outcome", "reason", "scores", "theta", "seed", "seeds", "repro")
    return {name: value for name in told if (value := getattr(result, name)) is not None}
