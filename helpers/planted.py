"""NN with a bug in its gradients, to see which checks of the gradients find it and what it costs."""

from functools import partial

import numpy as np

from helpers import mlp
from helpers.nn import NN, one_hot
from helpers.replay import in_file_order

load = mlp.load  # to predict, the gradients do not matter


class Planted(NN):
    """NN whose gradients have one of the bugs of configs.BUGS; the second layer must be square."""

    def __init__(self, *args, bug="none", **kwargs):
        super().__init__(*args, **kwargs)
        self.bug = bug

    def backward(self, cache, labels):
        """Return what NN.backward does, but for the bug."""
        if self.bug == "no mask of the ReLU":
            # Where each A_i is positive the derivative of the ReLU is 1.
            cache = cache | {f"A{i}": np.ones_like(cache[f"A{i}"]) for i in range(1, self.n_layers)}
        grads = super().backward(cache, labels)
        if self.bug == "a sign of dW2":
            grads["dW2"] = -grads["dW2"]
        elif self.bug == "dW2 transposed":
            grads["dW2"] = grads["dW2"].T
        elif self.bug == "biases divided twice":
            for i in range(1, self.n_layers + 1):
                grads[f"db{i}"] = grads[f"db{i}"] / len(labels)
        elif self.bug == "no db2":
            grads["db2"] = np.zeros_like(grads["db2"])
        elif self.bug == "dW1 doubled":
            grads["dW1"] = 2 * grads["dW1"]
        return grads


def build(config):
    """Return the network that `config` describes, in float32."""
    return mlp.build(config, partial(Planted, bug=config["bug"]))


def steps(config, dataset, lr):
    """Yield the network before its first step and after each one, without end; batches come in file order."""
    network = build(config)
    X, y = dataset.train.X, one_hot(dataset.train.y, len(dataset.classes)).astype(np.float32)
    network.initialize_weights((X.shape[1], y.shape[1]))
    yield from in_file_order(network, X, y, lr)
