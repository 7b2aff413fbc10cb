"""Figures: from Runs and arrays to matplotlib Figures, all in one style."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

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
    """Show measures, such as "train_loss" or "valid_error", over the epochs: a panel each, a line per labelled Run.

    Errors are in per cent, losses in nats, both on logarithmic axes.
    """
    rows = -(-len(measures) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, 0.4 + 2.1 * rows))
    for axis, measure in zip(axes.flat, measures, strict=True):
        for i, (label, run) in enumerate(runs.items()):
            values = np.array(run.history[measure]) * (100 if measure.endswith("error") else 1)
            axis.plot(range(1, len(values) + 1), values, ls=DASHES[i], color=COLOURS[i], label=label)
        axis.set(xlabel="epoch", ylabel=axis_label(measure))
        _logarithmic(axis)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(runs))
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
