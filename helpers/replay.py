"""The original as a model of the report: NN with the rule of update and the arithmetic of an earlier report.

Everything is in double precision, and one product of matrices follows the other as in the original, since the digits
that it printed are to be had again.
"""

from itertools import cycle

import numpy as np

from helpers.metrics import EPSILON, Evaluation
from helpers.nn import NN, one_hot

PERTURBATION = 1e-15  # relative change of every entry of W2
ARGUMENTS = ("hidden_dims", "activation", "lr", "batch_size", "seed", "init_method")  # of NN and configurations


class Original(NN):
    """NN with the original's rule of update: weights move by batch sums, biases by batch means, times lr / B."""

    def update(self, grads):
        """W <- W - (lr / B) n dW and b <- b - (lr / B) db, with n images in the batch and B = batch_size."""
        n = len(grads[f"dA{self.n_layers}"])
        for name, w in self.weights.items():
            w -= self.lr / self.batch_size * (n if name.startswith("W") else 1) * grads[f"d{name}"]

    def measure(self, X, y):
        """Return the Evaluation on images `X` and one-hot labels `y`, the losses averaged over all at once."""
        scores = self.scores(X)
        unclipped = np.mean(np.logaddexp.reduce(scores, axis=1) - scores[y == 1])
        wrong = np.flatnonzero(scores.argmax(axis=1) != y.argmax(axis=1))
        return Evaluation(self.loss(self.softmax(scores), y), len(wrong) / len(X), unclipped, wrong.tolist())


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


def steps(config, dataset, lr):
    """Yield the network before its first step of training on a Dataset and after each one, without end."""
    sets = pairs(dataset)
    network = build(config, [sets["train"], sets["valid"], sets["valid"]])  # the test set has no part in it
    network.measured = config["measured"]
    initialize(network, config["perturbation"])
    yield from in_file_order(network, *network.train, lr)


def in_file_order(network, X, y, lr):
    """Yield an NN before its first step and after each one, without end; batches come in file order."""
    yield network
    starts = range(0, len(X), network.batch_size)
    for step, start in enumerate(cycle(starts)):
        network.lr = lr(step)
        network.step(X[start : start + network.batch_size], y[start : start + network.batch_size])
        yield network


def measure(network, dataset, last):
    """Return the Evaluation of the set that is `measured` after an epoch, on all its images, {name: Evaluation}."""
    return {network.measured: network.measure(*{"train": network.train, "valid": network.valid}[network.measured])}
