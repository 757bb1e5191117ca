"""One parameter of θ, by its kind: which values it has, and which part of an action gives which, as on the server."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .arguments import is_number, scalar
from .errors import ParameterError

Value: TypeAlias = "float | int | bool | str | list[float]"

LOGIT_OF_ONE = 3.2
"""The logit of an action component of 1 in a simplex: probabilities are softmax(3.2 · a)."""

BESIDE = 0.25
"""The distance from 0 of the components that stand for a boolean or for choices in the action of a θ."""

Scale: TypeAlias = Literal["linear", "log"]


@dataclass(frozen=True, slots=True)
class Continuous:
    """A number from `low` to `high`; `scale` is `linear` or `log`: the action is affine in θ or in log θ."""

    name: str
    meaning: str
    slice: tuple[int, int]
    low: float
    high: float
    scale: Scale
    default: float
    unit: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its components in the action: its own name."""
        return (self.name,)

    def decode(self, part: Sequence[float]) -> float:
        return min(self.high, max(self.low, _at_share(self.low, self.high, self.scale, (part[0] + 1) / 2)))

    def encode(self, value: Any) -> list[float]:
        return [_clip(2 * _share_of(self.low, self.high, self.scale, value) - 1)]

    def check(self, value: Any) -> float:
        value = scalar(value)
        if not is_number(value):
            raise _refusal(self.name, "type", "a number", value)
        number = float(value)
        if not math.isfinite(number):
            raise _refusal(self.name, "not_finite", "a finite number", number)
        if not self.low <= number <= self.high:
            raise _refusal(self.name, "range", _range(self.low, self.high, self.unit), number)
        return number


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `low` to `high`: with the scale `linear`, each has the same share of the action."""

    name: str
    meaning: str
    slice: tuple[int, int]
    low: int
    high: int
    scale: Scale
    default: int
    unit: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its components in the action: its own name."""
        return (self.name,)

    def decode(self, part: Sequence[float]) -> int:
        number = _at_share(self.low - 0.5, self.high + 0.5, self.scale, (part[0] + 1) / 2)
        return min(self.high, max(self.low, math.floor(number + 0.5)))

    def encode(self, value: Any) -> list[float]:
        return [_clip(2 * _share_of(self.low - 0.5, self.high + 0.5, self.scale, value) - 1)]

    def check(self, value: Any) -> int:
        value = scalar(value)
        rule = f"a whole number {_range(self.low, self.high, self.unit)}"
        if not is_number(value):
            raise _refusal(self.name, "type", rule, value)
        if not math.isfinite(value):
            raise _refusal(self.name, "not_finite", rule, value)
        if value != math.floor(value):
            raise _refusal(self.name, "type", rule, value)
        if not self.low <= value <= self.high:
            raise _refusal(self.name, "range", rule, value)
        return int(value)


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or False."""

    name: str
    meaning: str
    slice: tuple[int, int]
    default: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its components in the action: its own name."""
        return (self.name,)

    def decode(self, part: Sequence[float]) -> bool:
        return part[0] >= 0

    def encode(self, value: Any) -> list[float]:
        return [BESIDE if value else -BESIDE]

    def check(self, value: Any) -> bool:
        value = scalar(value)
        if not isinstance(value, bool):
            raise _refusal(self.name, "type", "True or False", value)
        return value


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of `choices`, which are in no order; the action has a number for each, and the greatest counts."""

    name: str
    meaning: str
    slice: tuple[int, int]
    choices: tuple[str, ...]
    default: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its components in the action: `sky.rain`."""
        return tuple(f"{self.name}.{choice}" for choice in self.choices)

    def decode(self, part: Sequence[float]) -> str:
        return self.choices[list(part).index(max(part))]

    def encode(self, value: Any) -> list[float]:
        return [BESIDE if choice == value else -BESIDE for choice in self.choices]

    def check(self, value: Any) -> str:
        value = scalar(value)
        rule = f"one of {', '.join(self.choices)}"
        if not isinstance(value, str):
            raise _refusal(self.name, "type", rule, value)
        if value not in self.choices:
            raise _refusal(self.name, "unknown", rule, value)
        return str(value)


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
        given = [scalar(probability) for probability in value] if hasattr(value, "__iter__") else []
        numbers = [float(probability) for probability in given if is_number(probability)]
        if len(numbers) != len(self.classes):
            rule = f"{len(self.classes)} probabilities ({', '.join(self.classes)})"
            raise _refusal(self.name, "shape", rule, value)
        if not (all(p >= 0 for p in numbers) and abs(sum(numbers) - 1) < 1e-6):
            raise _refusal(self.name, "simplex", "probabilities of at least 0 that sum to 1", value)
        return numbers


Parameter: TypeAlias = "Continuous | Integer | Boolean | Categorical | Simplex"


def parameter_of(p: Mapping[str, Any]) -> Parameter:
    """A parameter as the `spec` of the protocol describes it.

    :raises ParameterError: when this version of the package does not know its kind
    """
    name, meaning, kind, default = p["name"], p["meaning"], p["kind"], p["default"]
    start, end = p["slice"]
    place = start, end
    if kind == "continuous":
        return Continuous(name, meaning, place, float(p["low"]), float(p["high"]), p["scale"], float(default), p["unit"])
    if kind == "integer":
        return Integer(name, meaning, place, int(p["low"]), int(p["high"]), p["scale"], int(default), p["unit"])
    if kind == "boolean":
        return Boolean(name, meaning, place, default)
    if kind == "categorical":
        return Categorical(name, meaning, place, tuple(p["choices"]), default)
    if kind == "simplex":
        return Simplex(name, meaning, place, tuple(p["labels"]), tuple(float(probability) for probability in default))
    raise _refusal(name, "type", "a kind that this version of the package knows", kind)


def _at_share(low: float, high: float, scale: Scale, share: float) -> float:
    """The number at a share of its range, from 0 to 1."""
    return low * math.pow(high / low, share) if scale == "log" else low + (high - low) * share


def _share_of(low: float, high: float, scale: Scale, value: float) -> float:
    """The inverse of `_at_share`."""
    return math.log(value / low) / math.log(high / low) if scale == "log" else (value - low) / (high - low)


def _clip(value: float) -> float:
    return min(1.0, max(-1.0, value))


def _range(low: float, high: float, unit: str) -> str:
    return f"{low}..{high} {'' if unit == '1' else unit}".strip()


def _refusal(name: str, rule: str, expected: str, got: Any) -> ParameterError:
    return ParameterError(f"/params/{name}", rule, f"{name}: expected {expected}, got {got!r}")
