"""The parameters of θ, and the map between θ and the flat action in [-1, 1]^D, as the server does it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from .arguments import is_number, scalar, shown
from .errors import ParameterError
from .kinds import Continuous, Integer, Parameter, Simplex, Value, parameter_of

Theta: TypeAlias = dict[str, Value]
"""θ by name: a float for a continuous parameter, an int for an integer, True or False for a boolean, one of the choices
for a categorical parameter, a list of floats that sum to 1 for a simplex."""

Numbers: TypeAlias = "Sequence[float] | npt.NDArray[Any]"


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
        rule = f"action: expected {self.size} numbers"
        if isinstance(action, (str, bytes)) or not hasattr(action, "__iter__") or getattr(action, "ndim", 1) == 0:
            raise ParameterError("/action", "shape", f"{rule}, got {shown(action)}")
        components = [scalar(a) for a in action]
        if len(components) != self.size:
            raise ParameterError("/action", "shape", f"{rule}, got {len(components)}")
        for i, a in enumerate(components):
            if is_number(a) and -1 <= a <= 1:  # NaN is not
                continue
            if not is_number(a):
                broken, words, got = "type", "a number", shown(a)
            elif math.isfinite(a):
                broken, words, got = "range", "-1..1", str(float(a))
            else:
                broken, words, got = "not_finite", "a finite number", str(float(a))
            where = f"action[{i}] ({self.labels[i]})"
            raise ParameterError(f"/action/{i}", broken, f"{where}: expected {words}, got {got}")
        return [float(a) for a in components]

    def complete(self, theta: Mapping[str, Any]) -> Theta:
        """A θ by name with the default of every parameter that it leaves out, as numbers of Python.

        :raises ParameterError: naming the parameter that is unknown or breaks its rule
        """
        names = [p.name for p in self]
        for name in theta:
            if name not in names:
                told = f"{name}: expected one of {', '.join(names)}; no parameter has this name"
                raise ParameterError(f"/params/{name}", "unknown", told)
        return {p.name: p.check(theta.get(p.name, p.default)) for p in self}

    def typed(self, theta: Mapping[str, Any]) -> Theta:
        """A θ of a message with each number of its kind's type: on the wire, 1.0 is the whole number 1."""
        kinds = {p.name: p for p in self}
        return {name: _typed(kinds.get(name), value) for name, value in theta.items()}

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


def _typed(parameter: Parameter | None, value: Any) -> Value:
    if isinstance(parameter, Continuous):
        return float(value)
    if isinstance(parameter, Integer):
        return int(value)
    if isinstance(parameter, Simplex):
        return [float(probability) for probability in value]
    typed: Value = value
    return typed


def parameters_of(spec: Mapping[str, Any]) -> Parameters:
    """The parameters that a `spec` of the protocol describes."""
    return Parameters([parameter_of(p) for p in spec["parameters"]])
