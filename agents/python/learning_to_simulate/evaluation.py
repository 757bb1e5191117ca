"""What a caller asks to evaluate, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias, cast

import numpy as np

from .arguments import is_list, name_of, seed_number, shown
from .errors import ConnectionLost
from .parameters import Numbers
from .results import Result

Point: TypeAlias = "Mapping[str, Any] | Numbers"
"""θ by name (a parameter that is left out has its default), or an action: [D] from -1 to 1."""
Seed: TypeAlias = "int | Mapping[str, int]"
"""The seed of an evaluation, or some of the seeds of `simulation`, `initialisation` and `order`."""
_SOURCES = ("simulation", "initialisation", "order")


class Evaluation(Future[Result]):
    """An evaluation under way: a `concurrent.futures.Future` that `cancel` ends on the server.

    A cancelled one has a result too, with the outcome `cancelled`, or the real one if that was faster: `cancelled()` is
    always False, and `result()` raises no CancelledError. A result that is
    no reward is no exception; an exception means that the connection is lost for good, or the environment closed.
    """

    def __init__(self, step_id: str, cancel: Callable[[list[str]], None]) -> None:
        super().__init__()
        self.step_id = step_id
        # It belongs to the environment, which so lives until its evaluations have ended, though nobody has it any more.
        self._cancel: Callable[[list[str]], None] | None = cancel

    def cancel(self) -> bool:
        cancel = self._cancel
        if self.done() or cancel is None:
            return False
        cancel([self.step_id])
        return True

    def set_result(self, result: Result) -> None:
        self._cancel = None
        super().set_result(result)

    def set_exception(self, exception: BaseException | None) -> None:
        self._cancel = None
        super().set_exception(exception)


def points_of(points: Any, size: int) -> tuple[bool, Sequence[Any]]:
    """Whether these are many points, in a list or an array [n, D], and not one; and the points.

    :param size: D
    :raises TypeError, ValueError: when they are neither; what is wrong within one of them is refused later, alone
    """
    rule = f"points: expected θ by name, an action of {size} numbers, a list of θ or actions, or an array [n, {size}]"
    return _points(rule, points)


def one_point(point: Any, size: int) -> Sequence[Any]:
    """A list of this point alone. :raises TypeError, ValueError: when it is none, or many"""
    rule = f"point: expected θ by name, or an action of {size} numbers (evaluate takes many)"
    many, points = _points(rule, point)
    if many:
        raise ValueError(f"{rule}, got a list of {len(points)} points")
    return points


def _points(rule: str, points: Any) -> tuple[bool, Sequence[Any]]:
    if isinstance(points, Mapping):
        return False, [points]
    if hasattr(points, "ndim"):  # an array, also of another library
        array = np.asarray(points)
        if array.ndim not in (1, 2):
            raise ValueError(f"{rule}, got an array of the shape {list(array.shape)}")
        return array.ndim == 2, list(array) if array.ndim == 2 else [array]
    if isinstance(points, (str, bytes)) or not isinstance(points, Iterable):
        raise TypeError(f"{rule}, got {shown(points)}")
    listed = points if isinstance(points, Sequence) else list(points)
    if not listed:
        return True, []
    many = bool(getattr(listed[0], "ndim", 0)) or isinstance(listed[0], (Mapping, Sequence))
    return many, listed if many else [listed]


def seeds_of(name: str, seeds: Any, count: int | None) -> list[dict[str, Any]]:
    """The seed of each point, as fields of its step.

    :param seeds: one for all, or a list with one for each
    :param count: of points; None for one that is in no list
    """
    if _is_one_for_each(name, seeds, count):
        return [_seed_fields(f"{name}[{i}]", seed) for i, seed in enumerate(seeds)]
    return [_seed_fields(name, seeds)] * (1 if count is None else count)


def step_ids_of(name: str, step_ids: Any, count: int | None) -> list[str]:
    """The names of the evaluations; see `seeds_of`, but each has its own."""
    if not _is_one_for_each(name, step_ids, count):
        if count is not None:
            raise TypeError(f"{name}: expected a list with one for each of {count} points, got {shown(step_ids)}")
        return [name_of(name, step_ids)]
    names = [name_of(f"{name}[{i}]", step_id) for i, step_id in enumerate(step_ids)]
    places: dict[str, int] = {}
    for i, one in enumerate(names):
        if (first := places.setdefault(one, i)) < i:
            raise ValueError(f"{name}[{i}]: expected another name than {name}[{first}] has, got {shown(one)}")
    return names


def _is_one_for_each(name: str, values: Any, count: int | None) -> bool:
    if not is_list(values):
        return False
    if count is None:
        raise ValueError(f"{name}: expected one, since one point was given and no list, got {shown(values)}")
    if len(values) != count:
        raise ValueError(f"{name}: expected one for each of {count} points, got {len(values)}")
    return True


def _seed_fields(name: str, seed: Any) -> dict[str, Any]:
    if seed is None:
        return {}
    if not isinstance(seed, Mapping):
        return {"seed": seed_number(name, seed)}
    for source in seed:
        if source not in _SOURCES:
            raise ValueError(f"{name}: expected seeds of {', '.join(_SOURCES)}, got one of {shown(source)}")
    return {"seeds": {source: seed_number(f"{name}.{source}", value) for source, value in seed.items()}}


def collected(arrived: Sequence[Result | BaseException]) -> list[Result]:
    """The results; or the first error, with the results that have arrived."""
    errors = [error for error in arrived if isinstance(error, BaseException)]
    if not errors:
        return cast(list[Result], arrived)
    error = errors[0]
    if isinstance(error, ConnectionLost):
        lost = ConnectionLost(*error.args)
        lost.results = [result if isinstance(result, Result) else None for result in arrived]
        raise lost from error
    raise error
