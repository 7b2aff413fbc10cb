"""The perceptron as a model of the report: from a configuration to a trained NN."""

from itertools import count

import numpy as np

from helpers.fast import FastNN
from helpers.metrics import EPSILON
from helpers.nn import NN, one_hot

ARGUMENTS = ("hidden_dims", "lr", "batch_size", "seed", "activation", "init_method")  # of NN and configurations


def build(config, kind=NN):
    """Return the network that `config` describes, an NN or the subclass `kind`, in float32."""
    return kind(**{name: config[name] for name in ARGUMENTS}, epsilon=EPSILON, dtype=np.float32)


def load(config, weights):
    """Return the NN of `config` with these `weights`, ready to predict."""
    network = build(config)
    network.weights = dict(weights)
    return network


def steps(config, dataset, lr):
    """Yield the network of `config` before its first step of training on a Dataset and after each one, without end.

    Batches come in file order, or shuffled anew in each epoch.  `lr(step)` gives the learning rate of a step.
    """
    network = build(config, FastNN)
    X, y = dataset.train.X, one_hot(dataset.train.y, len(dataset.classes)).astype(np.float32)
    network.initialize_weights((X.shape[1], y.shape[1]))
    if config["perturbation"] is not None:
        _perturb(network.weights["W1"], config["perturbation"])
    yield network
    rng = np.random.default_rng([config["seed"], 1])  # of the order and of augmentation
    starts = range(0, len(X), config["batch_size"])
    for epoch in count():
        images, order = _augmented(X, config, rng), rng.permutation(len(X)) if config["shuffle"] else None
        for step, start in enumerate(starts, start=epoch * len(starts)):
            network.lr = lr(step)
            batch = slice(start, start + config["batch_size"])
            batch = batch if order is None else order[batch]
            network.step(images[batch], y[batch])
            yield network


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
