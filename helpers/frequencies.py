"""What a network learns of which the last bias alone can move: the frequencies of the classes."""

from typing import NamedTuple

import numpy as np

from helpers.data import N_CLASSES


class Explained(NamedTuple):
    """How far the class frequencies explain the losses of a network of which the last bias alone moves."""

    stepped: float  # the largest distance from `constant_predictor_losses`, in nats
    closed: float  # the largest error of `constant_predictor_loss`, as a share of what was gained over guessing
    done: float  # the share of the way from guessing to the entropy of the classes that is done in the end


def entropy(labels):
    """Return the entropy of the frequencies of the classes in nats: no constant prediction has a lower loss."""
    shares = np.bincount(labels) / len(labels)
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))


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


def explained(losses, labels, rate, batch_size):
    """Return what is Explained of the training losses after each epoch; the bias moves at `rate`."""
    losses, guessing = np.asarray(losses), np.log(N_CLASSES)
    n_steps = -(-len(labels) // batch_size) * np.arange(1, len(losses) + 1)
    stepped = constant_predictor_losses(labels, N_CLASSES, rate, batch_size, len(losses))
    closed = constant_predictor_loss(rate * n_steps, np.bincount(labels, minlength=N_CLASSES) / len(labels))
    gained = guessing - losses
    return Explained(
        stepped=float(np.abs(stepped - losses).max()),
        closed=float(np.abs((guessing - closed) / gained - 1).max()),
        done=float(gained[-1] / (guessing - entropy(labels))),
    )
