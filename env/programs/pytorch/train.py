"""A trainer in PyTorch: semantic segmentation of a folder of street images, on a GPU where there is one.

    npm run serve -- --simulator 'python3 env/programs/python/street.py {request}' \
      --parameters env/programs/python/street.json \
      --trainer 'python3 env/programs/pytorch/train.py {request}' \
      --metric softCarIou=0..1 --metric carIou=0..1 --metric meanIou=0..1 --data DIR

It needs torch and Pillow. With the path of a request it trains once and ends. Without one it stays up, and trains for
each line that it reads: `--warm-trainer --trainer 'python3 env/programs/pytorch/train.py'`; then PyTorch is loaded once.

Network, loss, schedule and scores are those of our own segmentation (env/tasks/segmentation/). It obeys the options
`steps`, `batchSize`, `learningRate`, `networkWidth` and `network`: `small` learns everything from the images;
`efficientnet-lite0` trains a head with cells of `cell` pixels, and at a tenth of the rate the last `finetune` blocks, on
the weights that `npm run setup:backbone` brings. The taps are always blocks 2, 4, 10 and 15.
"""

import functools
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.nn import functional as F

VOID = 255
CAR = 4
# sky, building, ground, vegetation, car, person, other: Cityscapes' train ids that each class merges
MERGED = [[10], [2, 3], [0, 1], [8, 9], [13, 14, 15, 16], [11, 12, 17, 18], [4, 5, 6, 7]]
CLASSES = len(MERGED)
CAR_WEIGHT = 2  # of a car's cell in the loss: cars are few, and the score is about them
GRID = 8  # the sides of what a network sees are multiples of this
AT_ONCE = 32  # images that are scored together
WEIGHTS = Path(__file__).resolve().parents[3] / ".backbone" / "efficientnet-lite0.f32"
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


# ---- Images -----------------------------------------------------------------------------------------------------------


def fitted(image: Image.Image, width: int, height: int, filter: Image.Resampling) -> np.ndarray:
    """An image, cropped around its centre to the aspect of width and height, and resized."""
    if image.size != (width, height):
        crop = min(image.width, round(image.height * width / height)), min(image.height, round(image.width * height / width))
        left, top = (image.width - crop[0]) // 2, (image.height - crop[1]) // 2
        image = image.crop((left, top, left + crop[0], top + crop[1])).resize((width, height), filter)
    return np.asarray(image)


def changed_last(folder: str) -> int:
    """When the newest file below a folder was written: a set is read again after that."""
    return max(path.stat().st_mtime_ns for path in Path(folder).rglob("*"))


@functools.lru_cache(maxsize=4)
def read_set(folder: str, width: int, height: int, changed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Images, uint8 [n, 3, height, width], and merged classes, uint8 [n, height, width], of a folder."""
    merged = np.full(256, VOID, np.uint8)
    for merged_id, ids in enumerate(MERGED):
        merged[ids] = merged_id
    paths = sorted(p for p in Path(folder, "images").iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        raise ValueError(f"{folder}/images: expected images, found none")
    images, labels = [], []
    for path in paths:
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")  # as a camera was held
        images.append(fitted(image, width, height, Image.Resampling.BILINEAR))
        ids = Image.open(Path(folder, "labels", f"{path.stem}.png"))
        if ids.mode not in ("L", "P"):
            raise ValueError(f"labels/{path.stem}.png: expected train ids, a number for each pixel, got {ids.mode}")
        if ids.size != image.size:
            raise ValueError(f"labels/{path.stem}.png: expected {image.size} as its image, got {ids.size}")
        labels.append(merged[fitted(ids, width, height, Image.Resampling.NEAREST)])
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return pixels.to(DEVICE), torch.from_numpy(np.stack(labels)).to(DEVICE)


def on_grid(images: torch.Tensor) -> tuple[int, int]:
    """Height and width, rounded up."""
    height, width = (math.ceil(side / GRID) * GRID for side in images.shape[2:])
    return height, width


def plain(images: torch.Tensor) -> torch.Tensor:
    """Images as they are, for a network: 0 to 1."""
    return F.interpolate(images.float() / 255, on_grid(images), mode="bilinear")


def uniform(low: float, high: float, *shape: int, random: torch.Generator) -> torch.Tensor:
    return (low + (high - low) * torch.rand(*shape, generator=random)).to(DEVICE)


def random_views(images: torch.Tensor, labels: torch.Tensor, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Crops of .7 to 1 of each side, mirrored half of the time; gamma, brightness and colours of their own.

    They are resized to sides that are multiples of GRID.
    """
    n, (height, width) = len(images), on_grid(images)
    colours = images.float() / 255
    zoom, mirror = uniform(0.7, 1, n, 2, random=random), torch.sign(uniform(-1, 1, n, random=random))
    place = uniform(-1, 1, n, 2, random=random) * (1 - zoom)
    zero = torch.zeros(n, device=DEVICE)
    rows = [torch.stack([zoom[:, 0] * mirror, zero, place[:, 0]], 1), torch.stack([zero, zoom[:, 1], place[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 3, height, width], align_corners=False)
    colours = F.grid_sample(colours, grid, padding_mode="border", align_corners=False)
    seen = F.grid_sample(labels[:, None].float(), grid, mode="nearest", padding_mode="border", align_corners=False)
    gamma, bright = (torch.exp(uniform(-1, 1, n, 1, 1, 1, random=random) * math.log(1.5)) for _ in range(2))
    tint = torch.exp(uniform(-1, 1, n, 3, 1, 1, random=random) * math.log(1.1))
    return colours.clamp(1e-4, 1) ** gamma * bright * tint, seen[:, 0].to(torch.uint8)


def standardised(colours: torch.Tensor) -> torch.Tensor:
    """Each image with the same brightness and contrast."""
    mean, deviation = colours.mean((1, 2, 3), keepdim=True), colours.std((1, 2, 3), keepdim=True)
    return (colours - mean) / (deviation + 1e-3)


def cells_of(labels: torch.Tensor, cell: int) -> torch.Tensor:
    """The most frequent class of each cell, int64 [n, height / cell, width / cell]; VOID where no pixel is labelled."""
    known = labels.long().clamp(max=CLASSES)
    shares = F.avg_pool2d(F.one_hot(known, CLASSES + 1)[..., :CLASSES].permute(0, 3, 1, 2).float(), cell)
    most, winner = shares.max(1)
    return torch.where(most > 0, winner, VOID)


# ---- Networks ---------------------------------------------------------------------------------------------------------


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1, padding: int = 0, dilation: int = 1) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, size, stride, padding, dilation, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Small(nn.Module):
    """From images to logits of cells of 4 × 4 pixels; a width of 1 is about 39 thousand weights."""

    def __init__(self, width: float) -> None:
        super().__init__()
        fine, coarse = max(4, 4 * round(6 * width)), max(4, 4 * round(9 * width))
        self.fine = nn.Sequential(conv(3, fine, 6, 4, 1), conv(fine, fine, 3, 1, 1))
        self.coarse = nn.Sequential(
            nn.PixelUnshuffle(2),
            conv(4 * fine, coarse),
            conv(coarse, coarse, 3, 1, 2, 2),
            conv(coarse, coarse, 3, 1, 4, 4),
            conv(coarse, 4 * fine),
            nn.PixelShuffle(2),
        )
        self.answer = nn.Sequential(conv(fine, fine), nn.Conv2d(fine, CLASSES, 1))

    def forward(self, colours: torch.Tensor) -> torch.Tensor:
        fine = self.fine(standardised(colours))
        return self.answer(self.coarse(fine) + fine)


class Folded(nn.Module):
    """A convolution of the backbone, with the padding of TensorFlow, on which its weights were trained."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int, depthwise: bool, activated: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, groups=inputs if depthwise else 1)
        self.activated = activated

    def load(self, numbers: np.ndarray) -> np.ndarray:
        """Takes its filter, [size, size, in, out], and its bias from flat numbers. Returns those that remain."""
        out, per_group, size, _ = self.conv.weight.shape
        depthwise = self.conv.groups > 1
        shape = (size, size, out, 1) if depthwise else (size, size, per_group, out)
        count = math.prod(shape)
        filter = numbers[:count].reshape(shape).transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        with torch.no_grad():
            self.conv.weight.copy_(torch.from_numpy(filter.copy()))
            self.conv.bias.copy_(torch.from_numpy(numbers[count : count + out].copy()))
        return numbers[count + out :]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size, stride = self.conv.kernel_size[0], self.conv.stride[0]
        pads = [max(0, (math.ceil(side / stride) - 1) * stride + size - side) for side in (x.shape[3], x.shape[2])]
        x = self.conv(F.pad(x, [pads[0] // 2, pads[0] - pads[0] // 2, pads[1] // 2, pads[1] - pads[1] // 2]))
        return F.relu6(x) if self.activated else x


class OnBackbone(nn.Module):
    """A head on four taps of EfficientNet-Lite0, whose last blocks are trained too."""

    STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
    TAPS = {2: 24, 4: 40, 10: 112, 15: 320}  # number of a block: its channels

    def __init__(self, width: float, cell: int, finetune: int) -> None:
        super().__init__()
        self.cell = cell
        self.stem = Folded(3, 32, 3, 2, False, True)
        self.blocks = nn.ModuleList()
        inputs = 32
        for count, size, stride, expansion, outputs in self.STAGES:
            for i in range(count):
                wide = inputs * expansion
                layers = [] if expansion == 1 else [Folded(inputs, wide, 1, 1, False, True)]
                layers += [Folded(wide, wide, size, stride if i == 0 else 1, True, True), Folded(wide, outputs, 1, 1, False, False)]
                self.blocks.append(nn.Sequential(*layers))
                inputs = outputs
        if not WEIGHTS.exists():
            raise ValueError(f"network efficientnet-lite0: expected its weights in {WEIGHTS}; npm run setup:backbone brings them")
        numbers = self.stem.load(np.fromfile(WEIGHTS, "<f4"))
        for block in self.blocks:
            for layer in block:
                numbers = layer.load(numbers)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        self.tuned = self.blocks[len(self.blocks) - finetune :] if finetune > 0 else nn.ModuleList()
        for parameter in self.tuned.parameters():
            parameter.requires_grad_(True)
        channels = max(4, 4 * round(16 * width))
        self.lifts = nn.ModuleList(conv(tap, channels) for tap in self.TAPS.values())
        self.answer = nn.Sequential(conv(channels, channels, 3, 1, 1), nn.Conv2d(channels, CLASSES, 1))

    def forward(self, colours: torch.Tensor) -> torch.Tensor:
        x = self.stem((colours * 255 - 127) / 128)
        grid = [side // self.cell for side in colours.shape[2:]]
        lifts, sum = iter(self.lifts), torch.zeros(1, device=colours.device)
        for number, block in enumerate(self.blocks):
            y = block(x)
            x = x + y if x.shape == y.shape else y
            if number in self.TAPS:
                sum = sum + F.interpolate(next(lifts)(x), grid, mode="bilinear")
        return self.answer(sum)


# ---- Training ---------------------------------------------------------------------------------------------------------


def measure_statistics(network: nn.Module, images: torch.Tensor) -> None:
    """Measures what batch normalisation needs, on some images as they are."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    network.train()
    with torch.no_grad():
        for some in images[:64].split(16):
            network(plain(some))


def scores_of(network: nn.Module, training: torch.Tensor, images: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """The metrics over all pixels of a set together."""
    measure_statistics(network, training)
    network.eval()
    confusion, shared, either = torch.zeros(CLASSES, CLASSES, dtype=torch.int64, device=DEVICE), 0.0, 0.0
    with torch.inference_mode():
        for some, truth in zip(images.split(AT_ONCE), labels.split(AT_ONCE)):
            chances = F.interpolate(network(plain(some)).softmax(1), truth.shape[1:], mode="bilinear")
            known = truth != VOID
            pairs = truth[known].long() * CLASSES + chances.argmax(1)[known]
            confusion += torch.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
            chance, is_car = chances[:, CAR][known].double(), truth[known] == CAR
            shared += chance[is_car].sum().item()
            either += is_car.sum().item() + chance[~is_car].sum().item()
    network.train()
    hits, truths = confusion.diag().double(), confusion.sum(1).double()
    ious = hits / (truths + confusion.sum(0) - hits)
    if truths[CAR] == 0:
        raise ValueError("expected a car in the scored images, found none")
    return {"softCarIou": shared / either, "carIou": ious[CAR].item(), "meanIou": ious[truths > 0].mean().item()}


def train(request: dict) -> None:
    """Trains as the request says, and writes result.json."""
    named = [path for path in (Path(request["validation"]), Path(request["validation"]).parent) if (path / "classes.json").exists()]
    if named:
        raise ValueError(f"{named[0]}/classes.json: expected Cityscapes' train ids, since this trainer knows streets only")
    options, seeds = request["options"], request["seeds"]
    steps, batch = options.get("steps", 250), options.get("batchSize", 8)
    size = request["width"], request["height"]

    def known_set(folder: str) -> tuple[torch.Tensor, torch.Tensor]:
        return read_set(folder, *size, changed_last(folder))

    images, labels = read_set.__wrapped__(request["data"], *size)
    torch.manual_seed(seeds["initialisation"])
    width, on_backbone = options.get("networkWidth", 1), options.get("network") == "efficientnet-lite0"
    cell = options.get("cell", 4) if on_backbone else 4
    network = (OnBackbone(width, cell, options.get("finetune", 0)) if on_backbone else Small(width)).to(DEVICE)
    network.train()
    slow = {id(parameter) for parameter in network.tuned.parameters()} if on_backbone else set()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    peak = options.get("learningRate", 0.01)
    groups = [{"params": [p for p in trained if (id(p) in slow) is tuned]} for tuned in (False, True)]
    rates = [peak, peak / 10]
    optimiser = torch.optim.AdamW([g for g in groups if g["params"]], lr=peak, betas=(0.9, 0.99), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [r for r, g in zip(rates, groups) if g["params"]], steps + 1, pct_start=0.25, cycle_momentum=False
    )
    weights = torch.ones(CLASSES, device=DEVICE)
    weights[CAR] = CAR_WEIGHT
    random = torch.Generator().manual_seed(seeds["order"])
    order: list[int] = []
    with open(request["progress"], "a") as progress:
        for step in range(steps):
            while len(order) < batch:
                order += torch.randperm(len(images), generator=random).tolist()
            chosen, order = torch.tensor(order[:batch], device=DEVICE), order[batch:]
            colours, truth = random_views(images[chosen], labels[chosen], random)
            logits = network(colours)
            loss = F.cross_entropy(logits, cells_of(truth, cell), weights, ignore_index=VOID)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            done = (step + 1) / steps
            if (step + 1) % 10 == 0 or done == 1:
                line = {"fraction": done, "metrics": {"loss": loss.item()}}
                if request["early_scores"] and (step + 1) % max(10, 10 * round(steps / 40)) == 0 and done < 1:
                    scores = scores_of(network, images, *known_set(request["validation"]))
                    line = {**line, "metrics": scores, "scored": True}
                if math.isfinite(sum(line["metrics"].values())):
                    progress.write(json.dumps(line) + "\n")
                    progress.flush()
    sets = {"scores": "validation", "test_scores": "test"}
    result = {name: scores_of(network, images, *known_set(request[of])) for name, of in sets.items() if of in request}
    Path(request["out"], "result.json").write_text(json.dumps(result))


if len(sys.argv) > 1:
    train(json.loads(Path(sys.argv[1]).read_text()))
else:
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            train(asked)
            answer = {"id": asked["id"], "exit": 0}
        except Exception as error:
            answer = {"id": asked["id"], "exit": 1, "reason": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
