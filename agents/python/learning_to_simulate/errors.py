"""Everything that can go wrong, by name. An evaluation that fails is no error: it is a result with another outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results import Result


class ProtocolError(Exception):
    """A request that the server refused.

    `code` is one of the protocol's (`BAD_OPTIONS`, `ENV_NOT_FOUND` …); `at`, `rule` and `got` say where and why, if the
    server told; `retry_after` is in seconds.
    """

    def __init__(self, message: Mapping[str, Any]) -> None:
        super().__init__(f"{message['code']}: {message['message']}")
        self.message: Mapping[str, Any] = message
        self.code: str = message["code"]
        self.retryable: bool = message["retryable"]
        self.at: str | None = message.get("at")
        self.rule: str | None = message.get("rule")
        self.got: str | None = message.get("got")
        after = message.get("retry_after_ms")
        self.retry_after: float | None = None if after is None else after / 1000

    def __reduce__(self) -> tuple[type[ProtocolError], tuple[Mapping[str, Any]]]:
        return ProtocolError, (self.message,)


class ConnectionLost(ConnectionError):
    """No server answers, or the connection was lost and could not be restored in time.

    `results` has what had arrived of the `evaluate` that it ended, None for what had not.
    """

    results: Sequence[Result | None] = ()


class ClosedError(RuntimeError):
    """The environment was closed, here or in another thread."""


class ForkError(RuntimeError):
    """A process that was forked uses the environment of its parent, whose rewards it would take or lose."""


class ServerError(RuntimeError):
    """`serve` could not start a server; the message says what is missing."""


class EvaluationError(RuntimeError):
    """An evaluation has no reward, and the caller asked for one.

    `result` says why; `results` has all results of the step of a vector environment, and `index` is the environment of
    `result` in it, None elsewhere.
    """

    def __init__(self, result: Result, results: Sequence[Result] = (), index: int | None = None) -> None:
        where = "" if index is None else f"environment {index} of {len(results)}: "
        super().__init__(f"{where}evaluation {result.step_id}: {result.outcome} ({result.reason})")
        self.result = result
        self.results = results or [result]
        self.index = index

    def __reduce__(self) -> tuple[type[EvaluationError], tuple[Result, Sequence[Result], int | None]]:
        return EvaluationError, (self.result, self.results, self.index)


class ParameterError(ValueError):
    """An action or θ breaks a rule: `path` is the place (`/action/3`, `/params/fog`), `rule` one word."""

    def __init__(self, path: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.rule = rule

    def __reduce__(self) -> tuple[type[ParameterError], tuple[str, str, str]]:
        return ParameterError, (self.path, self.rule, str(self))
