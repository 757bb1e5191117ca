"""What a caller asks to evaluate, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias, cast

import numpy as np

from .errors import ConnectionLost
from .parameters import Numbers
from .results import Result

Point: TypeAlias = "Mapping[str, Any] | Numbers"
"""θ by name (a parameter that is left out has its default), or an action: [D] from -1 to 1."""
Seed: TypeAlias = "int | Mapping[str, int]"
"""The seed of an evaluation, or some of the seeds of `simulation`, `initialisation` and `order`."""


class Evaluation(Future[Result]):
    """An evaluation under way: a `concurrent.futures.Future` that `cancel` ends on the server.

    A cancelled one has a result too, with the outcome `cancelled`, or the real one if that was faster. A result that is
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


def is_many(points: Any) -> bool:
    """Whether these are many points, in a list or an array [n, D], and not one."""
    if isinstance(points, Mapping):
        return False
    if isinstance(points, np.ndarray):
        return points.ndim > 1
    if len(points) == 0:
        return True
    return bool(getattr(points[0], "ndim", 0)) or isinstance(points[0], (Mapping, Sequence))


def seed_fields(seed: Any) -> dict[str, Any]:
    """A seed as fields of a step."""
    if seed is None:
        return {}
    if isinstance(seed, Mapping):
        return {"seeds": {name: int(value) for name, value in seed.items()}}
    return {"seed": int(seed)}


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
