"""The original as a model of the report: NN with the rule of update and the arithmetic of an earlier report.

Everything is in double precision, and one product of matrices follows the other as in the original, since the digits
that it printed are to be had again.
"""

import time

import numpy as np

from helpers.metrics import EPSILON
from helpers.nn import NN, one_hot

PERTURBATION = 1e-15  # relative change of every entry of W2
ARGUMENTS = ("hidden_dims", "activation", "lr", "batch_size", "seed", "init_method")  # of NN and configurations
BLOCK = 1000  # images evaluated at a time


class Original(NN):
    """NN with the original's rule of update: weights move by batch sums, biases by batch means, times lr / B."""

    def update(self, grads):
        """W <- W - (lr / B) n dW and b <- b - (lr / B) db, with n images in the batch and B = batch_size."""
        n = len(grads[f"dA{self.n_layers}"])
        for name, w in self.weights.items():
            w -= self.lr / self.batch_size * (n if name.startswith("W") else 1) * grads[f"d{name}"]

    def losses(self, X, y):
        """Return (clipped loss, unclipped loss, error) on images `X` and one-hot labels `y`, averaged at once."""
        blocks = np.split(X, range(BLOCK, len(X), BLOCK))
        scores = np.concatenate([self.forward(block)[f"A{self.n_layers}"] for block in blocks])
        unclipped = np.mean(np.logaddexp.reduce(scores, axis=1) - scores[y == 1])
        error = np.mean(scores.argmax(axis=1) != y.argmax(axis=1))
        return self.loss(self.softmax(scores), y), unclipped, error


def images(X):
    """The original's images: a pixel of brightness k is k / 256, in double precision, where `X` has k / 255."""
    return np.round(255 * X).astype(np.float64) / 256


def build(config, sets=None):
    """Return the network that `config` describes, with the training, validation and test `sets`, if given."""
    return Original(**{name: config[name] for name in ARGUMENTS}, epsilon=EPSILON, data=sets)


def initialize(network, perturbation):
    """Draw the initial weights; `perturbation` is a seed for changes of W2 by one part in 1e15, or None."""
    network.initialize_weights([array.shape[1] for array in network.train])
    if perturbation is not None:
        W = network.weights["W2"]
        W *= 1 + PERTURBATION * np.random.default_rng(perturbation).choice([-1, 1], W.shape)


def load(config, weights):
    """Return the network of `config` with these `weights`, ready to predict."""
    network = build(config)
    network.weights = dict(weights)
    return network


def pairs(dataset):
    """Return the training and the validation set as the original had them, {name: (images, one-hot labels)}."""
    splits = {"train": dataset.train, "valid": dataset.valid}
    return {name: (images(split.X), one_hot(split.y, len(dataset.classes))) for name, split in splits.items()}


def train(config, dataset, record):
    """Train on a Dataset in file order and return the weights, a dict of arrays.

    `record` is called after each epoch with the values of HISTORY and `unclipped_loss`, both of the set that
    `measured` names; loss and error of the other are nan.
    """
    sets = pairs(dataset)
    network = build(config, [sets["train"], sets["valid"], sets["valid"]])  # the test set has no part in it
    initialize(network, config["perturbation"])
    measured = config["measured"]
    unknown = dict.fromkeys(("train_loss", "train_error", "valid_loss", "valid_error"), np.nan)
    for _ in range(config["epochs"]):
        started = time.perf_counter()
        epoch(network)
        loss, unclipped, error = network.losses(*sets[measured])
        known = {f"{measured}_loss": loss, f"{measured}_error": error, "unclipped_loss": unclipped}
        record(**unknown | known, seconds=time.perf_counter() - started)
    return network.weights


def epoch(network):
    """Pass once over the training set of `network`, in file order."""
    X, y = network.train
    for start in range(0, len(X), network.batch_size):
        network.step(X[start : start + network.batch_size], y[start : start + network.batch_size])
