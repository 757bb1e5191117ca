"""A trainer on a page: which pixels show a car, by logistic regression. Copy it, and train what you like.

    npm run check-program -- --trainer 'python3 env/programs/python/train.py {request}' --metric carIou=0..1 --deterministic

With the path of a request it trains once and ends. Without one it stays up, and trains for each line that it reads:
`--warm-trainer --trainer 'python3 env/programs/python/train.py'`. It needs numpy and Pillow. `trainerOptions`: `penalty`,
the weight of the squared coefficients (1).
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

CAR, VOID = 13, 255  # Cityscapes' train ids
STEPS = 8  # of Newton's method
EVERY = 7  # of the pixels that it learns from, one in so many
SURE = 0.3  # a pixel with at least this probability is called a car: cars are rare


def pixels_of(image):
    """What is known of each pixel, [numbers, pixels]: colour, that of its surroundings, place, and products of two of these."""
    around = image.filter(ImageFilter.BoxBlur(image.width // 24))
    colours = np.concatenate([np.asarray(picture).reshape(-1, 3).T for picture in (image, around)]) / 255 - 0.5
    y, x = np.mgrid[-0.5 : 0.5 : image.height * 1j, -0.5 : 0.5 : image.width * 1j].reshape(2, -1)
    known = np.stack([np.ones_like(x), x, y, *colours])  # products with the first are the values themselves
    first, second = np.triu_indices(len(known))
    return known[first] * known[second]


def read_set(folder):
    """The pixels of each image, [numbers, pixels], and whether they show a car; those of no class are left out."""
    for path in sorted(Path(folder, "images").iterdir()):
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")  # as the camera was held
        labels = Image.open(Path(folder, "labels", path.name).with_suffix(".png"))
        if labels.size != image.size:
            raise ValueError(f"{path}: expected labels of its size, {image.size}, got {labels.size}")
        ids = np.asarray(labels).ravel()
        yield pixels_of(image)[:, ids != VOID], ids[ids != VOID] == CAR


def probability(weights, pixels):
    return 1 / (1 + np.exp(-np.clip(weights @ pixels, -30, 30)))


def score(folder, weights):
    """The pixels that are called a car and are one, divided by those that are called one or are one."""
    both = either = 0
    for pixels, truth in read_set(folder):
        called = probability(weights, pixels) > SURE
        both, either = both + (called & truth).sum(), either + (called | truth).sum()
    return float(both / max(either, 1))


def train(request):
    """Trains on the images of the request, scores on validation and test, and says how far it is."""
    images = [(pixels[:, ::EVERY], truth[::EVERY]) for pixels, truth in read_set(request["data"])]
    size, penalty = len(images[0][0]), request["options"].get("penalty", 1)
    weights = np.zeros(size)
    for step in range(STEPS):
        gradient, curvature = penalty * weights, penalty * np.eye(size)
        for pixels, truth in images:
            p = probability(weights, pixels)
            gradient += pixels @ (p - truth)
            curvature += pixels * (p * (1 - p)) @ pixels.T
        weights -= np.linalg.solve(curvature, gradient)
        line = {"fraction": (step + 1) / STEPS}
        if request["early_scores"] and step == STEPS // 2:
            line |= {"scored": True, "metrics": {"carIou": score(request["validation"], weights)}}
        with open(request["progress"], "a") as file:
            file.write(json.dumps(line) + "\n")
    result = {"scores": {"carIou": score(request["validation"], weights)}}
    if "test" in request:
        result["test_scores"] = {"carIou": score(request["test"], weights)}
    Path(request["out"], "result.json").write_text(json.dumps(result))


if len(sys.argv) > 1:
    train(json.loads(Path(sys.argv[1]).read_text()))
else:
    for line in sys.stdin:
        request = json.loads(line)
        train(request)
        print(json.dumps({"id": request["id"], "exit": 0}), flush=True)
