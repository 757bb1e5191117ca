"""Messages as bytes: `lts.v1.msgpack` or `lts.v1.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgpack
import numpy as np

Codec = Literal["msgpack", "json"]


def plain(value: Any) -> Any:
    """A value of numpy as Python's; the encoders call it for what they do not know."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"message: expected numbers, strings, lists and maps, got {type(value).__name__}")


def to_json(value: Any) -> str:
    return json.dumps(value, default=plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def encode(codec: Codec, message: Mapping[str, Any]) -> bytes | str:
    if codec == "json":
        return to_json(message)
    packed: bytes = msgpack.packb(message, default=plain)
    return packed


def size_of(frame: bytes | str) -> int:
    """In bytes."""
    return len(frame) if isinstance(frame, bytes) else len(frame.encode())


def decode(frame: bytes | str) -> dict[str, Any]:
    """:raises ValueError: when the frame holds no message"""
    message = json.loads(frame) if isinstance(frame, str) else msgpack.unpackb(frame)
    if not isinstance(message, dict) or not isinstance(message.get("t"), str):
        raise ValueError("expected a map with the field t")
    return message
