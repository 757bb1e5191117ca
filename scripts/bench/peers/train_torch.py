"""One contender of `bench train`: the network of env/tasks/segmentation/network.ts in PyTorch, on one thread or on a GPU.

Usage: train_torch.py LAYOUT WIDTH HEIGHT BATCH SECONDS; LAYOUT is nchw or channels_last, and prints images per CPU second;
or cuda, which is nchw on a GPU and prints images per second of the clock.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 7


def conv(inputs: int, outputs: int, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(conv(3, 24, 6, 4, 1), conv(24, 24, 3, 1, 1))
        self.coarse = nn.Sequential(
            nn.PixelUnshuffle(2),
            conv(96, 36, 1),
            conv(36, 36, 3, 1, 2, 2),
            conv(36, 36, 3, 1, 4, 4),
            conv(36, 96, 1),
            nn.PixelShuffle(2),
        )
        self.answer = nn.Sequential(conv(24, 24, 1), nn.Conv2d(24, CLASSES, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        fine = self.fine(images)
        return self.answer(self.coarse(fine) + fine)


def main() -> None:
    layout, (width, height, batch, seconds) = sys.argv[1], map(float, sys.argv[2:])
    device = torch.device("cuda" if layout == "cuda" else "cpu")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    network = Network().to(device, memory_format=memory).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    images = torch.randn(int(batch), 3, int(height), int(width)).contiguous(memory_format=memory).to(device)
    labels = torch.randint(CLASSES, (int(batch), int(height) // 4, int(width) // 4)).to(device)

    def steps(count: int) -> None:
        for _ in range(count):
            loss = F.cross_entropy(network(images), labels)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()

    def now() -> float:
        if device.type == "cpu":
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    steps(30)
    start = now()
    done = 0
    while now() - start < seconds:
        steps(20)
        done += 20 * int(batch)
    print(done / (now() - start))


main()
