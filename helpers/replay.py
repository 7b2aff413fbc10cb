"""Replays: NN trained step by step in plain form, by a rule of update that need not be its own.

A rule is a subclass of NN with a method `losses(X, y)`, which returns (clipped loss, unclipped loss, error).
"""

import hashlib
import inspect
import json
import os
import platform
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from helpers import nn, runs
from helpers.training import HISTORY, Run

PERTURBATION = 1e-15  # relative change of every entry of W2
ARGUMENTS = ("hidden_dims", "activation", "lr", "batch_size", "seed", "init_method")


def replays(rule, dataset, sets, measured, configs):
    """Return the Runs of `configs` by `rule`, in order, in double precision; stored ones cost nothing.

    `sets`: "train" and "valid" as pairs of arrays (images, one-hot labels), made from the Dataset `dataset`.
    `measured`: which of the two is evaluated after each epoch; a Run's history has nan for the other, and the list
    `unclipped_loss` besides the usual ones.  A configuration may have `perturbation`, a seed that draws the signs
    of changes of W2 by one part in 1e15.  One thread per core, one run per thread.
    """
    content = hashlib.sha256(b"".join(hashlib.sha256(array).digest() for name in sets for array in sets[name]))
    names = [_name(rule, dataset, content.hexdigest(), measured, config) for config in configs]
    found = {name: runs.read(name) for name in names}
    missing = {name: config for name, config in zip(names, configs, strict=True) if found[name] is None}
    n_epochs = sum(config["epochs"] for config in missing.values())
    stop = threading.Event()
    with (
        tqdm(desc="replaying", total=n_epochs, unit="epoch", disable=not missing) as bar,
        threadpool_limits(1),  # a run per thread: the matrix products need none of their own
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        try:
            waiting = {
                pool.submit(_run, rule, dataset, sets, measured, config, bar, stop): name
                for name, config in missing.items()
            }
            for future in as_completed(waiting):
                name = waiting[future]
                found[name] = runs.write(name, future.result(), weights={})
        finally:  # an interrupt, too, ends the threads with the epoch that they are in
            stop.set()
            pool.shutdown(cancel_futures=True)
    return [found[name] for name in names]


def network(rule, sets, config):
    """Return the network that `config` describes, by `rule`, with its initial weights."""
    data = [sets[name] for name in ("train", "valid", "valid")]  # the test set has no part in it
    made = rule(**{name: config[name] for name in ARGUMENTS}, data=data, dtype=np.float64)
    made.initialize_weights([array.shape[1] for array in sets["train"]])
    if seed := config.get("perturbation"):
        W = made.weights["W2"]
        W *= 1 + PERTURBATION * np.random.default_rng(seed).choice([-1, 1], W.shape)
    return made


def epoch(network):
    """Pass once over the training set of `network`, in file order."""
    X, y = network.train
    for start in range(0, len(X), network.batch_size):
        batch = slice(start, start + network.batch_size)
        network.update(network.backward(network.forward(X[batch]), y[batch]))


def _run(rule, dataset, sets, measured, config, bar, stop):
    trained = network(rule, sets, config)
    history = {name: [] for name in (*HISTORY, "unclipped_loss")}
    for _ in range(config["epochs"]):
        if stop.is_set():
            raise KeyboardInterrupt
        started = time.perf_counter()
        epoch(trained)
        loss, unclipped, error = trained.losses(*sets[measured])
        row = {f"{measured}_loss": loss, f"{measured}_error": error, "unclipped_loss": unclipped}
        row["seconds"] = time.perf_counter() - started
        for name, values in history.items():
            values.append(float(row.get(name, np.nan)))
        bar.update()
    return Run(
        config={"model": "mlp", "dataset": dataset.name, "rule": rule.__name__, **config},
        fingerprint=dataset.fingerprint,
        n_parameters=sum(w.size for w in trained.weights.values()),
        history=history,
        versions={"numpy": version("numpy"), "python": platform.python_version()},
        shapes={name: list(w.shape) for name, w in trained.weights.items()},
    )


def _name(rule, dataset, content, measured, config):
    """A name with a hash of all that determines the numbers: configuration, arrays and source."""
    methods = [inspect.getsource(method) for method in vars(rule).values() if inspect.isfunction(method)]
    sources = [inspect.getsource(nn), inspect.getsource(sys.modules[__name__]), *methods]
    decisive = json.dumps([config, measured, content, sources], sort_keys=True)
    return f"replay-{dataset.name}-{hashlib.sha256(decisive.encode()).hexdigest()[:16]}"


def constant_predictor_losses(labels, n_classes, rate, batch_size, epochs):
    """Return the training loss after each epoch, (epochs,), of a network whose last bias alone can move.

    Each step adds to it `rate` times the class frequencies of a batch less the softmax of the bias; the images do
    not enter.  This is zero initialisation with ReLU: rate = lr.
    """
    one_hot = np.eye(n_classes)[labels]
    starts = range(0, len(labels), batch_size)
    frequencies = [one_hot[start : start + batch_size].mean(axis=0) for start in starts]
    b, losses = np.zeros(n_classes), []
    for _ in range(epochs):
        for frequency in frequencies:
            b += rate * (frequency - np.exp(b) / np.exp(b).sum())
        losses.append(np.log(np.exp(b).sum()) - b @ one_hot.mean(axis=0))
    return np.array(losses)


def constant_predictor_loss(time, frequencies):
    """Return the same loss at `time` = rate x steps in closed form, for class `frequencies` f near 1 / K.

    With f - 1 / K = d small, gradient flow db/dt = f - softmax(b) is linear: L = ln K - K/2 |d|^2 (1 - exp(-2t/K)).
    """
    K = len(frequencies)
    return np.log(K) + K / 2 * np.sum((np.asarray(frequencies) - 1 / K) ** 2) * np.expm1(-2 * np.asarray(time) / K)
