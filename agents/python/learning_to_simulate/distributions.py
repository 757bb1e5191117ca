"""The parameters of θ as the search spaces of other libraries.

They all use one flat form, a dictionary: a number by its name and in its unit (`fog`), True or False and a choice by the
name of their parameter (`night`, `sky`), and a component of a simplex by its label (`weather.rain`), as a number from -1
to 1: the action's component, from which the probabilities follow by softmax. So every point of the space is a θ, whatever
the library draws. Probabilities that are drawn one by one are none (they do not sum to 1), and divided by their sum they
prefer the middle.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .arguments import is_number, scalar
from .kinds import Boolean, Categorical, Continuous, Parameter, Simplex
from .parameters import Parameters, Theta


@dataclass(frozen=True, slots=True)
class Dimension:
    """A number of the search space, from `low` to `high`, or one of `choices`, which are in no order.

    `log`: search the logarithm of the number. A choice is from `low` = 0 to `high`, as a position in `choices`.
    """

    name: str
    low: float
    high: float
    log: bool
    default: float | int | bool | str
    unit: str
    meaning: str
    kind: Literal["number", "integer", "choice"] = "number"
    choices: tuple[bool | str, ...] = ()


def dimensions(parameters: Parameters) -> list[Dimension]:
    """The search space as a plain list, in the order of the action."""
    return [dimension for p in parameters for dimension in _dimensions_of(p)]


def _dimensions_of(p: Parameter) -> list[Dimension]:
    if isinstance(p, Simplex):
        defaults = zip(p.labels, p.encode(p.default))
        return [Dimension(label, -1.0, 1.0, False, a, "logit / 3.2", p.meaning) for label, a in defaults]
    if isinstance(p, (Boolean, Categorical)):
        choices = (False, True) if isinstance(p, Boolean) else p.choices
        return [Dimension(p.name, 0, len(choices) - 1, False, p.default, "", p.meaning, "choice", choices)]
    kind: Literal["number", "integer"] = "number" if isinstance(p, Continuous) else "integer"
    return [Dimension(p.name, p.low, p.high, p.scale == "log", p.default, p.unit, p.meaning, kind)]


def to_values(parameters: Parameters, theta: Mapping[str, Any]) -> dict[str, Any]:
    """A θ in the flat form; a parameter that it leaves out has its default.

    :raises ParameterError: naming the parameter that is unknown or breaks its rule
    """
    complete = parameters.complete(theta)
    values: dict[str, Any] = {}
    for p in parameters:
        value = complete[p.name]
        values |= dict(zip(p.labels, p.encode(value))) if isinstance(p, Simplex) else {p.name: value}
    return values


def from_values(parameters: Parameters, values: Mapping[str, Any]) -> Theta:
    """The θ of a point in the flat form; a parameter without values has its default.

    A value that lies outside by a rounding error (1e-9 of the range) is put on the bound.

    :raises ParameterError: naming the value that is unknown, missing in a simplex, or breaks its rule
    """
    known = {dimension.name for dimension in dimensions(parameters)}
    theta: dict[str, Any] = {name: values[name] for name in values if name not in known}  # refused below, by name
    for p in parameters:
        if isinstance(p, Simplex):
            if any(label in values for label in p.labels):
                part = [_within(values.get(label, math.nan), -1.0, 1.0) for label in p.labels]
                action: list[Any] = [0.0] * parameters.size
                action[p.slice[0] : p.slice[1]] = part
                theta[p.name] = p.decode(parameters.checked_action(action)[p.slice[0] : p.slice[1]])
        elif p.name in values:
            value = values[p.name]
            theta[p.name] = _within(value, p.low, p.high) if isinstance(p, Continuous) else value
    return parameters.complete(theta)


def optuna_distributions(parameters: Parameters) -> dict[str, Any]:
    """The flat form as Optuna's distributions: for `study.ask(distributions)`, samplers, and `create_trial`."""
    of = importlib.import_module("optuna").distributions

    def distribution(d: Dimension) -> Any:
        if d.kind == "choice":
            return of.CategoricalDistribution(d.choices)
        return (of.IntDistribution if d.kind == "integer" else of.FloatDistribution)(d.low, d.high, log=d.log)

    return {d.name: distribution(d) for d in dimensions(parameters)}


def suggest(trial: Any, parameters: Parameters) -> Theta:
    """The θ that a trial of Optuna suggests."""

    def value(d: Dimension) -> Any:
        if d.kind == "choice":
            return trial.suggest_categorical(d.name, d.choices)
        return (trial.suggest_int if d.kind == "integer" else trial.suggest_float)(d.name, d.low, d.high, log=d.log)

    return from_values(parameters, {d.name: value(d) for d in dimensions(parameters)})


def nevergrad_parametrization(parameters: Parameters, start: Mapping[str, Any] | None = None) -> Any:
    """The flat form as Nevergrad's `Dict` of scalars and choices, which begin at `start` (None: the defaults).

    `from_values(parameters, candidate.value)` is its θ.
    """
    ng = importlib.import_module("nevergrad")
    begin = to_values(parameters, parameters.default if start is None else start)

    def parameter(d: Dimension) -> Any:
        if d.kind == "choice":
            choice = ng.p.Choice(d.choices)
            choice.value = begin[d.name]
            return choice
        scalar = (ng.p.Log if d.log else ng.p.Scalar)(init=begin[d.name], lower=d.low, upper=d.high)
        return scalar.set_integer_casting() if d.kind == "integer" else scalar

    return ng.p.Dict(**{d.name: parameter(d) for d in dimensions(parameters)})


def _within(value: Any, low: float, high: float) -> Any:
    """On the bound what lies outside by a rounding error; what breaks a rule as it is, to be refused by its name."""
    slack = 1e-9 * (high - low)
    value = scalar(value)
    near = is_number(value) and low - slack <= value <= high + slack
    return min(high, max(low, float(value))) if near else value
