"""The perceptron as a model of the report: from a configuration to a trained NN."""

import time

import numpy as np

from helpers.fast import FastNN
from helpers.metrics import EPSILON
from helpers.nn import NN, one_hot

ARGUMENTS = ("hidden_dims", "lr", "batch_size", "seed", "activation", "init_method")  # of NN and configurations


def build(config, sets=None, kind=NN):
    """Return the network that `config` describes, an NN or a subclass, in float32.

    `sets`: training, validation and test set, each a pair (images, one-hot labels); random ones if left out.
    """
    return kind(**{name: config[name] for name in ARGUMENTS}, epsilon=EPSILON, data=sets, dtype=np.float32)


def load(config, weights):
    """Return the NN of `config` with these `weights`, ready to predict."""
    network = build(config)
    network.weights = dict(weights)
    return network


def train(config, dataset, record):
    """Train on a Dataset and return the weights, a dict of arrays.

    `record` is called after each epoch with the values of HISTORY, measured over the whole sets at its end.
    """
    n_classes = len(dataset.classes)
    splits = dataset.train, dataset.valid, dataset.test
    network = build(config, [(split.X, one_hot(split.y, n_classes)) for split in splits], FastNN)
    started = time.perf_counter()

    def tell(logs):
        nonlocal started
        now = time.perf_counter()
        record(
            train_loss=logs["train_loss"][-1],
            train_error=1 - logs["train_accuracy"][-1],
            valid_loss=logs["validation_loss"][-1],
            valid_error=1 - logs["validation_accuracy"][-1],
            seconds=now - started,
        )
        started = now

    network.train_loop(config["epochs"], callback=tell)
    return network.weights
