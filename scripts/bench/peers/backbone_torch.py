"""One contender of `bench backbone`: the network of env/tasks/backbone/efficientnet-lite0.ts in PyTorch, on one thread.

Usage: backbone_torch.py LAYOUT WIDTH HEIGHT BATCH SECONDS; LAYOUT is nchw or channels_last. Prints images per CPU second.
Its weights are random, with batch normalisation folded into them as ours is: they do not change the time.
"""

import sys
import time

import torch
from torch import nn

# blocks, size of the filter, stride of the first, expansion, channels
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
TAPS = (2, 4, 10, 15)


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, size: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [] if expansion == 1 else [conv(inputs, wide), nn.ReLU6(inplace=True)]
        layers += [conv(wide, wide, size, stride, wide), nn.ReLU6(inplace=True), conv(wide, outputs)]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) + x if self.residual else self.layers(x)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 32, 3, 2), nn.ReLU6(inplace=True))
        self.blocks = nn.ModuleList()
        inputs = 32
        for count, size, stride, expansion, outputs in STAGES:
            for i in range(count):
                self.blocks.append(Block(inputs, outputs, size, stride if i == 0 else 1, expansion))
                inputs = outputs

    def forward(self, x: torch.Tensor) -> list:
        x = self.stem(x)
        taps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in TAPS:
                taps.append(x)
        return taps


def main() -> None:
    layout, (width, height, batch, seconds) = sys.argv[1], map(float, sys.argv[2:])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    network = Network().to(memory_format=memory).eval()
    images = torch.randn(int(batch), 3, int(height), int(width)).contiguous(memory_format=memory)

    with torch.inference_mode():

        def measure(length: float) -> float:
            start = time.process_time()
            count = 0
            while time.process_time() - start < length:
                network(images)
                count += 1
            return count / (time.process_time() - start)

        measure(seconds / 10)
        print(int(batch) * measure(seconds))


main()
