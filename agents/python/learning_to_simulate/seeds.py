"""The protocol's derivation of seeds (rule R2): MurmurHash3 of the text of the parts."""

from __future__ import annotations

from numbers import Integral

from .arguments import seed_number, shown

_MASK = 0xFFFF_FFFF


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed of its own for each list of parts: `derive_seed(7, "episode", 0)` is 2550420695.

    :param seed: 0 to 4,294,967,295
    :param parts: names and whole numbers
    :raises TypeError, ValueError: naming what cannot be so
    """
    seed = seed_number("seed", seed)
    for i, part in enumerate(parts):
        if not isinstance(part, (str, Integral)) or isinstance(part, bool):
            raise TypeError(f"parts[{i}]: expected a name or a whole number, got {shown(part)}")
    data = "/".join(str(part) for part in parts).encode()
    h = seed
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        h ^= _mixed(int.from_bytes(data[i : i + 4], "little"))
        h = (_rotated(h, 13) * 5 + 0xE6546B64) & _MASK
    if whole < len(data):
        h ^= _mixed(int.from_bytes(data[whole:], "little"))
    h ^= len(data)
    h = ((h ^ h >> 16) * 0x85EBCA6B) & _MASK
    h = ((h ^ h >> 13) * 0xC2B2AE35) & _MASK
    return h ^ h >> 16


def _rotated(x: int, bits: int) -> int:
    return (x << bits | x >> 32 - bits) & _MASK


def _mixed(k: int) -> int:
    return _rotated(k * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK
