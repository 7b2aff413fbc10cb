"""A training to watch: it runs in a thread and can be paused, taken epoch by epoch, changed and stopped."""

import math
import threading
import time
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from helpers import configs, data, keys, store, training
from helpers.metrics import Evaluation, evaluate
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
        self.points, self.history, self.run = [], training.new_history(), None
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

    def _rate(self, step):
        if self.lr != self.config["lr"]:
            self.undisturbed = False
        return rate(self.config | {"lr": self.lr}, step, training.steps_per_epoch(self.config, self.dataset))

    def _follow(self):
        n_steps = training.steps_per_epoch(self.config, self.dataset)
        started, seen = time.perf_counter(), 0.0
        for taken, network in enumerate(training.steps(self.config, self.dataset, self._rate)):
            self.network = network
            epoch, step = divmod(taken, n_steps)
            ended, last = taken and not step, epoch == self.config["epochs"]
            if ended:
                found = training.measure(self.config, self._patient(), self.dataset, last)
                training.record(self.history, found, time.perf_counter() - started)
                started = time.perf_counter()
            if ended or taken in (0, 1) or time.perf_counter() - seen > PERIOD:
                if not self._point(taken / n_steps):
                    return self._set("diverged")
                seen = time.perf_counter()
            if ended and last:
                return self._finish(found)
            if ended and epoch >= self._pause_at:
                self._go.clear()
            self._check()
        return None

    def _patient(self):
        return _Patient(self.network, self._check)

    def _point(self, epoch):
        """Add a point; return whether its losses are numbers."""
        splits = (self.dataset.train, self.dataset.valid)
        train, valid = (evaluate(self._patient(), data.Split(split.X[:PROBE], split.y[:PROBE])) for split in splits)
        self.points.append(Point(epoch, train, valid))
        self._changed(self)
        return bool(np.isfinite([train.loss, valid.loss]).all())

    def _finish(self, found):
        if self.undisturbed:
            self.run = training.finished(self.config, self.dataset, self.history, found, self._weights())
        self._set("finished")

    def _weights(self):
        return {name: w.copy() for name, w in self.network.weights.items()}

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
