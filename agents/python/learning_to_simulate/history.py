"""Past evaluations, which the server keeps for 30 days after their session was closed."""

from __future__ import annotations

import importlib
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, overload

from .errors import ConnectionLost
from .kinds import Parameter
from .parameters import Parameters

HistoryList: TypeAlias = "list[dict[str, Any]]"
HistoryFrame: TypeAlias = "Any"
"""A `pandas.DataFrame`."""


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
    :param token: of an observer, if the server has one
    :param frame: `list`: dictionaries with the fields of a result, and `env_id`, `options`, `accepted_at`; `pandas`: a
        DataFrame with a column for each score and each component of θ
    :param parameters: of the environment, which name the columns of a simplex (`theta.weather.rain`, otherwise
        `theta.weather.3`)
    :raises ConnectionLost: when the server does not answer or refuses
    :raises ImportError: without pandas, for `pandas`
    """
    given = {"session": session, "env": env_id, "outcome": outcome, "limit": int(limit)}
    chosen = urllib.parse.urlencode({name: value for name, value in given.items() if value is not None})
    parts = urllib.parse.urlsplit(url)
    scheme = "https" if parts.scheme == "wss" else "http"
    address = f"{scheme}://{parts.netloc}/v1/history.jsonl?{chosen}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            entries = [json.loads(line) for line in response if line.strip()]
    except urllib.error.HTTPError as error:
        told = error.read(200).decode(errors="replace").strip()
        raise ConnectionLost(f"{address}: HTTP {error.code} {told}") from error
    except OSError as error:
        raise ConnectionLost(f"{address}: {error}") from error
    return _data_frame(entries, parameters or ()) if frame == "pandas" else entries


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
