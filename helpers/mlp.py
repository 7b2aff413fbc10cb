"""The perceptron as a model of the report: from a configuration to a trained NN."""

import time

import numpy as np

from helpers.fast import FastNN
from helpers.metrics import EPSILON, evaluate
from helpers.nn import NN, one_hot
from helpers.schedules import rate

ARGUMENTS = ("hidden_dims", "lr", "batch_size", "seed", "activation", "init_method")  # of NN and configurations


class Regularised(FastNN):
    """FastNN that drops hidden units and shrinks the weights as it learns.  Dropout is for ReLU alone."""

    def __init__(self, *args, dropout=0.0, weight_decay=0.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.dropout, self.weight_decay = dropout, weight_decay
        self.rng = np.random.default_rng(self.seed)
        self._learning = False

    def step(self, X, y):
        """Learn from one batch, each hidden unit dropped with probability `dropout`."""
        if self.weight_decay:
            for i in range(1, self.n_layers + 1):
                self.weights[f"W{i}"] *= 1 - self.lr * self.weight_decay
        self._learning = True
        super().step(X, y)
        self._learning = False

    def _activated(self, A, i):
        Z = super()._activated(A, i)
        if self._learning and self.dropout:
            # What is dropped is zero, as if its unit were inactive: its derivative is zero in any case.
            Z *= (self.rng.random(Z.shape, dtype=np.float32) >= self.dropout) / np.float32(1 - self.dropout)
        return Z

    def _through_activation(self, dZ, Z):
        dA = super()._through_activation(dZ, Z)
        if self.dropout:
            dA /= 1 - self.dropout
        return dA


def build(config, kind=NN, **arguments):
    """Return the network that `config` describes, an NN or a subclass with `arguments` of its own, in float32."""
    known = {name: config[name] for name in ARGUMENTS}
    return kind(**known, epsilon=EPSILON, dtype=np.float32, **arguments)


def load(config, weights):
    """Return the NN of `config` with these `weights`, ready to predict."""
    network = build(config)
    network.weights = dict(weights)
    return network


def train(config, dataset, record):
    """Train on a Dataset and return the weights, a dict of arrays.

    Batches come in file order, or shuffled anew in each epoch.  `record` is called after each epoch with the
    Evaluations of both sets and the seconds that the epoch took.
    """
    network = build(config, Regularised, dropout=config["dropout"], weight_decay=config["weight_decay"])
    X, y = dataset.train.X, one_hot(dataset.train.y, len(dataset.classes)).astype(np.float32)
    network.initialize_weights((X.shape[1], y.shape[1]))
    if config["perturbation"] is not None:
        _perturb(network.weights["W1"], config["perturbation"])
    rng = np.random.default_rng([config["seed"], 1])  # of the order and of augmentation
    starts = range(0, len(X), config["batch_size"])
    for epoch in range(config["epochs"]):
        started = time.perf_counter()
        images, order = _augmented(X, config, rng), rng.permutation(len(X)) if config["shuffle"] else None
        for step, start in enumerate(starts, start=epoch * len(starts)):
            network.lr = rate(config, step, len(starts))
            batch = slice(start, start + config["batch_size"])
            batch = batch if order is None else order[batch]
            network.step(images[batch], y[batch])
        train_set, valid_set = evaluate(network, dataset.train), evaluate(network, dataset.valid)
        record(train=train_set, valid=valid_set, seconds=time.perf_counter() - started)
    return network.weights


def _perturb(W, seed):
    """Change one weight by one unit in the last place, which is what another order of additions may do."""
    place = tuple(np.random.default_rng(seed).integers(W.shape))
    W[place] = np.nextafter(W[place], np.float32(np.inf))


def _augmented(X, config, rng):
    """The images of one epoch, each shifted and turned in its own way, if `config` says so."""
    if not (config["shift"] or config["rotation"]):
        return X
    from helpers import augment  # here, since importing PyTorch takes seconds

    return augment.moved_arrays(X, config["shift"], config["rotation"], int(rng.integers(2**31)))
