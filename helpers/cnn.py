"""The convolutional networks of the report, as definitions only: training them is the task of `training`."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional


def cnn(fc1_units=500, dropout=(0.0, 0.0), dropblock=(0.0, 3)):
    """Return the report's convolutional network, which takes images (N, 1, 28, 28) and gives scores (N, 10).

    `dropout`: the probabilities of dropping a channel after the second pooling and a unit after fc1.
    `dropblock`: the probability of dropping an activation of conv3, in blocks, and the width of a block.
    A layer whose probability is 0 is left out.  PyTorch's default initialisation.
    """
    channels, units = dropout
    # The maximum of a window and ReLU commute; pooling first leaves ReLU a quarter of the values.
    layers = [
        ("conv1", nn.Conv2d(1, 20, kernel_size=5)),
        ("pool1", nn.MaxPool2d(2)),
        ("relu1", nn.ReLU(inplace=True)),
        ("conv2", nn.Conv2d(20, 30, kernel_size=4)),
        ("relu2", nn.ReLU(inplace=True)),
        ("conv3", nn.Conv2d(30, 40, kernel_size=3)),
        ("dropblock", DropBlock2d(*dropblock)),
        ("pool2", nn.MaxPool2d(2)),
        ("relu3", nn.ReLU(inplace=True)),
        ("dropout1", nn.Dropout2d(channels)),
        ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(40 * 3 * 3, fc1_units)),
        ("relu4", nn.ReLU(inplace=True)),
        ("dropout2", nn.Dropout(units)),
        ("fc2", nn.Linear(fc1_units, 10)),
    ]
    return nn.Sequential(OrderedDict((name, layer) for name, layer in layers if getattr(layer, "p", 1)))


class DropBlock2d(nn.Module):
    """In training, set square blocks of each channel to zero and scale up what is left (Ghiasi, Lin and Le 2018).

    `p` is the share of activations to drop, `block_size` the width of a block.  `progress`, from 0 to 1, scales p:
    raised during training, it is the paper's schedule of the keep probability, which falls linearly from 1.
    """

    def __init__(self, p, block_size):
        super().__init__()
        self.p, self.block_size, self.progress = p, block_size, 1.0

    def forward(self, x):
        """Return `x` (N, channels, height, width) with blocks dropped; in evaluation or at progress 0, `x` itself."""
        if not self.training or not self.progress:
            return x
        size = self.block_size
        height, width = x.shape[-2:]
        # Equation 1 of the paper: blocks lie inside the channel, so their top left corners have fewer places.
        places = (height - size + 1) * (width - size + 1)
        gamma = self.p * self.progress / size**2 * (height * width / places)
        corners = torch.rand(*x.shape[:2], height - size + 1, width - size + 1, device=x.device) < gamma
        dropped = functional.max_pool2d(
            functional.pad(corners.to(x.dtype), [size - 1] * 4), kernel_size=size, stride=1
        )
        kept = 1 - dropped
        return x * kept * (kept.numel() / kept.sum().clamp(min=1))

    def extra_repr(self):
        """The parameters, as PyTorch prints a module."""
        return f"p={self.p}, block_size={self.block_size}"
