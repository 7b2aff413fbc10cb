"""What networks get wrong on a set of images, and how sure they are of what they say."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from sklearn import metrics

from helpers import runs, statistics
from helpers.style import COLOURS, WIDTH


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


def confusion_matrix(truth, predicted, names):
    """Show how often each class (row) was taken for each (column); the diagonal, the correct ones, is left white."""
    counts = metrics.confusion_matrix(truth, predicted, labels=range(len(names)))
    wrong = counts - np.diag(np.diag(counts))
    figure, axis = plt.subplots(figsize=(WIDTH, 3.6))
    axis.imshow(wrong, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        dark = wrong[row, column] > 0.55 * wrong.max()
        if count:
            axis.text(column, row, count, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    axis.set_xticks(range(len(names)), names, rotation=45 if max(map(len, map(str, names))) > 2 else 0)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="taken for", ylabel="class")
    axis.grid(visible=False)
    return figure


def reliability_diagram(by_label, edges):
    """Show how often networks err against how unsure they are, both on logarithmic axes.

    `by_label`: {label: (probability of the predicted class (N,), whether it was right (N,))}.  Images are sorted into
    the bins between `edges` of 1 - probability; a bar is the 95% interval of the share that is wrong (Wilson).
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 2.8))
    axis.plot((edges[0], edges[-1]), (edges[0], edges[-1]), color="0.5", ls=":", label="as sure as right")
    for i, (label, (confidence, right)) in enumerate(by_label.items()):
        doubt = np.clip(1 - np.asarray(confidence, float), edges[0], edges[-1])
        place = np.clip(np.digitize(doubt, edges) - 1, 0, len(edges) - 2)
        bins = [place == k for k in np.unique(place)]
        x = np.array([np.exp(np.log(doubt[inside]).mean()) for inside in bins]) * 1.06**i
        share = np.array([np.mean(~right[inside]) for inside in bins])
        low, high = np.transpose([statistics.wilson(np.sum(~right[inside]), np.sum(inside)) for inside in bins])
        axis.vlines(x, np.maximum(low, 1e-5), high, color=COLOURS[i], lw=1)
        mark = {"ls": "none", "marker": "osv"[i % 3], "ms": 4, "color": COLOURS[i]}
        axis.plot(x, np.maximum(share, 1e-5), **mark, label=label)
        axis.plot(x[share == 0], np.full(np.sum(share == 0), 1e-5), **mark, mfc="white")
    axis.set(xscale="log", yscale="log", ylim=(0.8e-5, 1.3))
    axis.set(xlabel="1 − probability of the predicted class", ylabel="share that is wrong")
    axis.legend(loc="lower right")
    return figure
