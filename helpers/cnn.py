"""The convolutional network in PyTorch: its layers, its regularisers and its training."""

import math
import time
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.data import SIDE, Split
from helpers.metrics import evaluate

BLOCK = 100  # images evaluated at a time; larger blocks leave the processor's caches
CURVE = 10_000  # images on which training loss and error are followed; see `train`


class CNN(nn.Sequential):
    """Layers that take images (N, 1, 28, 28) and give scores (N, 10)."""

    def predict(self, X):
        """Return the probabilities (N, 10), an array, that the network gives to images `X` (N, 784) in float32."""
        device = next(self.parameters()).device
        self.eval()
        with torch.inference_mode():
            blocks = _images(X).split(BLOCK)
            return torch.cat([self(block.to(device)) for block in blocks]).softmax(1).numpy(force=True)


def _images(X):
    return torch.from_numpy(X).reshape(-1, 1, SIDE, SIDE)


def network(fc1_units=500, dropout=(0.0, 0.0), dropblock=(0.0, 3)):
    """Return the report's convolutional network, with PyTorch's default initialisation.

    `dropout`: the probabilities of dropping a channel after the second pooling and a unit after fc1.
    `dropblock`: the probability of dropping an activation of conv3, in blocks, and the width of a block.
    A layer whose probability is 0 is left out.
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
    return CNN(OrderedDict((name, layer) for name, layer in layers if getattr(layer, "p", 1)))


def build(config):
    """Return the CNN that `config` describes, untrained."""
    return network(**{name: config[name] for name in ("fc1_units", "dropout", "dropblock")})


def load(config, weights):
    """Return the CNN of `config` with these `weights`, ready to predict."""
    trained = build(config)
    trained.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    return trained.eval()


def train(config, dataset, record):
    """Train on a Dataset by stochastic gradient descent on shuffled batches and return the weights, a dict of arrays.

    The seed rules initialisation, order and all noise.  With `patience` the weights are those of the epoch with the
    lowest validation loss.  `record` is called after each epoch with the values of HISTORY.  Its training loss and
    error are those of the first CURVE images, but those of all images where the weights may be the ones to keep.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    curve = Split(dataset.train.X[:CURVE], dataset.train.y[:CURVE])
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(config["seed"])
        trained = build(config).to(device, memory_format=torch.channels_last)
        epochs = _epochs(
            trained, config, _images(dataset.train.X).to(device), torch.from_numpy(dataset.train.y).to(device)
        )
        for epoch, seconds in enumerate(epochs):
            started = time.perf_counter()
            valid_loss, valid_error = evaluate(trained, dataset.valid)
            losses.append(valid_loss)
            best = int(np.argmin(losses))
            keep = epoch == config["epochs"] - 1 if config["patience"] is None else epoch == best
            train_loss, train_error = evaluate(trained, dataset.train if keep else curve)
            if keep:
                weights = {name: tensor.numpy(force=True).copy() for name, tensor in trained.state_dict().items()}
            record(
                train_loss=train_loss,
                train_error=train_error,
                valid_loss=valid_loss,
                valid_error=valid_error,
                seconds=seconds + time.perf_counter() - started,
            )
            if config["patience"] is not None and epoch - best >= config["patience"]:
                break
    return weights


def _epochs(trained, config, X, y):
    """Pass over the images again and again; yield the seconds that each pass took."""
    optimizer = torch.optim.SGD(trained.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
    slope = float(config["decay"]) / (math.ceil(len(X) / config["batch_size"]) * config["epochs"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - slope * step)
    for epoch in range(config["epochs"]):
        started = time.perf_counter()
        trained.train()
        if hasattr(trained, "dropblock"):
            trained.dropblock.progress = epoch / max(1, config["epochs"] - 1)
        for batch in torch.randperm(len(X)).to(X.device).split(config["batch_size"]):
            scores = trained(_disturbed(X[batch], config))
            loss = functional.cross_entropy(scores, y[batch], label_smoothing=config["label_smoothing"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        yield time.perf_counter() - started


def _disturbed(images, config):
    """The images (N, 1, 28, 28) turned, shifted and noisy as `config` says, each in its own way."""
    if config["shift"] or config["rotation"]:
        angle = torch.deg2rad(config["rotation"] * (2 * torch.rand(len(images)) - 1))
        # affine_grid measures in halves of the image.
        shift = config["shift"] / (SIDE / 2) * (2 * torch.rand(len(images), 2) - 1)
        rows = (angle.cos(), -angle.sin(), shift[:, 0], angle.sin(), angle.cos(), shift[:, 1])
        theta = torch.stack(rows, dim=1).reshape(-1, 2, 3).to(images)
        grid = functional.affine_grid(theta, images.shape, align_corners=False)
        images = functional.grid_sample(images, grid, align_corners=False)
    if config["noise"]:
        images = images + config["noise"] * torch.randn(images.shape).to(images)
    return images


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
