"""What callers give, checked before anything is sent, and named in their words: `seeds[2]: expected …, got 1.5`.

A value of another type is a TypeError, a value that breaks a rule a ValueError.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection, Mapping, Set
from numbers import Real
from typing import Any
from urllib.parse import urlsplit

GREATEST_SEED = 0xFFFF_FFFF
_LONGEST_DEADLINE = 2_147_483.647
"""Seconds; its milliseconds are the greatest 32-bit integer."""
_NAME = re.compile("[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}")


def scalar(value: Any) -> Any:
    """A scalar of numpy, or of another library with arrays, as Python's own."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def shown(value: Any) -> str:
    """A value as code, cut where it is long."""
    return reprlib.repr(value)


def is_list(values: Any) -> bool:
    """Whether it is a list of values or the like, such as an array; not one value, such as a string or a map."""
    one = isinstance(values, (str, bytes, Mapping, Set)) or getattr(values, "ndim", 1) == 0
    return isinstance(values, Collection) and not one


def is_number(value: Any) -> bool:
    """Whether it is a number; not one in a string, nor True."""
    return isinstance(value, Real) and not isinstance(value, bool)


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """A whole number from `low` to `high` (None: any); 3.0 is one too."""
    rule = f"{name}: expected a whole number from {low}{'' if high is None else f' to {high}'}"
    given = scalar(value)
    if not is_number(given):
        raise TypeError(f"{rule}, got {shown(given)}")
    if given % 1 != 0 or given < low or (high is not None and given > high):  # NaN % 1 is NaN
        raise ValueError(f"{rule}, got {shown(given)}")
    return int(given)


def seed_number(name: str, value: Any) -> int:
    return whole_number(name, value, 0, GREATEST_SEED)


def seconds(name: str, value: Any, low: float = 0.0, high: float | None = None) -> float:
    rule = f"{name}: expected seconds, a number from {low:g}{'' if high is None else f' to {high}'}"
    given = scalar(value)
    if not is_number(given):
        raise TypeError(f"{rule}, got {shown(given)}")
    if not given >= low or (high is not None and given > high):  # nor is NaN
        raise ValueError(f"{rule}, got {shown(given)}")
    return float(given)


def deadline_seconds(value: Any) -> float:
    return seconds("deadline", value, 0.001, _LONGEST_DEADLINE)


def name_of(name: str, value: Any) -> str:
    """A name as the protocol takes it (rule T7); a whole number stands for its digits."""
    rule = f"{name}: expected a name of 1 to 128 characters, none of them a control character"
    given = scalar(value)
    if not isinstance(given, (str, int)) or isinstance(given, bool):
        raise TypeError(f"{rule}, got {shown(given)}")
    text = str(given)
    # The server counts as JavaScript does, where some characters are two.
    if not _NAME.fullmatch(text) or len(text.encode("utf-16-le")) > 2 * 128:
        raise ValueError(f"{rule}, got {shown(text)}")
    return text


def check_url(url: str) -> None:
    """:raises ValueError: when a socket cannot be opened there"""
    try:
        parts = urlsplit(str(url))
        right = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:  # from `port`, which says so when it is asked
        right = False
    if not right:
        raise ValueError(f"url: expected ws://HOST:PORT or wss://HOST:PORT, got {shown(str(url))}")


def one_of(name: str, value: Any, *choices: str) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected {' or '.join(map(repr, choices))}, got {shown(value)}")


def refuse_misnamed(function: str, given: Mapping[str, Any], right: Mapping[str, str]) -> None:
    """Refuses arguments that a function does not have. `right`: those of a function like it, and what is meant here."""
    for name in given:
        raise TypeError(f"{function}: expected {right.get(name, 'no such argument')}, got the argument {name}")
