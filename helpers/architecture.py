"""What networks are made of: their layers, parameters and arithmetic."""

import math
from functools import cache
from itertools import pairwise

import pandas as pd

from helpers import configs, data, training, words
from helpers.tables import markdown


def n_parameters(config):
    """Return the number of parameters of the network that a complete configuration describes."""
    if config["model"] == "cnn":
        return _cnn_parameters(**{name: config[name] for name in ("fc1_units", "pooling", "shared")})
    return perceptron_parameters(config["hidden_dims"])


def perceptron_parameters(hidden_dims):
    """Return the number of parameters of a perceptron with these hidden layers, for images and ten classes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise((data.SIDE**2, *hidden_dims, data.N_CLASSES)))


@cache
def _cnn_parameters(**arguments):
    cnn = training.model("cnn")
    return sum(w.numel() for w in cnn.network(**arguments).parameters())


def units_for(config, n):
    """Return the number of units of fc1 with which the CNN of `config` has as nearly as may be `n` parameters."""
    one, two = (n_parameters(config | {"fc1_units": units}) for units in (1, 2))
    return 1 + round((n - one) / (two - one))


def untrained(config):
    """Return the perceptron of `config` as it is before its first step."""
    config = configs.complete(config)
    network = training.model(config["model"]).build(config)
    network.initialize_weights((data.SIDE**2, data.N_CLASSES))
    return network


def multiply_adds(run):
    """Return the multiplications, each with its addition, that the network of a Run makes for one image."""
    if run.config["model"] == "mlp":
        return sum(math.prod(shape) for name, shape in run.shapes.items() if name.startswith("W"))
    total, side = 0, data.SIDE
    for name, layer in training.model("cnn").build(run.config).named_children():
        if name.startswith("conv"):
            side -= layer.kernel_size[0] - 1
            total += layer.weight.numel() * side**2
        elif name.startswith("pool"):
            side //= 2
        elif name.startswith("fc"):
            total += layer.weight.numel()
    return total


def layers(network):
    """Return (name, kind, shape of the output, number of parameters) of each layer of a PyTorch Sequential.

    The module itself computes the output for one image; its shape comes as text, as in 20 × 24 × 24.
    """
    return [
        (name, layer.__class__.__name__, words.times(shape), n_parameters)
        for name, layer, _, shape, n_parameters in passed(network)
    ]


def passed(network):
    """Yield (name, layer, shapes of its input and its output for one image, number of parameters) of each layer."""
    import torch

    x = torch.zeros(1, 1, data.SIDE, data.SIDE)
    network.eval()
    for name, layer in network.named_children():
        before, x = x, layer(x)
        yield name, layer, before.shape[1:], x.shape[1:], sum(w.numel() for w in layer.parameters())


def table(network):
    """Return the `layers` of a PyTorch Sequential, with the sum of the parameters, as a Markdown table."""
    rows = layers(network)
    rows.append(("all", "", "", sum(row[-1] for row in rows)))
    return markdown(pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"]), parameters=",")


def savings(network):
    """Return the parameters of each convolution of a PyTorch Sequential, as a Markdown table.

    Beside it stand those of a locally connected layer with the same windows, which has weights of its own at each
    place, and those of a full connection between the same inputs and outputs.
    """
    rows = [
        (name, n_parameters, n_parameters * math.prod(after[1:]), (math.prod(before) + 1) * math.prod(after))
        for name, _, before, after, n_parameters in passed(network)
        if name.startswith("conv")
    ]
    columns = ["layer", "convolution", "without sharing", "without locality"]
    return markdown(pd.DataFrame(rows, columns=columns), convolution=",", without_sharing=",", without_locality=",")


def weight_shapes(run):
    """Return the shape and the number of entries of each weight of a Run, with their sum, as a Markdown table."""
    rows = [(name, words.times(shape), math.prod(shape)) for name, shape in run.shapes.items()]
    rows.append(("all", "", run.n_parameters))
    return markdown(pd.DataFrame(rows, columns=["array", "shape", "parameters"]), parameters=",")
