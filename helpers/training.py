"""Training: from a configuration to a Run and the trained weights, by the same steps for every model."""

from importlib import import_module

import numpy as np

from helpers import configs, data, keys
from helpers.store import HISTORY, Run


def model(name):
    """Return the module of a model, which has `build`, `load` and `train`."""
    return import_module(f"helpers.{name}")  # when it is asked for, since importing PyTorch takes seconds


def train(config, callback=None):
    """Return (Run, weights as a dict of arrays) of one configuration.

    `callback(history)` is called after each epoch with the history so far.
    """
    config = configs.complete(config)
    dataset = data.load(config["dataset"])
    history = {name: [] for name in HISTORY}

    def record(**measured):
        for name, value in measured.items():
            history.setdefault(name, []).append(float(value))
        if callback is not None:
            callback(history)

    with np.errstate(all="ignore"):  # a loss that is no number is a result: see Run.diverged
        weights = model(config["model"]).train(config, dataset, record)
    return Run(
        config=config,
        fingerprint=dataset.fingerprint,
        n_parameters=sum(int(w.size) for w in weights.values()),
        history=history,
        versions=keys.versions(config["model"]) | keys.machine(),
        shapes={name: list(w.shape) for name, w in weights.items()},
    ), weights


def network(config, weights):
    """Return the network of `config` with these `weights`; its method `predict(X)` gives probabilities (N, 10)."""
    config = configs.complete(config)
    return model(config["model"]).load(config, weights)
