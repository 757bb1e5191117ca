"""The parameters of θ as the search spaces of other libraries.

They all use one flat form, a dictionary of numbers: a continuous parameter by its name and in its unit (`fog`), and a
component of a simplex by its label (`weather.rain`), as a number from -1 to 1: the action's component, from which the
probabilities follow by softmax. So every point of the box is a θ, whatever the library draws. Probabilities that are
drawn one by one are none (they do not sum to 1), and divided by their sum they prefer the middle.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .parameters import Continuous, Parameters, Theta


@dataclass(frozen=True, slots=True)
class Dimension:
    """A number of the search space, from `low` to `high`; `log`: search its logarithm."""

    name: str
    low: float
    high: float
    log: bool
    default: float
    unit: str
    meaning: str


def dimensions(parameters: Parameters) -> list[Dimension]:
    """The search space as a plain list, in the order of the action."""
    defaults = to_values(parameters, parameters.default)
    space = []
    for p in parameters:
        for label in p.labels:
            if isinstance(p, Continuous):
                bounds = p.low, p.high, p.scale == "log"
                space.append(Dimension(label, *bounds, defaults[label], p.unit, p.meaning))
            else:
                space.append(Dimension(label, -1.0, 1.0, False, defaults[label], "logit / 3.2", p.meaning))
    return space


def to_values(parameters: Parameters, theta: Mapping[str, Any]) -> dict[str, float]:
    """A θ in the flat form; a parameter that it leaves out has its default.

    :raises ParameterError: naming the parameter that is unknown or breaks its rule
    """
    complete = parameters.complete(theta)
    values: dict[str, float] = {}
    for p in parameters:
        value = complete[p.name]
        values |= dict(zip(p.labels, [value] if isinstance(value, float) else p.encode(value)))
    return values


def from_values(parameters: Parameters, values: Mapping[str, float]) -> Theta:
    """The θ of a point in the flat form; a parameter without values has its default.

    A value that lies outside by a rounding error (1e-9 of the range) is put on the bound.

    :raises ParameterError: naming the value that is unknown, missing in a simplex, or outside its bounds
    """
    unknown = set(values) - set(parameters.labels)
    theta: dict[str, Any] = {name: values[name] for name in unknown}  # refused below, by name
    for p in parameters:
        if isinstance(p, Continuous):
            if p.name in values:
                theta[p.name] = _within(float(values[p.name]), p.low, p.high)
        elif any(label in values for label in p.labels):
            part = [_within(float(values.get(label, float("nan"))), -1.0, 1.0) for label in p.labels]
            action = [0.0] * parameters.size
            action[p.slice[0] : p.slice[1]] = part
            parameters.checked_action(action)
            theta[p.name] = p.decode(part)
    return parameters.complete(theta)


def optuna_distributions(parameters: Parameters) -> dict[str, Any]:
    """The flat form as Optuna's distributions: for `study.ask(distributions)`, samplers, and `create_trial`."""
    optuna = importlib.import_module("optuna")
    return {d.name: optuna.distributions.FloatDistribution(d.low, d.high, log=d.log) for d in dimensions(parameters)}


def suggest(trial: Any, parameters: Parameters) -> Theta:
    """The θ that a trial of Optuna suggests."""
    values = {d.name: trial.suggest_float(d.name, d.low, d.high, log=d.log) for d in dimensions(parameters)}
    return from_values(parameters, values)


def nevergrad_parametrization(parameters: Parameters, start: Mapping[str, Any] | None = None) -> Any:
    """The flat form as Nevergrad's `Dict` of scalars, which begin at `start` (None: the defaults).

    `from_values(parameters, candidate.value)` is its θ.
    """
    ng = importlib.import_module("nevergrad")
    begin = to_values(parameters, parameters.default if start is None else start)
    scalars = {}
    for d in dimensions(parameters):
        kind = ng.p.Log if d.log else ng.p.Scalar
        scalars[d.name] = kind(init=begin[d.name], lower=d.low, upper=d.high)
    return ng.p.Dict(**scalars)


def _within(value: float, low: float, high: float) -> float:
    slack = 1e-9 * (high - low)
    return min(high, max(low, value)) if low - slack <= value <= high + slack else value
