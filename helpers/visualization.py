"""A data set and a network in pictures: images and their classes, kernels, feature maps, architecture."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from helpers.data import SIDE
from helpers.style import COLOURS, WIDTH


def images(X, titles=None, columns=10):
    """Show images `X` (N, 784) in a grid, with a title each."""
    rows = -(-len(X) // columns)
    height = WIDTH / columns * (1.0 if titles is None else 1.3)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height * rows), squeeze=False)
    for i, axis in enumerate(axes.flat):
        axis.axis("off")
        if i < len(X):
            axis.imshow(np.reshape(X[i], (SIDE, SIDE)), vmin=0)
            axis.set_title("" if titles is None else titles[i], fontsize=8, pad=2)
    return figure


def class_counts(dataset):
    """Show how the classes are spread over the three sets of a Dataset, in per cent of each set."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.1))
    n = len(dataset.classes)
    for i, name in enumerate(("train", "valid", "test")):
        shares = np.bincount(getattr(dataset, name).y, minlength=n) / len(getattr(dataset, name))
        axis.bar(np.arange(n) + (i - 1) * 0.27, 100 * shares, 0.25, label=name, color=COLOURS[i])
    axis.set(xticks=range(n), xticklabels=dataset.classes, xlabel="class", ylabel="share of the set (%)")
    axis.grid(visible=False, axis="x")
    axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure


def architecture(stages):
    """Draw `inside.stages` from left to right: channels as squares to scale, one for five; units as a bar.

    The window that a unit sees is marked in what it sees.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 1.8))
    x, front, end = 0, None, None
    for name, window, shape in stages:
        n, width, height = (-(-shape[0] // 5), *shape[:0:-1]) if len(shape) == 3 else (1, 3, 11 * np.log10(shape[0]))
        if front is not None:
            axis.annotate("", (x - 0.5, 0), (end + 0.5, 0), arrowprops={"arrowstyle": "->", "lw": 0.8})
        if window:
            axis.add_patch(Rectangle(front, *window, fc=COLOURS[1], ec="none", alpha=0.7, zorder=3))
        for i in reversed(range(n)):
            corner = x + 0.9 * i, -height / 2 + 0.9 * i
            axis.add_patch(Rectangle(corner, width, height, fc="white", ec=COLOURS[0], lw=0.7))
        label = f"{name}\n{' × '.join(map(str, shape))}"
        seen = f"\nwindow {window[0]} × {window[1]}" if window else ""
        axis.text(x + width / 2, -19, label + seen, ha="center", va="top", fontsize=7.5)
        front, end = (x, -height / 2), x + width + 0.9 * (n - 1)
        x = max(end, x + 14) + 7
    axis.set(xlim=(-4, x - 4), ylim=(-33, 20), aspect="equal")
    axis.axis("off")
    return figure


def kernels(weights, columns=10):
    """Show kernels (N, 1, height, width) of a convolution, all on one scale: blue negative, red positive."""
    rows = -(-len(weights) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, WIDTH / columns * rows * 1.05), squeeze=False)
    limit = np.abs(weights).max()
    for axis in axes.flat:
        axis.axis("off")
    for axis, kernel in zip(axes.flat, weights[:, 0], strict=False):
        shown = axis.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=axes, shrink=0.8, aspect=12, pad=0.01, label="weight")
    return figure


def feature_maps(image, layers, n=10):
    """Show an image (784,) and the first `n` maps of each layer, {name: activations (channels, height, width)}."""
    size = (WIDTH, WIDTH / (n + 1) * len(layers) * 1.25)
    figure, axes = plt.subplots(len(layers), n + 1, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    axes[0, 0].imshow(np.reshape(image, (SIDE, SIDE)))
    axes[0, 0].set_title("image", fontsize=8, pad=2)
    for row, (name, maps) in zip(axes, layers.items(), strict=True):
        for axis, one in zip(row[1:], maps, strict=False):
            axis.imshow(one, vmin=0, vmax=maps.max() or 1)
        row[1].set_title(name, fontsize=8, pad=2)
    return figure
