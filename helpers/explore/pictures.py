"""Figures of the playground, as SVG for a page: drawn without pyplot, which is not made for threads."""

import io
import re
import threading

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.data import SIDE
from helpers.style import COLOURS, DASHES, logarithmic

WIDTH = 7.2  # inches
_rendering = threading.Lock()  # Matplotlib's caches of fonts and formulas are shared


def svg(figure, words):
    """Return a Figure as the text of an SVG element; `words` say what it shows to whoever cannot see it."""
    file = io.StringIO()
    with _rendering, rc_context({"svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    text = re.sub(
        r"<svg [^>]*?viewBox", f'<svg style="width: 100%; max-width: {WIDTH}in; height: auto" viewBox', text, count=1
    )
    return f'<div role="img" aria-label="{words}">{text[text.index("<svg") :]}</div>'


def curves(by_label):
    """Return the SVG of loss and error over the epochs, {label: [Point, ...]}; training dashed, validation solid."""
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    for axis, what, name in zip(figure.subplots(1, 2), ("loss", "error"), ("loss (nats)", "error (%)"), strict=True):
        values = []
        for i, (label, points) in enumerate(by_label.items()):
            epochs = [point.epoch for point in points]
            for split, dash, of in (("valid", DASHES[0], "validation"), ("train", DASHES[1], "training")):
                y = np.array([getattr(getattr(point, split), what) for point in points], float)
                y = y * 100 if what == "error" else y
                values.extend(y[np.isfinite(y) & (y > 0)])
                mark = {"marker": "o", "ms": 3} if len(y) < 8 else {}
                style = {"ls": dash, "color": COLOURS[i % len(COLOURS)], "lw": 1.3, "clip_on": False}
                named = of if len(by_label) == 1 else label if split == "valid" else None
                axis.plot(epochs, np.where(y > 0, y, np.nan), **style, **mark, label=named)
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlim(0, max((point.epoch for points in by_label.values() for point in points), default=1) or 1)
        if values:  # a curve that stands still shall not lie on the frame
            axis.set_ylim(min(values) / 1.3, max(values) * 1.3)
            logarithmic(axis)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    shown = "; ".join(f"{label}: {100 * p[-1].valid.error:.1f}% at the end" for label, p in by_label.items() if p)
    return svg(figure, f"Curves of loss and error over the epochs. Validation error, {shown or 'none yet'}.")


def inside(weights, layers, hard, split, relu):
    """Return the SVG of a network's first weights, the spreads and dead units of its layers, and its hardest images.

    `weights` (n, height, width); `layers`: see inside.layers; `hard`: see inside.hardest, of a Split; `relu`: whether
    units can be dead.
    """
    figure = Figure(figsize=(WIDTH, 4.9), layout="constrained")
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=(1.5, 2, 1.3))
    shown = weights[:20]
    limit = np.abs(shown).max() or 1
    top.suptitle("weights of the first layer, unit by unit: blue negative, red positive", fontsize=9)
    for axis, kernel in zip(top.subplots(2, 10).flat, [*shown, *[None] * 20], strict=False):
        axis.axis("off")
        if kernel is not None:
            axis.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
    left, centre, right = middle.subplots(1, 3)
    x = np.arange(len(layers))
    for axis, what, title in ((left, "A", "spread of pre-activations"), (centre, "dA", "spread of their gradients")):
        axis.plot(
            x, [max(float(getattr(layer, what).std()), 1e-12) for layer in layers], "o-", color=COLOURS[0], ms=4
        )
        axis.set_yscale("log")
        axis.set_title(title, fontsize=9)
    if relu:
        right.bar(x[:-1], [100 * layer.dead for layer in layers[:-1]], color=COLOURS[1])
        right.set(ylim=(0, 100), xlim=(-0.6, len(x) - 0.4))
        right.set_title("dead units (%)", fontsize=9)
    else:
        right.axis("off")
        right.text(0.5, 0.5, "only a ReLU's\nunits can be dead", ha="center", va="center")
    for axis in (left, centre, right):
        axis.set_xticks(x, [layer.name.removeprefix("layer ") for layer in layers], fontsize=8)
        axis.set_xlabel("layer")
    bottom.suptitle("hardest validation images: class, what it was taken for, probability of the class", fontsize=9)
    for axis, (i, taken, p) in zip(bottom.subplots(1, 10), hard, strict=True):
        axis.axis("off")
        axis.imshow(split.X[i].reshape(SIDE, SIDE), vmin=0)
        axis.set_title(f"{split.y[i]} as {taken}\n{p:.0%}", fontsize=8, pad=2)
    dead = ", ".join(f"{layer.name} {layer.dead:.0%}" for layer in layers[:-1])
    return svg(figure, f"First weights, spreads by layer, and the hardest images. Dead units: {dead}.")


def answers(image, by_label, classes):
    """Return the SVG of an image (784,) and what networks make of it.

    `by_label`: {label: (probabilities (10,), (class, evidence (28, 28)))}.
    """
    figure = Figure(figsize=(WIDTH, 0.3 + 1.55 * len(by_label)), layout="constrained")
    rows = figure.subplots(len(by_label), 3, squeeze=False, width_ratios=(1, 3.2, 1))
    for (picture, bars, reasons), (label, (p, (answer, evidence))) in zip(rows, by_label.items(), strict=True):
        for axis in (picture, reasons):
            axis.axis("off")
            axis.imshow(image.reshape(SIDE, SIDE), vmin=0, vmax=1)
        limit = np.abs(evidence).max() or 1
        reasons.imshow(evidence, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.75)
        reasons.set_title(f"for and against {classes[answer]}", fontsize=8, pad=2)
        colours = [COLOURS[1] if i == answer else COLOURS[0] for i in range(len(p))]
        for bar in bars.barh(range(len(p)), 100 * p, color=colours):
            if bar.get_width() >= 1:
                bars.text(bar.get_width() + 1, bar.get_y() + 0.4, f"{bar.get_width():.0f}", va="center", fontsize=7)
        bars.set(xlim=(0, 110), ylim=(len(p) - 0.5, -0.5), xticks=range(0, 101, 20))
        bars.set_yticks(range(len(p)), classes, fontsize=7)
        bars.tick_params(axis="x", labelsize=7)
        bars.set_title(f"{label}: {classes[answer]} with {p[answer]:.1%}", fontsize=9)
        bars.grid(visible=False, axis="y")
    rows[0, 0].set_title("as the networks see it", fontsize=8, pad=2)
    words = "; ".join(f"{label} reads {classes[a]} with {p[a]:.1%}" for label, (p, (a, _)) in by_label.items())
    return svg(figure, words)


def maps(layers, n=10):
    """Return the SVG of the first `n` feature maps of each layer, {name: (channels, height, width)}."""
    figure = Figure(figsize=(WIDTH, 0.85 * len(layers)), layout="constrained")
    for row, (name, found) in zip(figure.subplots(len(layers), n, squeeze=False), layers.items(), strict=True):
        for axis, one in zip(row, found, strict=False):
            axis.axis("off")
            axis.imshow(one, vmin=0, vmax=found.max() or 1)
        row[0].set_title(name, fontsize=8, pad=2, loc="left")
    return svg(figure, "Feature maps of the CNN, layer by layer.")


def check(epsilons, right, wrong, marked, bound):
    """Return the SVG of the largest differences of a gradient check, without and with a bug, over epsilon.

    `marked`: the epsilon that is chosen; `bound`: the largest gradient, on which nothing can be found above.
    """
    figure = Figure(figsize=(WIDTH, 3), layout="constrained")
    axis = figure.subplots()
    axis.loglog(epsilons, np.maximum(right, 1e-18), "-", color="0.5", label="backpropagation as it is")
    axis.loglog(epsilons, np.maximum(wrong, 1e-18), "o-", ms=4, color=COLOURS[1], label="with the bug")
    axis.axhline(bound, color=COLOURS[2], ls=DASHES[3], label="largest gradient")
    axis.axvline(marked, color=COLOURS[0], ls=DASHES[1], label="your ε")
    axis.set(xlabel="ε", ylabel="largest difference")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return svg(figure, "Largest difference of the gradient check over epsilon, with and without the bug.")
