"""What a server tells about an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np

from .parameters import Parameters, Theta, parameters_of


@dataclass(frozen=True, slots=True)
class Metric:
    """A score; `low` and `high` are None where there is no bound."""

    name: str
    meaning: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Specification:
    """An environment with its options. Compare rewards only if their `spec_hash` is equal."""

    env_id: str
    title: str
    spec_hash: str
    options: Mapping[str, Any]
    """All options, the given ones and the defaults of the others."""
    parameters: Parameters
    metrics: tuple[Metric, ...]
    """In the order of the observation."""
    reward_metric: str
    start: Theta
    """The θ where a search starts: plausible, but poor."""
    default: Theta
    training_samples: int
    """The number of samples that a model is trained on."""
    pictures: bool
    """Whether `Environment.pictures` can draw samples."""
    backend: str | None
    """What trains, such as `tfjs-node`; equal builds and backends give rewards equal to the bit."""
    raw: Mapping[str, Any] = field(repr=False)
    """The whole `spec` of the protocol."""

    @property
    def action_space(self) -> gymnasium.spaces.Box[Any]:
        """Box(-1, 1, (D,), float32)"""
        return _box(self.raw["spaces"]["action"])

    @property
    def observation_space(self) -> gymnasium.spaces.Box[Any]:
        """One number for each metric, float32."""
        return _box(self.raw["spaces"]["observation"])


def specification_of(spec: Mapping[str, Any]) -> Specification:
    """A `spec` of the protocol."""
    parameters = parameters_of(spec)
    return Specification(
        env_id=spec["env_id"],
        title=spec["title"],
        spec_hash=spec["spec_hash"],
        options=spec["options"],
        parameters=parameters,
        metrics=tuple(Metric(m["name"], m["meaning"], m["low"], m["high"]) for m in spec["metrics"]),
        reward_metric=spec["reward"]["metric"],
        start=parameters.typed(spec["start"]),
        default=parameters.typed(spec["default"]),
        training_samples=spec["training_samples"],
        pictures=spec.get("pictures", False),
        backend=spec.get("backend"),
        raw=spec,
    )


def _box(space: Mapping[str, Any]) -> gymnasium.spaces.Box[Any]:
    low, high = np.array(space["low"], np.float32), np.array(space["high"], np.float32)
    return gymnasium.spaces.Box(low, high, dtype=np.float32)
