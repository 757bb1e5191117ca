"""What an evaluation gives, at its end and on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .errors import EvaluationError, ProtocolError
from .parameters import Parameters, Theta

Outcome = Literal["ok", "infeasible", "diverged", "failed", "deadline", "cancelled", "refused"]


@dataclass(frozen=True, slots=True)
class Result:
    """One evaluation. With any other outcome than `ok`, `reward` is None, `scores` is empty and `reason` says why."""

    step_id: str
    outcome: Outcome
    """`ok`, `infeasible` (nothing can be simulated with this θ), `diverged` (no finite score), `failed` (the worker
    ended), `deadline`, `cancelled`, or `refused` (by the server: the action breaks a rule)."""
    reward: float | None = None
    """The score on validation; higher is better."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """The scores on validation, by the name of the metric."""
    observation: Sequence[float] = ()
    """The same in the order of `spec.metrics`; 0 for a metric without a score."""
    test_scores: Mapping[str, float] | None = None
    """The scores on the test set, if they were asked for."""
    early_scores: Sequence[Mapping[str, Any]] = ()
    """`{"fraction": …, "scores": {…}}` of the unfinished model, if progress was asked for."""
    reason: str | None = None
    theta: Theta = field(default_factory=dict)
    """The θ that was evaluated, complete."""
    seed: int | None = None
    seeds: Mapping[str, int] = field(default_factory=dict)
    """The seeds of `simulation`, `initialisation` and `order`."""
    test_evaluations: int = 0
    """The number of evaluations of this session that asked for test scores."""
    timing: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock times in milliseconds: `queue_ms`, `simulate_ms`, `train_ms`, `validate_ms`."""
    repro: Mapping[str, str] = field(default_factory=dict)
    """`spec_hash`, `build` and `backend`: equal ones give equal rewards."""
    worker: str | None = None
    """The worker that made it, where the server has workers on other machines."""
    error: ProtocolError | None = None
    """The refusal of the server, with the outcome `refused`."""

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    def require(self) -> float:
        """The reward.

        :raises EvaluationError: when the outcome is not `ok`
        """
        if self.reward is None:
            raise EvaluationError(self)
        return self.reward


def floats(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Scores of a message: on the wire, 1.0 is the whole number 1."""
    return {name: float(number) for name, number in numbers.items()}


def early_scores_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    early = message.get("early_scores", ())
    return [{"fraction": float(one["fraction"]), "scores": floats(one["scores"])} for one in early]


def result_of(message: Mapping[str, Any], parameters: Parameters) -> Result:
    """A `result` of the protocol."""
    test_scores = message.get("test_scores")
    return Result(
        step_id=message["step_id"],
        outcome=message["outcome"],
        reward=None if message["reward"] is None else float(message["reward"]),
        scores=floats(message["scores"]),
        observation=tuple(float(score) for score in message["observation"]),
        test_scores=None if test_scores is None else floats(test_scores),
        early_scores=tuple(early_scores_of(message)),
        reason=message.get("reason"),
        theta=parameters.typed(message["theta"]),
        seed=message["seed"],
        seeds=message["seeds"],
        test_evaluations=message["test_evaluations"],
        timing=floats(message["timing"]),
        repro=message["repro"],
        worker=message.get("worker"),
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an evaluation is."""

    step_id: str
    index: int
    """The position of its action or θ in the list that was given, 0 for a single one."""
    phase: Literal["queue", "simulate", "train", "validate"]
    fraction: float
    """The share of this phase that is done, 0 to 1; each phase has its own."""
    metrics: Mapping[str, float]
    """The loss, and after a quarter, a half and three quarters of the training the scores of the unfinished model."""
    eta: float | None
    """Seconds until the result, the queue included; None until the server has timed an evaluation with these options."""


def progress_of(message: Mapping[str, Any], index: int) -> Progress:
    """A `progress` of the protocol."""
    eta = message.get("eta_ms")
    return Progress(
        step_id=message["step_id"],
        index=index,
        phase=message["phase"],
        fraction=float(message["fraction"]),
        metrics=floats(message.get("metrics", {})),
        eta=None if eta is None else eta / 1000,
    )
