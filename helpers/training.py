"""Training: from a configuration to a Run and the trained weights, by the same steps for every model."""

import math
import time
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from itertools import islice

import numpy as np

from helpers import configs, data, keys, metrics
from helpers.schedules import rate
from helpers.store import HISTORY, Run


def model(name):
    """Return the module of a model, which has `build`, `load` and `steps`, and perhaps a `measure`."""
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
    images, history = dataset(config), new_history()
    n_steps = steps_per_epoch(config, images)
    # A loss that is no number is a result: see Run.diverged.
    with np.errstate(all="ignore"), closing(steps(config, images)) as trained:
        next(trained)
        started = time.perf_counter()
        for network in islice(trained, n_steps - 1, config["epochs"] * n_steps, n_steps):
            found = measure(config, network, images, last=len(history["seconds"]) + 1 == config["epochs"])
            record(history, found, time.perf_counter() - started)
            if callback is not None:
                callback(history)
            started = time.perf_counter()
    weights = network.weights
    return finished(config, images, history, found, weights), weights


def steps(config, images, lr=None):
    """Yield the network of `config` before its first step of training on `images` and after each one, without end.

    `lr(step)` gives the learning rate of a step; without it the configuration does.
    """
    n_steps = steps_per_epoch(config, images)
    return model(config["model"]).steps(config, images, lr or (lambda step: rate(config, step, n_steps)))


def steps_per_epoch(config, images):
    """Return the number of steps in which the training images of a Dataset are seen once."""
    return math.ceil(len(images.train) / config["batch_size"])


def measure(config, network, images, last):
    """Return the Evaluations that a model is followed by, by the names of the sets; see `metrics.measure`."""
    return getattr(model(config["model"]), "measure", metrics.measure)(network, images, last)


def new_history():
    """Return the history of a Run before its first epoch."""
    return {name: [] for name in HISTORY}


def record(history, found, seconds):
    """Add to a history what `measure` has found after an epoch, and the seconds that it took."""
    for name, values in history.items():
        split, _, what = name.partition("_")
        values.append(seconds if name == "seconds" else getattr(found.get(split), what, math.nan))


def finished(config, images, history, found, weights):
    """Return the Run of a training that is over, where `found` is what was measured last."""
    return Run(
        config=config,
        fingerprint=images.fingerprint,
        n_parameters=sum(int(w.size) for w in weights.values()),
        history=history,
        versions=keys.versions(config["model"]) | keys.machine(),
        shapes={name: list(w.shape) for name, w in weights.items()},
        wrong=found["valid"].wrong if "valid" in found else [],
    )


def network(config, weights):
    """Return the network of `config` with these `weights`; its method `predict(X)` gives probabilities (N, 10)."""
    config = configs.complete(config)
    return model(config["model"]).load(config, weights)
