"""Past evaluations, which the server keeps for a while after their session was closed."""

from __future__ import annotations

import importlib
import json
import urllib.error
import urllib.parse
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args, overload

from .arguments import one_of, whole_number
from .errors import ConnectionLost
from .http import ask
from .kinds import Parameter
from .parameters import Parameters, parameters_of
from .results import Outcome, early_scores_of, floats

HistoryList: TypeAlias = "list[dict[str, Any]]"
HistoryFrame: TypeAlias = "Any"
"""A `pandas.DataFrame`."""

_MOST = 100_000
"""The longest history that the server gives at once."""


@overload
def fetch_history(
    url: str,
    *,
    token: str | None = None,
    session: str | None = None,
    env_id: str | None = None,
    outcome: str | None = None,
    limit: int = 1000,
    frame: Literal["list"] = "list",
    parameters: Parameters | None = None,
) -> HistoryList: ...
@overload
def fetch_history(
    url: str,
    *,
    token: str | None = None,
    session: str | None = None,
    env_id: str | None = None,
    outcome: str | None = None,
    limit: int = 1000,
    frame: Literal["list", "pandas"],
    parameters: Parameters | None = None,
) -> HistoryList | HistoryFrame: ...
def fetch_history(
    url: str,
    *,
    token: str | None = None,
    session: str | None = None,
    env_id: str | None = None,
    outcome: str | None = None,
    limit: int = 1000,
    frame: Literal["list", "pandas"] = "list",
    parameters: Parameters | None = None,
) -> HistoryList | HistoryFrame:
    """Finished evaluations of a server, the latest first, of all sessions or of one.

    :param url: of the server, `ws://…`
    :param token: of an observer; None: the variable LTS_TOKEN, if it is set
    :param outcome: only those with this one, such as `ok`
    :param limit: the greatest number of evaluations, 0 to 100,000
    :param frame: `list`: dictionaries with the fields of a result, and `env_id`, `options`, `accepted_at`; `pandas`: a
        DataFrame with a column for each score and each component of θ
    :param parameters: of the environment, if all evaluations are of one; they name the columns of a simplex
        (`theta.weather.rain`, otherwise `theta.weather.3`)
    :raises TypeError, ValueError: naming the argument that cannot be so
    :raises ConnectionLost: when the server does not answer or refuses
    :raises ImportError: without pandas, for `pandas`
    """
    one_of("frame", frame, "list", "pandas")
    if outcome is not None:
        one_of("outcome", outcome, *(name for name in get_args(Outcome) if name != "refused"))
    given = {"session": session, "env": env_id, "outcome": outcome, "limit": whole_number("limit", limit, 0, _MOST)}
    chosen = urllib.parse.urlencode({name: value for name, value in given.items() if value is not None})
    lines = _lines(url, token, f"history.jsonl?{chosen}")
    kinds: dict[str, Parameters | None] = {}
    entries = []
    for entry in lines:
        hash = entry["repro"]["spec_hash"]
        if parameters is None and hash not in kinds:
            kinds[hash] = _parameters_of_session(url, token, entry["session_id"])
        entries.append(_typed(entry, kinds.get(hash, parameters)))
    return _data_frame(entries, parameters or ()) if frame == "pandas" else entries


def _lines(url: str, token: str | None, path: str) -> HistoryList:
    """The JSON values of the lines of a page of the server."""
    return [json.loads(line) for line in ask("history", url, token, path)]


def _parameters_of_session(url: str, token: str | None, session_id: str) -> Parameters | None:
    """None where the server does not know them any more."""
    try:
        (run,) = _lines(url, token, f"runs/{urllib.parse.quote(session_id, safe='')}")
    except ConnectionLost as error:
        if isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code == 404:
            return None
        raise
    return None if "unknown" in run else parameters_of(run)


def _typed(entry: dict[str, Any], parameters: Parameters | None) -> dict[str, Any]:
    """A line of the history with floats where a result has them: JSON writes 1.0 as 1."""
    scores: dict[str, Any] = {name: floats(entry[name]) for name in ("scores", "test_scores") if name in entry}
    if "early_scores" in entry:
        scores["early_scores"] = early_scores_of(entry)
    scores["reward"] = None if entry["reward"] is None else float(entry["reward"])
    scores["observation"] = [float(score) for score in entry["observation"]]
    return {**entry, **scores, "theta": parameters.typed(entry["theta"]) if parameters else entry["theta"]}


def _data_frame(entries: HistoryList, parameters: Iterable[Parameter]) -> HistoryFrame:
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise ImportError("history: expected pandas for frame='pandas', got none; pip install pandas") from error
    labels = {parameter.name: parameter.labels for parameter in parameters}
    rows = []
    for entry in entries:
        theta: dict[str, Any] = {}
        for name, value in entry["theta"].items():
            if isinstance(value, list):
                names = labels.get(name, [f"{name}.{i}" for i in range(len(value))])
                theta |= dict(zip(names, value))
            else:
                theta[name] = value
        rows.append({**entry, "theta": theta})
    return pandas.json_normalize(rows)
