"""The best of many noisy rewards is mostly luck: the best few are evaluated again, on seeds that none of them has seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import whole_number
from .client import Environment
from .errors import ParameterError
from .evaluation import Point
from .parameters import Parameters, Theta
from .results import Result
from .seeds import derive_seed

_log = logging.getLogger("learning_to_simulate")


@dataclass(frozen=True, slots=True)
class Finalist:
    """A θ with its rewards on the fresh seeds; `seen` is the reward that made it a finalist, None for one of `also`."""

    theta: Theta
    reward: float
    """The mean of `rewards`."""
    rewards: Sequence[float]
    seen: float | None


def finalists(
    environment: Environment,
    results: Iterable[Result],
    *,
    count: int = 3,
    repeats: int = 3,
    test: bool = False,
    also: Iterable[Point] = (),
) -> list[Finalist]:
    """Evaluates the best θ again, all on the same fresh seeds: count × repeats evaluations, in one batch.

    Of several results of one θ, the luckiest stands for all; one of `also` that is a finalist already counts once.

    :param count: the number of finalists among the results, fewer if fewer have a reward
    :param repeats: the number of seeds
    :param test: `reward` and `rewards` are the scores on the test set instead: for a final report, never for a search
    :param also: further finalists, each θ or an action: what the optimiser itself recommends, such as the mean of a policy
    :returns: the best first; one that is refused or fails on one of the seeds is left out, and the log says so
    """
    count, repeats = whole_number("count", count, 0), whole_number("repeats", repeats, 1)
    distinct: dict[str, Result] = {}
    for result in sorted((r for r in results if r.reward is not None), key=lambda r: -r.require()):
        distinct.setdefault(json.dumps(result.theta), result)
    best = list(distinct.values())[:count]
    points: list[Any] = [result.theta for result in best]
    points += [point for point in also if not any(_is_same(environment.parameters, point, r.theta) for r in best)]
    seeds = [derive_seed(environment.seed, "finalist", i) for i in range(repeats)]
    again: list[Result] = environment.evaluate(
        [point for point in points for _ in seeds], seeds=seeds * len(points), test=test
    )
    told = []
    for i in range(len(points)):
        own = again[i * repeats : (i + 1) * repeats]
        if bad := next((r for r in own if not r.ok), None):
            _log.warning("finalists: %s is left out: %s (%s)", points[i], bad.outcome, bad.reason)
        else:
            metric = environment.spec.reward_metric
            rewards = [(r.test_scores or {})[metric] if test else r.require() for r in own]
            seen = best[i].require() if i < len(best) else None
            told.append(Finalist(own[0].theta, sum(rewards) / repeats, rewards, seen))
    return sorted(told, key=lambda finalist: -finalist.reward)


def _is_same(parameters: Parameters, point: Point, theta: Theta) -> bool:
    """Whether a point stands for this θ, but for the last bits; one that breaks a rule does not."""
    try:
        own = parameters.complete(point) if isinstance(point, Mapping) else parameters.to_theta(point)
    except ParameterError:
        return False
    return all(_is_close(own[name], value) for name, value in theta.items())


def _is_close(a: Any, b: Any) -> bool:
    return a == b if isinstance(b, (str, bool)) else bool(np.allclose(a, b, rtol=1e-12, atol=0))
