"""What to open, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from .arguments import check_url, name_of, one_of, seconds, seed_number, shown
from .codec import Codec, plain


@dataclass(frozen=True, slots=True)
class Opening:
    """What to open, and how: the arguments of `connect`."""

    url: str
    env_id: str | None
    options: Mapping[str, Any]
    token: str | None
    seed: int | None
    session_file: str | None
    reconnect_for: float
    codec: Codec
    name: str


def opening_of(
    url: str,
    env_id: str | None,
    options: Mapping[str, Any] | None,
    token: str | None,
    seed: int | None,
    session_file: str | os.PathLike[str] | None,
    reconnect_for: float,
    codec: Codec,
    name: str,
) -> Opening:
    """:raises TypeError, ValueError: naming the argument that cannot be so"""
    check_url(url)
    if env_id is not None and not isinstance(env_id, str):
        raise TypeError(f"env_id: expected the id of an environment, such as 'TrafficCounting-v0', got {shown(env_id)}")
    if not isinstance(options, Mapping | None):
        raise TypeError(f"options: expected them by name, such as {{'preset': 'quick'}}, got {shown(options)}")
    one_of("codec", codec, *get_args(Codec))
    given = plain({} if options is None else options)
    token = os.environ.get("LTS_TOKEN") if token is None else token
    file = None if session_file is None else os.path.abspath(session_file)
    seed = None if seed is None else seed_number("seed", seed)
    patience = seconds("reconnect_for", reconnect_for)
    return Opening(str(url), env_id, given, token, seed, file, patience, codec, name_of("name", name))
