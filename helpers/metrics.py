"""Loss and error, by one rule for all networks."""

from typing import NamedTuple

import numpy as np

EPSILON = 1e-6  # probabilities are clipped to [EPSILON, 1 - EPSILON] in every loss that is reported


class Evaluation(NamedTuple):
    """What a network does on a set of images."""

    loss: float  # mean cross-entropy in nats, probabilities clipped
    error: float  # share of the images that are misread
    unclipped_loss: float  # mean cross-entropy in nats as it is
    wrong: list  # the indices of the images that are misread


def evaluate(network, split):
    """Return the Evaluation of a network on a Split.

    The network needs a method `scores(X)`, which returns what enters the softmax, (N, n_classes).
    """
    scores = network.scores(split.X).astype(np.float64)
    losses = np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(split)), split.y]
    clipped = np.clip(losses, -np.log1p(-EPSILON), -np.log(EPSILON))
    wrong = np.flatnonzero(scores.argmax(axis=1) != split.y)
    return Evaluation(float(clipped.mean()), len(wrong) / len(split), float(losses.mean()), wrong.tolist())


def measure(network, dataset, last):
    """Return the Evaluations of a network after an epoch, the `last` or another, {"train": ..., "valid": ...}."""
    return {"train": evaluate(network, dataset.train), "valid": evaluate(network, dataset.valid)}
