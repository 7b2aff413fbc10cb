"""What goes on in a network: its layers' values and gradients, units that are dead, what it finds hard."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers import cnn
from helpers.data import N_CLASSES, SIDE
from helpers.nn import NN, one_hot

N_IMAGES = 200  # on which the layers are looked at
PATCH = 4  # pixels of the side of the square that `evidence` blots out


class Layer(NamedTuple):
    """One layer with weights, on some images."""

    name: str
    A: np.ndarray  # its pre-activations; the units or channels are axis 1
    dA: np.ndarray  # the gradient of each image's own loss in them

    @property
    def dead(self):
        """The share of the units, or channels, that a ReLU leaves at zero on every image."""
        active = self.A.swapaxes(0, 1).reshape(self.A.shape[1], -1) > 0
        return float(np.mean(~active.any(axis=1)))


def layers(network, split):
    """Return the Layers of an NN or a CNN, first to last, on the first N_IMAGES images of a Split."""
    X, y = split.X[:N_IMAGES], split.y[:N_IMAGES]
    if isinstance(network, NN):
        cache = network.forward(X)
        grads = network.backward(cache, one_hot(y, N_CLASSES))
        return [Layer(f"layer {i}", cache[f"A{i}"], grads[f"dA{i}"]) for i in range(1, network.n_layers + 1)]
    network.eval()
    found = {name: x for name, layer, x in _passed(network, X) if hasattr(layer, "weight")}
    loss = functional.cross_entropy(list(found.values())[-1], torch.from_numpy(y), reduction="sum")
    grads = torch.autograd.grad(loss, list(found.values()))
    arrays = (tensor.numpy(force=True) for tensor in grads)
    return [Layer(name, x.numpy(force=True), dA) for (name, x), dA in zip(found.items(), arrays, strict=True)]


def feature_maps(network, image):
    """Return what the ReLUs of a CNN's convolutions make of an image (784,), {name: (channels, height, width)}."""
    network.eval()
    with torch.inference_mode():
        passed = list(_passed(network, image[None]))
    maps = (x for _, layer, x in passed if isinstance(layer, nn.ReLU) and x.ndim == 4)
    return {f"after conv{i}": x[0].numpy() for i, x in enumerate(maps, start=1)}


def _passed(network, X):
    """Yield (name, layer, its output) of a CNN for images (N, 784), none of them overwritten by a later layer."""
    x = cnn.images(X)
    for name, layer in network.named_children():
        x = x.relu() if isinstance(layer, nn.ReLU) else layer(x)
        yield name, layer, x


def stages(network):
    """Return (name, sides of a unit's window or None, shape of the output) of a CNN's image and its layers, in order.

    Layers that leave the shape as it is, or only write it in another way, are left out.
    """
    network.eval()
    found = [("image", None, (1, SIDE, SIDE))]
    with torch.inference_mode():
        for name, layer, x in _passed(network, np.zeros((1, SIDE**2), np.float32)):
            window = getattr(layer, "kernel_size", None)
            if window or isinstance(layer, nn.Linear):
                found.append((name, (window, window) if isinstance(window, int) else window, tuple(x.shape[1:])))
    return found


def moved(before, after):
    """Return how far each matrix of an NN is from where it was before, {name: share of the length it had}."""
    return {
        name: float(np.linalg.norm(after.weights[name] - w) / np.linalg.norm(w))
        for name, w in before.weights.items()
        if name.startswith("W")
    }


def first_weights(network):
    """Return the weights of each unit of an NN's first layer (units, 28, 28), or a CNN's first kernels (20, 5, 5)."""
    if isinstance(network, NN):
        return network.weights["W1"].T.reshape(-1, SIDE, SIDE)
    return network.conv1.weight.numpy(force=True)[:, 0]


def hardest(network, split, n=10):
    """Return (index, predicted class, probability of the right class) of the `n` images of a Split with most loss."""
    p = network.predict(split.X)
    of_right = p[np.arange(len(split)), split.y]
    order = np.argsort(of_right, kind="stable")[:n]
    return [(int(i), int(p[i].argmax()), float(of_right[i])) for i in order]


def evidence(network, image):
    """Return (class, map (28, 28)): what each pixel of an image (784,) adds to the network's answer.

    A black square of PATCH x PATCH pixels is put on each place in turn.  A pixel's value is by how much, in the mean
    over the squares that cover it, the logarithm of the answer's probability falls; what is negative speaks against
    the answer.  (Occlusion, as in Zeiler and Fergus 2014, section 4.2.)
    """
    corners = [(row, column) for row in range(SIDE - PATCH + 1) for column in range(SIDE - PATCH + 1)]
    covered = np.repeat(image.reshape(1, SIDE, SIDE), len(corners) + 1, axis=0)
    for one, (row, column) in zip(covered[1:], corners, strict=True):
        one[row : row + PATCH, column : column + PATCH] = 0
    changed = np.flatnonzero((covered != covered[0]).any(axis=(1, 2)))
    images = np.r_[covered[:1], covered[changed]].reshape(-1, SIDE**2)
    p = np.log(np.maximum(network.predict(images), 1e-12))
    answer, falls = int(p[0].argmax()), np.zeros(len(covered))
    falls[changed] = p[0, answer] - p[1:, answer]
    total, times = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for fall, (row, column) in zip(falls[1:], corners, strict=True):
        total[row : row + PATCH, column : column + PATCH] += fall
        times[row : row + PATCH, column : column + PATCH] += 1
    return answer, total / times
