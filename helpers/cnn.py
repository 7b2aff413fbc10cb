"""The convolutional network in PyTorch: its layers, its regularisers and its training."""

from collections import OrderedDict
from itertools import count, product

import torch
from torch import nn
from torch.nn import functional

from helpers import metrics
from helpers.augment import moved
from helpers.data import SIDE, Split

CURVE = 10_000  # images on which training loss and error are followed; see `measure`
BLOCK = 100  # images evaluated at a time; larger blocks leave the processor's caches


class CNN(nn.Sequential):
    """Layers that take images (N, 1, 28, 28) and give scores (N, 10)."""

    def scores(self, X):
        """Return what enters the softmax, an array (N, 10), for images `X` (N, 784) in float32."""
        device = next(self.parameters()).device
        self.eval()
        with torch.inference_mode():
            return torch.cat([self(block.to(device)) for block in images(X).split(BLOCK)]).numpy(force=True)

    def predict(self, X):
        """Return the probabilities (N, 10), an array, that the network gives to images `X` (N, 784) in float32."""
        return torch.from_numpy(self.scores(X)).softmax(1).numpy()

    @property
    def weights(self):
        """A copy of the weights, {name: array}."""
        return {name: tensor.numpy(force=True).copy() for name, tensor in self.state_dict().items()}


def images(X):
    """Return images `X` (N, 784) as a tensor (N, 1, 28, 28)."""
    return torch.from_numpy(X).reshape(-1, 1, SIDE, SIDE)


def network(fc1_units=500, dropout=(0.0, 0.0), pooling=True, shared=True):
    """Return the report's convolutional network, with PyTorch's default initialisation.

    `dropout`: the probabilities of dropping a channel after the second pooling and a unit after fc1.
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
    return network(**{name: config[name] for name in ("fc1_units", "dropout", "pooling", "shared")})


def load(config, weights):
    """Return the CNN of `config` with these `weights`, ready to predict."""
    trained = build(config)
    trained.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    return trained.eval()


def steps(config, dataset, lr):
    """Yield the network of `config` before its first step of training on a Dataset and after each one, without end.

    It is trained by stochastic gradient descent on shuffled batches.  The seed rules initialisation, order and all
    noise.  `lr(step)` gives the learning rate of a step.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        torch.manual_seed(config["seed"])
        network = build(config)
        if config["init_method"] == "glorot":
            network.apply(_glorot)
        network = network.to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"])
        X, y = images(dataset.train.X).to(device), torch.from_numpy(dataset.train.y).to(device)
        yield network
        orders = (torch.randperm(len(X)).to(device) for _ in count())
        batches = (batch for order in orders for batch in order.split(config["batch_size"]))
        for step, batch in enumerate(batches):
            network.train()
            optimizer.param_groups[0]["lr"] = lr(step)
            loss = functional.cross_entropy(network(_moved(X[batch], config)), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield network


def measure(network, dataset, last):
    """Return the Evaluations of a network after an epoch, {"train": ..., "valid": ...}.

    Before the `last` one that of the training set is of its first CURVE images alone.
    """
    train = dataset.train if last else Split(dataset.train.X[:CURVE], dataset.train.y[:CURVE])
    return {"train": metrics.evaluate(network, train), "valid": metrics.evaluate(network, dataset.valid)}


def _glorot(layer):
    """Glorot's uniform distribution for the weights of a layer, if it has any, and zeros for its biases."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, LocallyConnected2d):
        convolution = nn.Conv2d(*layer.arguments)
        _glorot(convolution)
        layer.take(convolution)


def _moved(batch, config):
    """A batch (N, 1, 28, 28) turned and shifted, each in its own way, if `config` says so."""
    if not (config["shift"] or config["rotation"]):
        return batch
    return moved(batch, config["shift"], config["rotation"])


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
    """A convolution that does not share its weights: a kernel for each place, all equal before training."""

    def __init__(self, n_in, n_out, kernel_size, side):
        super().__init__()
        self.arguments = n_in, n_out, kernel_size
        self.kernel_size, self.side = (kernel_size, kernel_size), side - kernel_size + 1
        self.weight = nn.Parameter(torch.empty(self.side**2, kernel_size**2 * n_in, n_out))
        self.bias = nn.Parameter(torch.empty(self.side**2, 1, n_out))
        self.take(nn.Conv2d(*self.arguments))

    def take(self, convolution):
        """Set the kernel of each place to that of an nn.Conv2d of the same arguments."""
        with torch.no_grad():
            self.weight.copy_(convolution.weight.permute(2, 3, 1, 0).flatten(end_dim=2))
            self.bias.copy_(convolution.bias)

    def forward(self, x):
        """Return scores (N, n_out, height, width) for `x` (N, n_in, side, side)."""
        rows, side = x.permute(2, 3, 0, 1).contiguous(), self.side
        offsets = product(range(self.kernel_size[0]), range(self.kernel_size[1]))
        windows = torch.cat([rows[i : i + side, j : j + side] for i, j in offsets], dim=3)
        places = torch.baddbmm(self.bias, windows.flatten(end_dim=1), self.weight)  # (side ** 2, N, n_out)
        return places.permute(1, 2, 0).reshape(len(x), -1, side, side)
