"""The parameters of θ, and the map between θ and the flat action in [-1, 1]^D, as the server does it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from .errors import ParameterError

Theta: TypeAlias = dict[str, "float | list[float]"]
"""θ by name: a number for a continuous parameter, probabilities that sum to 1 for a simplex."""

Numbers: TypeAlias = "Sequence[float] | npt.NDArray[Any]"

LOGIT_OF_ONE = 3.2
"""The logit of an action component of 1 in a simplex: probabilities are softmax(3.2 · a)."""


@dataclass(frozen=True, slots=True)
class Continuous:
    """A number from `low` to `high`; `scale` is `linear` or `log`: the action is affine in θ or in log θ."""

    name: str
    meaning: str
    slice: tuple[int, int]
    low: float
    high: float
    scale: Literal["linear", "log"]
    default: float
    unit: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its components in the action: its own name."""
        return (self.name,)

    def decode(self, part: Sequence[float]) -> float:
        share = (part[0] + 1) / 2
        if self.scale == "log":
            value = self.low * math.pow(self.high / self.low, share)
        else:
            value = self.low + (self.high - self.low) * share
        return min(self.high, max(self.low, value))

    def encode(self, value: Any) -> list[float]:
        if self.scale == "log":
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return [_clip(2 * share - 1)]

    def check(self, value: Any) -> float:
        path = f"/params/{self.name}"
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise ParameterError(path, "type", f"{self.name}: expected a number, got {value!r}")
        number = float(value)
        if not math.isfinite(number):
            raise ParameterError(path, "not_finite", f"{self.name}: expected a finite number, got {number}")
        if not self.low <= number <= self.high:
            rule = f"{self.low}..{self.high} {'' if self.unit == '1' else self.unit}".strip()
            raise ParameterError(path, "range", f"{self.name}: expected {rule}, got {number}")
        return number


@dataclass(frozen=True, slots=True)
class Simplex:
    """Probabilities of `classes` that sum to 1."""

    name: str
    meaning: str
    slice: tuple[int, int]
    classes: tuple[str, ...]
    default: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its components in the action: `weather.rain`."""
        return tuple(f"{self.name}.{label}" for label in self.classes)

    def decode(self, part: Sequence[float]) -> list[float]:
        logits = [a * LOGIT_OF_ONE for a in part]
        peak = max(logits)
        weights = [math.exp(logit - peak) for logit in logits]
        total = 0.0  # in this order: `sum` of Python 3.12 rounds otherwise
        for weight in weights:
            total += weight
        return [weight / total for weight in weights]

    def encode(self, value: Any) -> list[float]:
        # Softmax ignores a common shift, so the largest and the smallest logit are put equally far from 0.
        floor = math.exp(-2 * LOGIT_OF_ONE) * max(value)
        logits = [math.log(max(probability, floor)) for probability in value]
        middle = (max(logits) + min(logits)) / 2
        return [_clip((logit - middle) / LOGIT_OF_ONE) for logit in logits]

    def check(self, value: Any) -> list[float]:
        path = f"/params/{self.name}"
        try:
            numbers = [float(probability) for probability in value]
        except (TypeError, ValueError):
            numbers = []
        if len(numbers) != len(self.classes):
            rule = f"{len(self.classes)} probabilities ({', '.join(self.classes)})"
            raise ParameterError(path, "shape", f"{self.name}: expected {rule}, got {value!r}")
        if not (all(p >= 0 for p in numbers) and abs(sum(numbers) - 1) < 1e-6):
            rule = "probabilities of at least 0 that sum to 1"
            raise ParameterError(path, "simplex", f"{self.name}: expected {rule}, got {value!r}")
        return numbers


Parameter: TypeAlias = "Continuous | Simplex"


class Parameters(Sequence[Parameter]):
    """The parameters of θ, in the order of the action."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = tuple(parameters)

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Parameter, ...]: ...
    def __getitem__(self, index: int | slice) -> Parameter | tuple[Parameter, ...]:
        return self._parameters[index]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters)

    def __repr__(self) -> str:
        return f"Parameters({', '.join(p.name for p in self)})"

    @property
    def size(self) -> int:
        """D, the number of components of an action."""
        return self._parameters[-1].slice[1] if self._parameters else 0

    @property
    def labels(self) -> list[str]:
        """The name of each component of an action, [D]: `fog`, `weather.clear`, `weather.rain` …"""
        return [label for p in self for label in p.labels]

    @property
    def default(self) -> Theta:
        """θ with the default of every parameter."""
        return {p.name: list(p.default) if isinstance(p, Simplex) else p.default for p in self}

    def checked_action(self, action: Numbers) -> list[float]:
        """An action as numbers of Python.

        :param action: [D], each from -1 to 1
        :raises ParameterError: naming the component that has the wrong size, is not finite or out of range
        """
        try:
            numbers = [float(a) for a in action]
        except (TypeError, ValueError):
            raise ParameterError("/action", "shape", f"action: expected {self.size} numbers, got {action!r}") from None
        if len(numbers) != self.size:
            raise ParameterError("/action", "shape", f"action: expected {self.size} numbers, got {len(numbers)}")
        for i, number in enumerate(numbers):
            if not -1 <= number <= 1:  # nor is NaN
                rule, words = ("range", "-1..1") if math.isfinite(number) else ("not_finite", "a finite number")
                where = f"action[{i}] ({self.labels[i]})"
                raise ParameterError(f"/action/{i}", rule, f"{where}: expected {words}, got {number}")
        return numbers

    def complete(self, theta: Mapping[str, Any]) -> Theta:
        """A θ by name with the default of every parameter that it leaves out, as numbers of Python.

        :raises ParameterError: naming the parameter that is unknown or breaks its rule
        """
        names = [p.name for p in self]
        for name in theta:
            if name not in names:
                raise ParameterError(f"/params/{name}", "unknown", f"{name}: expected one of {', '.join(names)}")
        return {p.name: p.check(theta.get(p.name, p.default)) for p in self}

    def to_theta(self, action: Numbers) -> Theta:
        """The θ of an action.

        :param action: [D], each from -1 to 1
        :raises ParameterError: naming the component that has the wrong size, is not finite or out of range
        """
        numbers = self.checked_action(action)
        return {p.name: p.decode(numbers[p.slice[0] : p.slice[1]]) for p in self}

    def to_action(self, theta: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """The action of a θ, [D] from -1 to 1; a parameter that θ leaves out has its default.

        A probability below e^-6.4 of the largest becomes a little larger when it is mapped to an action and back.

        :raises ParameterError: naming the parameter that is unknown or breaks its rule
        """
        complete = self.complete(theta)
        return np.array([a for p in self for a in p.encode(complete[p.name])], np.float64)


def parameters_of(spec: Mapping[str, Any]) -> Parameters:
    """The parameters that a `spec` of the protocol describes."""

    def parameter(p: Mapping[str, Any]) -> Parameter:
        start, end = p["slice"]
        if p["kind"] == "continuous":
            low, high, default = float(p["low"]), float(p["high"]), float(p["default"])
            return Continuous(p["name"], p["meaning"], (start, end), low, high, p["scale"], default, p["unit"])
        if p["kind"] == "simplex":
            default_p = tuple(float(probability) for probability in p["default"])
            return Simplex(p["name"], p["meaning"], (start, end), tuple(p["labels"]), default_p)
        raise ParameterError(f"/params/{p['name']}", "type", f"{p['name']}: expected a known kind, got {p['kind']}")

    return Parameters([parameter(p) for p in spec["parameters"]])


def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))
