"""Loss and error, by one rule for all networks."""

import numpy as np

EPSILON = 1e-6  # probabilities are clipped to [EPSILON, 1 - EPSILON] in every loss that is reported


def evaluate(network, split):
    """Return (mean cross-entropy in nats, error as a share of 1) of a network on a Split.

    The network needs a method `predict(X)`, which returns probabilities (N, n_classes).
    """
    p = network.predict(split.X)
    of_the_truth = np.clip(p[np.arange(len(split)), split.y], EPSILON, 1 - EPSILON)
    return float(-np.mean(np.log(of_the_truth))), float(np.mean(p.argmax(axis=1) != split.y))
