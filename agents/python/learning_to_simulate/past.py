"""Trials that exist already, for a search that starts from them: of an agent's run, or of any client's session."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .kinds import Parameter
from .parameters import Parameters, parameters_of

ROUNDING = 1e-9
"""θ that one action gives differs by less than this, whichever language decoded it."""


class PastTrial(NamedTuple):
    action: npt.NDArray[np.float64]
    """[D], from -1 to 1."""
    reward: float | None
    """None for an evaluation without one."""


def past_trials(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]], parameters: Parameters
) -> list[PastTrial]:
    """Trials as (action, reward), in the order in which they were asked for.

    :param source: the log of a run (`runs/….jsonl`, of which the trials of the search count, not those of finalists and
        reports), or the JSON lines that `agents/history.ts export` writes, either compressed if the name ends in `.gz`;
        or entries of a history, such as `environment.history()`
    :param parameters: of the environment that is searched, `environment.parameters`
    :raises ValueError: naming the file and the line that is no such thing, or the trial of other parameters
    """
    if isinstance(source, (str, os.PathLike)):
        name, lines = os.fspath(source), _lines(Path(source))
    else:
        name, lines = "history", list(source)
    if lines and lines[0].get("type") == "run":
        given = lines[0]["environment"].get("parameters")
        if given is not None:
            _check_same(name, parameters_of({"parameters": given}), parameters)
        entries = _trials_of_run(lines)
    else:
        entries = [entry for entry in _oldest_first(lines) if _is_trial(entry.get("key"))]
    trials = []
    for i, entry in enumerate(entries):
        try:
            reward = None if entry["reward"] is None else float(entry["reward"])
            trials.append(PastTrial(_action_of(entry, parameters), reward))
        except (KeyError, TypeError, ValueError) as error:
            where = entry.get("key") or entry.get("step_id") or i
            told = f"no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{name}, {where}: expected a trial of these parameters: {told}") from error
    return trials


def _lines(path: Path) -> list[Mapping[str, Any]]:
    """The whole lines: a writer that was killed may have left a last one without its end."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    lines = []
    for i, line in enumerate(text.split("\n")[:-1]):
        try:
            lines.append(json.loads(line))
            if not isinstance(lines[-1], dict):
                raise ValueError("another value")
        except ValueError as error:
            raise ValueError(f"{path}, line {i + 1}: expected one JSON object, got {line[:60]} ({error})") from error
    return lines


def _trials_of_run(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    warm = [trial for line in lines if line["type"] == "warm-start" for trial in line["trials"]]
    own = [line for line in lines if line["type"] == "evaluation" and line["key"].startswith("search/")]
    return warm + sorted(own, key=lambda line: int(line["key"].removeprefix("search/")))


def _is_trial(key: str | None) -> bool:
    return key is None or key.startswith(("search/", "warm-start/"))


def _oldest_first(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A history has the latest first, and what was exported of a run, whose evaluations have a key, is in order."""
    if any("key" in entry for entry in entries):
        return list(entries)
    return sorted(reversed(entries), key=lambda entry: str(entry.get("accepted_at", "")))


def _check_same(name: str, given: Parameters, own: Parameters) -> None:
    names = [", ".join(p.name for p in parameters) for parameters in (own, given)]
    if names[0] != names[1]:
        raise ValueError(f"{name}: expected the parameters {names[0]}, got {names[1]}")

    def decisive(p: Parameter) -> dict[str, Any]:
        return {k: v for k, v in dataclasses.asdict(p).items() if k not in ("meaning", "default")}

    for ours, theirs in zip(map(decisive, own), map(decisive, given)):
        for field, value in ours.items():
            if theirs.get(field) != value:
                told = f"{ours['name']}.{field}: expected {value!r}, got {theirs.get(field)!r}"
                raise ValueError(f"{name}: expected the parameters of this environment: {told}")


def _action_of(entry: Mapping[str, Any], parameters: Parameters) -> npt.NDArray[np.float64]:
    theta, action = entry["theta"], entry.get("action") or []
    names = [p.name for p in parameters]
    if theta and (missing := [name for name in names if name not in theta]):
        raise ValueError(f"θ: expected {missing[0]}, got {', '.join(theta)}")
    if not action:
        if not theta:
            raise ValueError("expected an action or θ, got neither (the kept logs of a study leave most of them out)")
        return parameters.to_action(theta)
    decoded = parameters.to_theta(action)
    for name, value in theta.items():
        if name not in decoded:
            raise ValueError(f"θ: expected {', '.join(names)}, got {name}")
        if not _is_close(decoded[name], value):
            raise ValueError(f"{name}: expected {decoded[name]}, which its action stands for, got {value}")
    return np.array(action, np.float64)


def _is_close(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_is_close, a, b))
    if isinstance(a, (bool, str)) or not isinstance(b, (int, float)):
        return bool(a == b)
    return math.isclose(a, b, rel_tol=ROUNDING)
