"""The convolutional network in PyTorch: its layers, its regularisers and its training."""

import math
import time
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from helpers.augment import moved
from helpers.data import SIDE, Split
from helpers.metrics import evaluate
from helpers.schedules import rate

BLOCK = 100  # images evaluated at a time; larger blocks leave the processor's caches
CURVE = 10_000  # images on which training loss and error are followed; see `train`


class CNN(nn.Sequential):
    """Layers that take images (N, 1, 28, 28) and give scores (N, 10)."""

    def scores(self, X):
        """Return what enters the softmax, an array (N, 10), for images `X` (N, 784) in float32."""
        device = next(self.parameters()).device
        self.eval()
        with torch.inference_mode():
            return torch.cat([self(block.to(device)) for block in _images(X).split(BLOCK)]).numpy(force=True)

    def predict(self, X):
        """Return the probabilities (N, 10), an array, that the network gives to images `X` (N, 784) in float32."""
        return torch.from_numpy(self.scores(X)).softmax(1).numpy()


def _images(X):
    return torch.from_numpy(X).reshape(-1, 1, SIDE, SIDE)


def network(fc1_units=500, dropout=(0.0, 0.0), dropblock=(0.0, 3), pooling=True, shared=True):
    """Return the report's convolutional network, with PyTorch's default initialisation.

    `dropout`: the probabilities of dropping a channel after the second pooling and a unit after fc1.
    `dropblock`: the probability of dropping an activation of conv3, in blocks, and the width of a block.
    A layer whose probability is 0 is left out.
    `pooling`: whether the maximum of each 2 x 2 window is taken, or else its first pixel.
    `shared`: whether the places of an image share their weights, or else each has kernels of its own.
    """
    channels, units = dropout
    pool = nn.MaxPool2d if pooling else Subsample2d

    def conv(n_in, n_out, kernel_size, side):
        return nn.Conv2d(n_in, n_out, kernel_size) if shared else LocallyConnected2d(n_in, n_out, kernel_size, side)

    # The maximum of a window and ReLU commute; pooling first leaves ReLU a quarter of the values.
    layers = [
        ("conv1", conv(1, 20, kernel_size=5, side=SIDE)),
        ("pool1", pool(2)),
        ("relu1", nn.ReLU(inplace=True)),
        ("conv2", conv(20, 30, kernel_size=4, side=12)),
        ("relu2", nn.ReLU(inplace=True)),
        ("conv3", conv(30, 40, kernel_size=3, side=9)),
        ("dropblock", DropBlock2d(*dropblock)),
        ("pool2", pool(2)),
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
    return network(**{name: config[name] for name in ("fc1_units", "dropout", "dropblock", "pooling", "shared")})


def load(config, weights):
    """Return the CNN of `config` with these `weights`, ready to predict."""
    trained = build(config)
    trained.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    return trained.eval()


def train(config, dataset, record):
    """Train on a Dataset by stochastic gradient descent on shuffled batches and return the weights, a dict of arrays.

    The seed rules initialisation, order and all noise.  With `patience` the weights are those of the epoch with the
    lowest validation loss; with `average` they are a running mean of those of the steps.  `record` is called after
    each epoch with the Evaluations of both sets and the seconds that the epoch took.  That of the training set is
    of the first CURVE images alone, but of all where the weights may be the ones to keep.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    curve = Split(dataset.train.X[:CURVE], dataset.train.y[:CURVE])
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(config["seed"])
        trained = build(config)
        if config["init_method"] == "glorot":
            trained.apply(_glorot)
        trained = trained.to(device, memory_format=torch.channels_last)
        X, y = _images(dataset.train.X).to(device), torch.from_numpy(dataset.train.y).to(device)
        for epoch, (network, seconds) in enumerate(_epochs(trained, config, X, y)):
            started = time.perf_counter()
            valid = evaluate(network, dataset.valid)
            losses.append(valid.loss)
            best = int(np.argmin(losses))
            keep = epoch == config["epochs"] - 1 if config["patience"] is None else epoch == best
            train = evaluate(network, dataset.train if keep else curve)
            if keep:
                weights = {name: tensor.numpy(force=True).copy() for name, tensor in network.state_dict().items()}
            record(train=train, valid=valid, seconds=seconds + time.perf_counter() - started)
            if config["patience"] is not None and epoch - best >= config["patience"]:
                break
    return weights


def _epochs(trained, config, X, y):
    """Pass over the images again and again; yield the network to evaluate and the seconds that each pass took."""
    optimizer = torch.optim.SGD(trained.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
    average = (
        AveragedModel(trained, multi_avg_fn=get_ema_multi_avg_fn(config["average"])) if config["average"] else None
    )
    n_steps = math.ceil(len(X) / config["batch_size"])
    for epoch in range(config["epochs"]):
        started = time.perf_counter()
        trained.train()
        if hasattr(trained, "dropblock"):
            trained.dropblock.progress = epoch / max(1, config["epochs"] - 1)
        batches = torch.randperm(len(X)).to(X.device).split(config["batch_size"])
        for step, batch in enumerate(batches, start=epoch * n_steps):
            optimizer.param_groups[0]["lr"] = rate(config, step, n_steps)
            scores = trained(_disturbed(X[batch], config))
            loss = functional.cross_entropy(scores, y[batch], label_smoothing=config["label_smoothing"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if average is not None:
                average.update_parameters(trained)
        yield trained if average is None else average.module, time.perf_counter() - started


def _glorot(layer):
    """Glorot's uniform distribution for the weights of a layer, if it has any, and zeros for its biases."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


def _disturbed(images, config):
    """The images (N, 1, 28, 28) turned, shifted and noisy as `config` says, each in its own way."""
    if config["shift"] or config["rotation"]:
        images = moved(images, config["shift"], config["rotation"])
    if config["noise"]:
        images = images + config["noise"] * torch.randn(images.shape).to(images)
    return images


class Subsample2d(nn.Module):
    """The first pixel of each square of `size` x `size` pixels, as in a pooling that does not look at the others."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        """Return `x` (N, channels, height, width) with every `size`th row and column; a rest is left out."""
        height, width = (side // self.size * self.size for side in x.shape[-2:])
        return x[..., : height : self.size, : width : self.size]


class LocallyConnected2d(nn.Module):
    """A convolution without shared weights: a kernel for each place of the image, drawn as PyTorch draws kernels."""

    def __init__(self, n_in, n_out, kernel_size, side):
        super().__init__()
        self.kernel_size, self.side = (kernel_size, kernel_size), side - kernel_size + 1
        bound = 1 / math.sqrt(n_in * kernel_size**2)
        shape = (self.side**2, n_in * kernel_size**2, n_out)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(self.side**2, 1, n_out).uniform_(-bound, bound))

    def forward(self, x):
        """Return scores (N, n_out, height, width) for `x` (N, n_in, side, side)."""
        patches = functional.unfold(x, self.kernel_size).permute(2, 0, 1)  # (places, N, n_in * kernel_size ** 2)
        places = torch.baddbmm(self.bias, patches, self.weight)
        return places.permute(1, 2, 0).reshape(len(x), -1, self.side, self.side)


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
