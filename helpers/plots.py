"""Figures: from Runs and arrays to matplotlib Figures, all in one style."""

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from matplotlib.ticker import LogLocator, NullFormatter

from helpers import alt
from helpers.data import SIDE

WIDTH = 6.3  # inches: the text width of the printed report
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito: safe for colour-blind
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))  # so that grey print tells curves apart

plt.rcParams.update(
    {
        "figure.dpi": 150,
        "figure.constrained_layout.use": True,
        "font.family": "serif",
        "font.serif": ["STIXGeneral"],
        "mathtext.fontset": "stix",
        "font.size": 9.5,
        "axes.titlesize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "0.9",
        "legend.frameon": False,
        "lines.linewidth": 1.5,
        "svg.hashsalt": "helpers",  # the same figure is the same bytes
        "image.cmap": "gray_r",
    }
)

if get_ipython():  # in a notebook every figure that is shown says in words what it shows
    alt.register(get_ipython())


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


def curves(runs, measures):
    """Show measures, such as "train_loss" or "valid_error", over the epochs: a panel each, a line per label.

    `runs`: lists of Runs by label, which differ in their seeds.  The line is their mean, a band spans all of them.
    Errors are in per cent, losses in nats, both on logarithmic axes.
    """
    rows = -(-len(measures) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, 0.4 + 2.1 * rows))
    for axis, measure in zip(axes.flat, measures, strict=True):
        for i, (label, same) in enumerate(runs.items()):
            n = max(len(run.history[measure]) for run in same)  # less where a run stopped early
            values = np.array([run.history[measure] + [np.nan] * (n - len(run.history[measure])) for run in same])
            values *= 100 if measure.endswith("error") else 1
            values = values[:, ~np.isnan(values).all(axis=0)]
            epochs = range(1, values.shape[1] + 1)
            style = {"color": COLOURS[i % len(COLOURS)]}
            axis.plot(epochs, np.nanmean(values, axis=0), ls=DASHES[i % len(DASHES)], label=label, **style)
            if len(same) > 1:
                axis.fill_between(epochs, np.nanmin(values, 0), np.nanmax(values, 0), alpha=0.2, lw=0, **style)
        axis.set(xlabel="epoch", ylabel=axis_label(measure))
        _logarithmic(axis)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(runs), 4))
    return figure


def seeds(runs, measures, first=None):
    """Show what Runs ended with, by label: a panel per measure, a row per label, a dot per Run and a bar at the mean.

    `first`: what sets the first Run of each label apart; it is shown hollow and does not enter the mean.
    """
    figure, axes = plt.subplots(1, len(measures), figsize=(WIDTH, 0.9 + 0.26 * len(runs)), sharey=True, squeeze=False)
    for axis, measure in zip(axes.flat, measures, strict=True):
        for row, same in enumerate(runs.values()):
            values = np.array([run.final(measure) for run in same]) * (100 if measure.endswith("error") else 1)
            others = values if first is None else values[1:]
            axis.plot(others, np.full(len(others), row), "o", ms=4, color=COLOURS[0], alpha=0.7)
            axis.vlines(others.mean(), row - 0.3, row + 0.3, color=COLOURS[1], lw=2)
            if first is not None:
                named = first if row == 0 and axis is axes[0, 0] else None
                axis.plot(values[0], row, "D", ms=5, color=COLOURS[2], mfc="none", label=named)
        axis.set(xlabel=axis_label(measure))
        axis.grid(visible=False, axis="y")
    axes[0, 0].set_yticks(range(len(runs)), list(runs))
    axes[0, 0].invert_yaxis()
    if first is not None:
        figure.legend(loc="outside upper center")
    return figure


def confusion(truth, predicted, names):
    """Show how often each class (row) was taken for each (column); the diagonal, the correct ones, is left white."""
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (truth, predicted), 1)
    mistakes = counts - np.diag(np.diag(counts))
    figure, axis = plt.subplots(figsize=(WIDTH, 3.6))
    axis.imshow(mistakes, cmap="cividis_r", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        dark = mistakes[row, column] > 0.55 * mistakes.max()
        if count:
            axis.text(column, row, count, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    axis.set_xticks(range(len(names)), names, rotation=45 if max(map(len, map(str, names))) > 2 else 0)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="taken for", ylabel="class")
    axis.grid(visible=False)
    return figure


def reliability(by_label, edges):
    """Show how often networks are right against how sure they are.

    `by_label`: {label: (probability of the predicted class (N,), whether it was right (N,))}.  Images are sorted into
    the bins between `edges`; a bar of two standard errors marks each share.  Below, how many images each bin has.
    """
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(WIDTH, 3.6), sharex=True, height_ratios=(2.2, 1))
    top.plot((edges[0], 1), (edges[0], 1), color="0.5", ls=":", label="as sure as right")
    for i, (label, (confidence, right)) in enumerate(by_label.items()):
        place = np.clip(np.digitize(confidence, edges) - 1, 0, len(edges) - 2)
        n = np.bincount(place, minlength=len(edges) - 1)
        full = n > 0
        mean, share = (np.bincount(place, values, len(n))[full] / n[full] for values in (confidence, right))
        error = 2 * np.sqrt(share * (1 - share) / n[full])
        top.errorbar(mean, share, error, fmt="osv"[i] + "-", ms=4, lw=1, color=COLOURS[i], label=label)
        bottom.plot(mean, n[full], "osv"[i] + "-", ms=4, lw=1, color=COLOURS[i])
    top.set(ylabel="share that is right")
    bottom.set(xlabel="probability of the predicted class", ylabel="images", yscale="log")
    top.legend(loc="upper left")
    return figure


def replays(printed, runs):
    """Show a printed training loss (None: none) beside Runs of the same training that differ by rounding alone.

    Left: each clipped loss less the mean over the Runs.  Right: the first Run's loss, clipped and unclipped.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.6))
    curves = np.array([run.history["train_loss"] for run in runs])
    epochs, mean = np.arange(1, curves.shape[1] + 1), curves.mean(axis=0)
    for i, curve in enumerate(curves):
        label = {0: "replayed", 1: f"replayed, $W_2$ changed ({len(runs) - 1} runs)"}.get(i)
        left.plot(epochs, curve - mean, color=COLOURS[min(i, 1)], ls=DASHES[min(i, 1)], lw=1, label=label)
    unclipped = runs[0].history["train_unclipped_loss"]
    right.plot(epochs, unclipped, color=COLOURS[2], ls=DASHES[2], label="replayed, unclipped")
    right.plot(epochs, curves[0], color=COLOURS[0])
    if printed is not None:
        left.plot(epochs, printed - mean, "k.", ms=6, label="printed")
        right.plot(epochs, printed, "k.", ms=6)
    _logarithmic(right)
    left.set(xlabel="epoch", ylabel=f"{axis_label('train_loss')} less mean")
    right.set(xlabel="epoch", ylabel=axis_label("train_loss"))
    figure.legend(loc="outside upper center", ncols=4, handlelength=1.6, columnspacing=1.2)
    return figure


def gain_over_guessing(times, curve, limit, points):
    """Show ln 10 less the training loss against time, log-log: a curve, its limit, and {label: (times, gains)}."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.6))
    axis.loglog(times, curve, "-", color=COLOURS[0], label="closed form")
    axis.axhline(limit, color=COLOURS[2], ls=DASHES[3], label="ln 10 less the entropy of the classes")
    for marker, (i, (label, (when, gain))) in zip("osv", enumerate(points.items()), strict=False):
        axis.loglog(when, gain, marker, color=COLOURS[1 + 2 * i], mfc="none", ms=5, label=label)
    axis.set(xlabel="time: learning rate of the last bias × steps", ylabel="ln 10 − training loss (nats)")
    axis.legend(loc="lower right")
    return figure


def best_epsilons(frame, marked):
    """Show the best epsilon of a gradient check against the loss of its image, a panel per precision.

    `frame`: rows with precision, loss ("clipped" or "unclipped"), value (the unclipped loss) and best.
    """
    precisions = frame["precision"].unique()
    figure, axes = plt.subplots(1, len(precisions), figsize=(WIDTH, 2.6), sharey=True, squeeze=False)
    for axis, precision in zip(axes.flat, precisions, strict=True):
        for i, (kind, shift) in enumerate((("unclipped", 1 / 1.07), ("clipped", 1.07))):  # side by side where equal
            rows = frame[(frame["precision"] == precision) & (frame["loss"] == kind)]
            style = {"color": COLOURS[i], "mfc": "none" if i else COLOURS[i], "ms": 4}
            axis.loglog(rows["value"], rows["best"] * shift, "os"[i], **style, label=kind)
        axis.axhline(marked, color="0.4", ls="--", lw=1)
        axis.set(title=precision, xlabel="loss of the image (nats)")
    axes.flat[0].set_ylabel(r"best $\varepsilon$")
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _logarithmic(axis):
    """Make the vertical axis logarithmic, labelled with plain numbers."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def axis_label(measure):
    """The words for a measure of a Run's history, with the unit."""
    where, what = measure.split("_")
    unit = "%" if what == "error" else "nats"
    return f"{ {'train': 'training', 'valid': 'validation'}[where] } {what} ({unit})"


def train_and_valid(run):
    """Show loss and error of one Run on training and validation, over the epochs."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.5))
    for axis, what, factor, unit in zip(axes, ("loss", "error"), (1, 100), ("nats", "%"), strict=True):
        for i, (where, label) in enumerate((("train", "training"), ("valid", "validation"))):
            values = factor * np.array(run.history[f"{where}_{what}"])
            axis.plot(range(1, len(values) + 1), values, ls=DASHES[i], color=COLOURS[i], label=label)
        axis.set(xlabel="epoch", ylabel=f"{what} ({unit})", ylim=(0, None))
    axes[0].legend()
    return figure


def spreads(by_scheme):
    """Show the standard deviations of pre-activations and of their gradients, {scheme: (forward, backward)}."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.4))
    titles = ("pre-activations $A_i$", "gradients of the loss in $A_i$")
    for i, (scheme, both) in enumerate(by_scheme.items()):
        for axis, values, title in zip(axes, both, titles, strict=True):
            layer = np.arange(1, len(values) + 1)
            style = {"marker": "osv"[i], "ls": DASHES[i], "color": COLOURS[i]}
            axis.plot(layer, values, **style, label=scheme, clip_on=False)
            axis.set(title=title, xlabel="layer $i$", xticks=layer, ylabel="standard deviation")
    for axis in axes:
        axis.set_yscale("symlog", linthresh=1e-3)
        axis.set_ylim(bottom=0)
    axes[0].legend()
    return figure


def search_map(frame):
    """Show the validation accuracy of every combination of a search (see tables.search_frame) as one map."""
    grid = frame.pivot(
        index=["layer 1", "layer 2"], columns=["learning rate", "batch size"], values="validation accuracy"
    ).sort_index(axis=1, level=[0, 1], ascending=[False, True])
    figure, axis = plt.subplots(figsize=(WIDTH, 3.6))
    errors = 100 * (1 - grid.to_numpy())
    norm = plt.matplotlib.colors.LogNorm(errors.min(), errors.max())
    axis.imshow(errors, norm=norm, cmap="cividis_r", aspect="auto")
    for (row, column), error in np.ndenumerate(errors):
        colour = "white" if norm(error) > 0.55 else "black"
        axis.text(column, row, f"{100 - error:.2f}", ha="center", va="center", color=colour, fontsize=8.5)
    axis.set_xticks(range(grid.shape[1]), [f"{batch}" for _, batch in grid.columns])
    axis.set_yticks(range(grid.shape[0]), [f"{first}, {second}" for first, second in grid.index])
    axis.set(xlabel="batch size", ylabel="hidden units, layer 1 and layer 2")
    axis.grid(visible=False)
    rates = [rate for rate, _ in grid.columns]
    for rate in dict.fromkeys(rates):
        places = [i for i, other in enumerate(rates) if other == rate]
        axis.text(np.mean(places), -0.65, f"learning rate {rate:g}", ha="center", va="bottom")
        axis.axvline(places[-1] + 0.5, color="white", lw=3)
    return figure


def search_effects(frame):
    """Show the validation error of a search's runs against each hyper-parameter, with the median of each value."""
    names = ("learning rate", "batch size", "layer 1", "layer 2")
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, 2.4), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        errors = 100 * (1 - frame["validation accuracy"])
        levels = sorted(frame[name].unique())
        for i, level in enumerate(levels):
            chosen = errors[frame[name] == level].sort_index()
            axis.plot(i + np.linspace(-0.2, 0.2, len(chosen)), chosen, ".", ms=3, color=COLOURS[0])
            axis.hlines(chosen.median(), i - 0.32, i + 0.32, color=COLOURS[1], lw=2)
        axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
        axis.set(xlabel=name if name in names[:2] else f"units in {name}")
        axis.grid(visible=False, axis="x")
    _logarithmic(axes[0])
    axes[0].set_ylabel("validation error (%)")
    return figure


def gradient_check(epsilons, by_precision):
    """Show {precision: (largest differences, truncation, round-off)} against N = 1 / epsilon, log-log."""
    figure, axes = plt.subplots(1, len(by_precision), figsize=(WIDTH, 2.7), sharey=True)
    N = 1 / np.asarray(epsilons)
    for axis, (precision, (differences, truncation, round_off)) in zip(axes, by_precision.items(), strict=True):
        axis.loglog(N, differences, "o-", color=COLOURS[0], ms=4, label="largest difference")
        axis.loglog(N, truncation, "--", color=COLOURS[1], label="truncation, predicted")
        axis.loglog(N, round_off, ":", color=COLOURS[2], label="round-off, predicted")
        axis.set(title=precision, xlabel=r"$N = 1/\varepsilon$")
    axes[0].set(ylabel="difference in the gradient", ylim=(1e-15, None))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
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
