"""A simulator on a page: streets of boxes. Copy it, and draw what you like.

    npm run check-program -- --simulator 'python3 env/programs/python/street.py {request}' \
      --parameters env/programs/python/street.json

With the path of a request it draws one data set and ends. Without one it stays up, and draws one for each line that it
reads: `--warm-simulator --simulator 'python3 env/programs/python/street.py'`. It needs numpy only.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

ROAD, SIDEWALK, BUILDING, VEGETATION, SKY, CAR = 0, 1, 2, 8, 10, 13  # Cityscapes' train ids


def write_png(path, pixels):
    """Writes uint8 pixels, [height, width] or [height, width, 3]; with Pillow: Image.fromarray(pixels).save(path)."""
    height, width = pixels.shape[:2]
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def draw_street(theta, rng, width, height):
    """One street: colours, float [height, width, 3] from 0 to 1, and class ids, uint8 [height, width]."""
    image, labels = np.zeros((height, width, 3)), np.full((height, width), SKY, np.uint8)
    y, x = np.mgrid[:height, :width]
    horizon = height * np.clip(rng.normal(theta["horizon"], 0.03), 0.2, 0.8)
    image[:] = theta["skyBrightness"] * np.array([0.85, 0.93, 1.0])

    def paint(where, label, colour):
        image[where], labels[where] = colour, label

    for left in range(0, width, max(2, width // 8)):  # houses, and a tree before some of them
        right, top = left + width // 8, horizon * (1 - theta["buildingHeight"] * rng.uniform(0.5, 1.3))
        house = (x >= left) & (x < right) & (y >= top) & (y < horizon)
        paint(house, BUILDING, rng.uniform(0.2, 0.7) * rng.uniform(0.8, 1, 3))
        if rng.random() < theta["trees"]:
            crown = (x - rng.uniform(left, right)) ** 2 + (y - horizon * 0.8) ** 2 < (width * rng.uniform(0.03, 0.08)) ** 2
            paint(crown, VEGETATION, np.array([0.2, 0.35, 0.15]) * rng.uniform(0.5, 1.3))
    below = y >= horizon
    depth = np.clip((y - horizon) / (height - horizon), 0, 1)  # 0 at the horizon, 1 at our feet
    paint(below, SIDEWALK, (0.55, 0.53, 0.5))
    paint(below & (abs(x - width / 2) < width * (0.05 + 0.6 * depth)), ROAD, (theta["roadBrightness"],) * 3)

    for nearness in sorted(rng.uniform(0.05, 0.9, rng.poisson(theta["cars"]))):  # far cars first
        wide = width * theta["carSize"] * (0.1 + nearness) * rng.uniform(0.8, 1.2)
        middle = width / 2 + rng.choice([-1, 1]) * width * (0.05 + 0.35 * nearness)
        ground, high = horizon + nearness * (height - horizon), wide * rng.uniform(0.6, 0.8)
        across, up = abs(x - middle) / wide, (ground - y) / high  # within the car: below 1/2, and from 0 to 1
        body = (up >= 0.1) & (up < np.where(across < 0.38, 1, 0.6)) & (across < 0.5)
        wheels = (up >= 0) & (up < 0.25) & (across > 0.25) & (across < 0.42)
        paint(body, CAR, theta["carBrightness"] * rng.uniform(0.5, 1.2, 3))
        paint(body & (up > 0.62) & (across < 0.33), CAR, (0.12, 0.15, 0.18))
        paint(wheels, CAR, (0.05, 0.05, 0.05))

    image = image * rng.lognormal(0, 0.2) + rng.normal(0, theta["noise"], image.shape)
    return np.clip(image, 0, 1), labels


def draw_set(request):
    """Draws what the request asks for, and says how far it is."""
    out = Path(request["out"])
    for kind in ("images", "labels"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    for done in range(request["count"]):
        index = request["first"] + done
        rng = np.random.default_rng([request["seed"], index])  # the same image, whoever else is drawn
        image, labels = draw_street(request["theta"], rng, request["width"], request["height"])
        write_png(out / "images" / f"{index:06}.png", (image * 255).round().astype(np.uint8))
        write_png(out / "labels" / f"{index:06}.png", labels)
        with open(request["progress"], "a") as file:
            file.write(json.dumps({"fraction": (done + 1) / request["count"]}) + "\n")


if len(sys.argv) > 1:
    draw_set(json.loads(Path(sys.argv[1]).read_text()))
else:
    for line in sys.stdin:
        request = json.loads(line)
        draw_set(request)
        print(json.dumps({"id": request["id"], "exit": 0}), flush=True)
