"""What networks get wrong on a set of images, and how sure they are of what they say."""

import numpy as np
import pandas as pd

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


def sure(judgements, level):
    """Return {name: (share of the images of which a network is surer than `level`, share of these that it misreads)}.

    `judgements`: what `judged` gives, by the name of the network; one that is never so sure is left out.
    """
    found = {}
    for name, (confidence, right) in judgements.items():
        if (confidence > level).any():
            found[name] = (confidence > level).mean(), 1 - right[confidence > level].mean()
    return found


def confusions(labels, predicted, names):
    """Return how often classes were taken for others, {"a as b": count}, most frequent first."""
    wrong = np.flatnonzero(labels != predicted)
    pairs = pd.Series([f"{names[labels[i]]} as {names[predicted[i]]}" for i in wrong])
    return pairs.value_counts().to_dict()
