"""Training: from a configuration to a Run and the trained weights, by the same steps for every model."""

import math
from dataclasses import replace
from importlib import import_module

import numpy as np

from helpers import configs, data, keys
from helpers.store import HISTORY, Run


def model(name):
    """Return the module of a model, which has `build`, `load` and `train`."""
    return import_module(f"helpers.{name}")  # when it is asked for, since importing PyTorch takes seconds


def dataset(config):
    """Return the Dataset that `config` names, its pixels in the order that `permutation` draws, if it is a seed."""
    found = data.load(config["dataset"])
    if config.get("permutation") is None:
        return found
    order = np.random.default_rng(config["permutation"]).permutation(data.SIDE**2)
    splits = (replace(split, X=split.X[:, order]) for split in (found.train, found.valid, found.test))
    return replace(found, **dict(zip(("train", "valid", "test"), splits, strict=True)))


def train(config, callback=None):
    """Return (Run, weights as a dict of arrays) of one configuration.

    `callback(history)` is called after each epoch with the history so far.
    """
    config = configs.complete(config)
    images = dataset(config)
    history, misread = {name: [] for name in HISTORY}, []

    def record(seconds, train=None, valid=None):
        measured = {"train": train, "valid": valid}
        for name, values in history.items():
            split, _, what = name.partition("_")
            values.append(seconds if name == "seconds" else getattr(measured[split], what, math.nan))
        misread[:] = [] if valid is None else valid.wrong
        if callback is not None:
            callback(history)

    with np.errstate(all="ignore"):  # a loss that is no number is a result: see Run.diverged
        weights = model(config["model"]).train(config, images, record)
    run = Run(
        config=config,
        fingerprint=images.fingerprint,
        n_parameters=sum(int(w.size) for w in weights.values()),
        history=history,
        versions=keys.versions(config["model"]) | keys.machine(),
        shapes={name: list(w.shape) for name, w in weights.items()},
        wrong=misread,
    )
    return run, weights


def network(config, weights):
    """Return the network of `config` with these `weights`; its method `predict(X)` gives probabilities (N, 10)."""
    config = configs.complete(config)
    return model(config["model"]).load(config, weights)
