"""What networks get wrong on a set of images, and how sure they are of what they say."""

from typing import NamedTuple

import numpy as np

from helpers import runs


def judged(same, split):
    """Return (probability of the predicted class, whether it is right) on a Split, (len(same) * N,) each.

    `same`: stored Runs; the images of the first one's network come first.
    """
    p = np.concatenate([runs.network(run).predict(split.X) for run in same])
    return p.max(axis=1), p.argmax(axis=1) == np.tile(split.y, len(same))


def shared(p, labels, n=30):
    """Return the images that all networks misread: their indices, and those of at most `n` of them to show.

    `p`: the probabilities (N, 10) that each network gives, {name: array}.  Shown first is that of which the last one
    is surest.  Where none is misread by all, the ten are shown of which the last network is least sure.
    """
    wrong = np.flatnonzero(np.all([each.argmax(axis=1) != labels for each in p.values()], axis=0))
    sure = [*p.values()][-1].max(axis=1)
    if not len(wrong):
        return wrong, np.argsort(sure, kind="stable")[:10]
    return wrong, wrong[np.argsort(-sure[wrong], kind="stable")][:n]


def hesitations(p, labels, names, n):
    """Return the `n` images whose two largest probabilities in `p` (N, 10) are closest, with a title each.

    A title has these two classes with their probabilities and, in a second line, the class of the image.
    """
    order = np.sort(p, axis=1)
    found = []
    for i in np.argsort(order[:, -1] - order[:, -2], kind="stable")[:n]:
        second, first = np.argsort(p[i])[-2:]
        told = f"{names[first]} {100 * p[i, first]:.0f}%, {names[second]} {100 * p[i, second]:.0f}%"
        found.append((int(i), f"{told}\n{names[labels[i]]}"))
    return found


class Overlap(NamedTuple):
    """How many images two networks misread: each, both, both if their mistakes were independent, both alike."""

    first: int
    second: int
    shared: int
    expected: float
    agreeing: int


def overlap(first, second, labels):
    """Return the Overlap of two networks that predict the classes `first` and `second` (N,) of images."""
    wrong, also_wrong = first != labels, second != labels
    shared = wrong & also_wrong
    n, also = int(wrong.sum()), int(also_wrong.sum())
    return Overlap(n, also, int(shared.sum()), n * also / len(labels), int((first == second)[shared].sum()))
