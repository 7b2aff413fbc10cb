"""A training to watch: it runs in a thread and can be paused, taken epoch by epoch, changed and stopped."""

import math
import threading
import time
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch.nn import functional

from helpers import augment, cnn, configs, data, keys, mlp, store, training
from helpers.fast import FastNN
from helpers.metrics import Evaluation, evaluate
from helpers.nn import one_hot
from helpers.schedules import rate

PROBE = 1000  # images of each set on which loss and error are followed between the ends of epochs
PERIOD = 0.4  # seconds between two points of the curves


class Point(NamedTuple):
    """What the network does at one moment of the training, on PROBE images of each set."""

    epoch: float  # passes over the training images so far, with fractions
    train: Evaluation
    valid: Evaluation


class Stopped(Exception):
    """The training was told to stop."""


class Live:
    """One training in a thread of its own.

    `changed(live)` is called in that thread after each point and each change of `state`, which is one of "loading",
    "running", "paused", "finished", "stopped", "diverged" and "failed"; then `error` says why.  `points` grows.
    `network` and `dataset` are there from the first point on.  `lr` may be set at any time.
    Raises ValueError, as `configs.complete` does, for a configuration that is not allowed.
    """

    def __init__(self, config, changed=lambda live: None):
        self.config = configs.complete(config)
        self.lr, self.state, self.error = self.config["lr"], "loading", ""
        self.points, self.history, self.run = [], {name: [] for name in store.HISTORY}, None
        self.network = self.dataset = None
        self.undisturbed = True  # whether the learning rate was left alone, so that the configuration says all
        self._changed = changed
        self._go, self._stop = threading.Event(), threading.Event()
        self._go.set()
        self._pause_at = math.inf  # epochs
        self._thread = threading.Thread(target=self._train, name="training", daemon=True)

    def start(self):
        """Begin, and return at once."""
        self._thread.start()

    def pause(self):
        """Hold the training after the step that it is in."""
        self._go.clear()

    def go_on(self, epochs=math.inf):
        """Go on, for this many epochs or to the end."""
        self._pause_at = self.epoch + epochs
        self._go.set()

    def stop(self, timeout=None):
        """End the training; return whether its thread has ended within `timeout` seconds."""
        self._stop.set()
        self._go.set()
        if self.alive and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self.alive

    @property
    def alive(self):
        """Whether the thread is there."""
        return self._thread.is_alive()

    @property
    def epoch(self):
        """The number of whole passes over the training images so far."""
        return len(self.history["seconds"])

    def keep(self):
        """Store the finished run where those of the report are, unless it is there; return whether it is now.

        A run whose learning rate was changed, or that did not finish, is not what its configuration says: it is not
        stored.
        """
        if self.run is None:
            return False
        name = keys.key(self.config)
        if store.read(name) is None:
            store.write(name, self.run, self._weights())
        return True

    def _train(self):
        try:
            with threadpool_limits(1), np.errstate(all="ignore"):  # a loss that is no number is a result
                torch.set_num_threads(1)
                self.dataset = data.load(self.config["dataset"])
                self._set("running")
                self._follow()
        except Stopped:
            self._set("stopped")
        except Exception as error:  # whatever went wrong is shown on the page
            self.error = str(error) or repr(error)
            self._set("failed")

    def _set(self, state):
        self.state = state
        self._changed(self)

    def _check(self):
        """Wait while the training is paused; raise Stopped where it is to end."""
        if not self._go.is_set():
            before = self.state
            self._set("paused")
            self._go.wait()
            if not self._stop.is_set():
                self._set(before)
        if self._stop.is_set():
            raise Stopped

    def _rate(self, step, n_steps):
        if self.lr != self.config["lr"]:
            self.undisturbed = False
        return rate(self.config | {"lr": self.lr}, step, n_steps)

    def _follow(self):
        steps = {"mlp": mlp_steps, "cnn": cnn_steps}[self.config["model"]]
        n_steps = math.ceil(len(self.dataset.train) / self.config["batch_size"])
        curve, started, seen = self._curve(), time.perf_counter(), 0.0
        for taken, network in enumerate(steps(self.config, self.dataset, self._rate)):
            self.network = network
            epoch, step = divmod(taken, n_steps)
            ended = taken and not step
            if ended:
                last = epoch == self.config["epochs"]
                train = self._evaluate(self.dataset.train if last else curve)
                valid = self._evaluate(self.dataset.valid)
                self._record(train, valid, time.perf_counter() - started)
                started = time.perf_counter()
            if ended or taken in (0, 1) or time.perf_counter() - seen > PERIOD:
                if not self._point(taken / n_steps):
                    return self._set("diverged")
                seen = time.perf_counter()
            if ended and last:
                return self._finish(valid)
            if ended and epoch >= self._pause_at:
                self._go.clear()
            self._check()
        return None

    def _curve(self):
        """The training images on which the model's runs measure before the last epoch: see cnn.train."""
        train = self.dataset.train
        return train if self.config["model"] == "mlp" else data.Split(train.X[: cnn.CURVE], train.y[: cnn.CURVE])

    def _evaluate(self, split):
        return evaluate(_Patient(self.network, self._check), split)

    def _point(self, epoch):
        """Add a point; return whether its losses are numbers."""
        splits = (self.dataset.train, self.dataset.valid)
        train, valid = (self._evaluate(data.Split(split.X[:PROBE], split.y[:PROBE])) for split in splits)
        self.points.append(Point(epoch, train, valid))
        self._changed(self)
        return bool(np.isfinite([train.loss, valid.loss]).all())

    def _record(self, train, valid, seconds):
        for name, values in self.history.items():
            split, _, what = name.partition("_")
            values.append(seconds if name == "seconds" else getattr({"train": train, "valid": valid}[split], what))

    def _finish(self, valid):
        weights = self._weights()
        if self.undisturbed:
            self.run = store.Run(
                config=self.config,
                fingerprint=self.dataset.fingerprint,
                n_parameters=sum(int(w.size) for w in weights.values()),
                history=self.history,
                versions=keys.versions(self.config["model"]) | keys.machine(),
                shapes={name: list(w.shape) for name, w in weights.items()},
                wrong=valid.wrong,
            )
        self._set("finished")

    def _weights(self):
        if self.config["model"] == "mlp":
            return {name: w.copy() for name, w in self.network.weights.items()}
        return {name: tensor.numpy(force=True).copy() for name, tensor in self.network.state_dict().items()}

    def trained(self):
        """Return a copy of the network as it is now, ready to predict, or None before the first point."""
        return None if self.network is None else training.network(self.config, self._weights())


class _Patient:
    """A network that is asked for its scores block by block, with a look at the buttons between the blocks."""

    def __init__(self, network, check):
        self._network, self._check = network, check

    def scores(self, X):
        found = []
        for start in range(0, len(X), PROBE):
            self._check()
            found.append(self._network.scores(X[start : start + PROBE]))
        return np.concatenate(found)


def mlp_steps(config, dataset, lr):
    """Yield the FastNN of `config` before its first step and after each one, without end.

    `lr(step, n_steps)` gives the learning rate of each step.  The numbers are those of mlp.train.
    """
    network = mlp.build(config, FastNN)
    X, y = dataset.train.X, one_hot(dataset.train.y, data.N_CLASSES).astype(np.float32)
    network.initialize_weights((X.shape[1], y.shape[1]))
    yield network
    rng, size = np.random.default_rng([config["seed"], 1]), config["batch_size"]
    starts = range(0, len(X), size)
    for epoch in count():
        images = X
        if config["shift"] or config["rotation"]:
            images = augment.moved_arrays(X, config["shift"], config["rotation"], int(rng.integers(2**31)))
        order = rng.permutation(len(X)) if config["shuffle"] else np.arange(len(X))
        for step, start in enumerate(starts, start=epoch * len(starts)):
            network.lr = lr(step, len(starts))
            batch = order[start : start + size]
            network.step(images[batch], y[batch])
            yield network


def cnn_steps(config, dataset, lr):
    """Yield the CNN of `config` before its first step and after each one, without end; see mlp_steps."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config["seed"])
        network = cnn.build(config)
        if config["init_method"] == "glorot":
            network.apply(cnn._glorot)
        network = network.to(memory_format=torch.channels_last)
        yield network
        X, y = cnn._images(dataset.train.X), torch.from_numpy(dataset.train.y)
        optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"])
        n_steps = math.ceil(len(X) / config["batch_size"])
        for epoch in count():
            batches = torch.randperm(len(X)).split(config["batch_size"])
            for step, batch in enumerate(batches, start=epoch * n_steps):
                network.train()
                optimizer.param_groups[0]["lr"] = lr(step, n_steps)
                loss = functional.cross_entropy(network(cnn._moved(X[batch], config)), y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                yield network
