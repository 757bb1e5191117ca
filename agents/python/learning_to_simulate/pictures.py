"""Pictures of samples, as the server draws them for people."""

from __future__ import annotations

import base64
import importlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .http import ask

Picture: TypeAlias = "npt.NDArray[np.uint8]"
"""sRGB, [height, width, 3]."""

_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures of one kind, one for each of some samples: images, labels, depth."""

    name: str
    meaning: str
    pictures: tuple[Picture, ...]
    captions: tuple[str, ...]
    """A few words for each; empty where there are none."""


def fetch_pictures(
    url: str, token: str | None, run: str, theta: Mapping[str, Any], seed: int, large: bool
) -> list[Strip]:
    """:raises ValueError: when they cannot be drawn, :raises ConnectionLost: when the server does not answer or refuses"""
    request = {"run": run, "theta": theta, "seed": seed, "large": large}
    answer = json.loads(b"".join(ask("pictures", url, token, "pictures", request, _SECONDS)))
    return [
        Strip(
            strip["name"],
            strip["meaning"],
            tuple(_decoded(picture["png"]) for picture in strip["pictures"]),
            tuple(picture.get("caption", "") for picture in strip["pictures"]),
        )
        for strip in answer["strips"]
    ]


def _decoded(png: str) -> Picture:
    try:
        image: Any = importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError("pictures: expected Pillow, which decodes them, got none; pip install pillow") from error
    return np.asarray(image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def sheet(strips: Sequence[Strip]) -> Picture:
    """One picture of all: a row for each strip, its samples side by side, black where rows are shorter."""
    rows = []
    for strip in strips:
        height = max(picture.shape[0] for picture in strip.pictures)
        rows.append(np.hstack([_padded(picture, height, picture.shape[1]) for picture in strip.pictures]))
    width = max(row.shape[1] for row in rows)
    return np.vstack([_padded(row, row.shape[0], width) for row in rows])


def _padded(picture: Picture, height: int, width: int) -> Picture:
    return np.pad(picture, ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0)))
