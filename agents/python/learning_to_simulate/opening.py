"""What to open, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    """:raises ValueError: for an url that cannot be one"""
    if not str(url).startswith(("ws://", "wss://")):
        raise ValueError(f"url: expected ws://… or wss://…, got {url}")
    given = plain({} if options is None else options)
    token = os.environ.get("LTS_TOKEN") if token is None else token
    file = None if session_file is None else os.path.abspath(session_file)
    seed = None if seed is None else int(seed)
    return Opening(str(url), env_id, given, token, seed, file, float(reconnect_for), codec, name)
