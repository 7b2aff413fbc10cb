"""Figures: from Runs and arrays to matplotlib Figures, all in one style."""

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullFormatter

from helpers import alt, frequencies, statistics
from helpers.data import N_CLASSES, SIDE

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


def _panels(n, columns=2, **kwargs):
    """A figure of `n` panels, `columns` side by side, and their axes; a place that is left over stays empty."""
    rows = -(-n // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 0.4 + 2.1 * rows), squeeze=False, **kwargs)
    for axis in axes.flat[n:]:
        axis.axis("off")
    return figure, axes.flat[:n]


def curves(runs, measures):
    """Show measures, such as "train_loss" or "valid_error", over the epochs: a panel each, a line per label.

    `runs`: lists of Runs by label, which differ in their seeds.  The line is their mean, a band spans all of them;
    both end where a run diverges, and the label says how many did.  Errors are in per cent, losses in nats, both on
    logarithmic axes.
    """
    figure, axes = _panels(len(measures))
    named = {}
    for label, same in runs.items():
        lost = np.sum(~np.isfinite([run.final("train_unclipped_loss") for run in same]))
        named[f"{label} ({lost} of {len(same)} diverged)" if lost else label] = same
    for axis, measure in zip(axes, measures, strict=True):
        for i, (label, same) in enumerate(named.items()):
            values = np.array([run.history[measure] for run in same])
            values *= 100 if measure.endswith("error") else 1
            style = {"color": COLOURS[i % len(COLOURS)]}
            epochs = np.arange(1, values.shape[1] + 1)
            mark = {"marker": "o", "ms": 3} if len(epochs) == 1 else {}
            axis.plot(epochs, values.mean(axis=0), ls=DASHES[i % len(DASHES)], label=label, **style, **mark)
            if len(same) > 1:
                axis.fill_between(epochs, values.min(axis=0), values.max(axis=0), alpha=0.2, lw=0, **style)
        axis.set(xlabel="epoch", ylabel=axis_label(measure))
        logarithmic(axis)
    handles, labels = axes[0].get_legend_handles_labels()
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
    axis.imshow(mistakes, cmap="Blues", vmin=0)
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
    logarithmic(right)
    left.set(xlabel="epoch", ylabel=f"{axis_label('train_loss')} less mean")
    right.set(xlabel="epoch", ylabel=axis_label("train_loss"))
    figure.legend(loc="outside upper center", ncols=4, handlelength=1.6, columnspacing=1.2)
    return figure


def gain_over_guessing(labels, points):
    """Show ln 10 less the training loss of constant predictions against time, log-log.

    The frequencies of `labels` give the curve, in closed form, and its limit.  `points`: {label: (times, losses)}.
    """
    start, shares = np.log(N_CLASSES), np.bincount(labels, minlength=N_CLASSES) / len(labels)
    times = np.geomspace(min(when[0] for when, _ in points.values()) / 2, 100, 200)
    figure, axis = plt.subplots(figsize=(WIDTH, 2.6))
    curve = start - frequencies.constant_predictor_loss(times, shares)
    axis.loglog(times, curve, "-", color=COLOURS[0], label="closed form")
    axis.axhline(
        start - frequencies.entropy(labels),
        color=COLOURS[2],
        ls=DASHES[3],
        label="ln 10 less the entropy of the classes",
    )
    for marker, (i, (label, (when, losses))) in zip("osv", enumerate(points.items()), strict=False):
        axis.loglog(when, start - np.asarray(losses), marker, color=COLOURS[1 + 2 * i], mfc="none", ms=5, label=label)
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


def logarithmic(axis):
    """Make the vertical axis of a panel logarithmic, labelled with plain numbers."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 6 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def axis_label(measure):
    """The words for a measure of a Run's history, with the unit."""
    where, what = measure.split("_", 1)
    words = {"loss": "loss (nats)", "unclipped_loss": "loss, not clipped (nats)", "error": "error (%)"}
    return f"{ {'train': 'training', 'valid': 'validation'}[where] } {words[what]}"


def spreads(by_scheme):
    """Show the standard deviations of pre-activations and of their gradients, {scheme: (forward, backward)}."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.4))
    titles = ("pre-activations $A_i$", "gradients of the loss in $A_i$")
    for i, (scheme, both) in enumerate(by_scheme.items()):
        for axis, values, title in zip(axes, both, titles, strict=True):
            layer = np.arange(1, len(values) + 1)
            style = {"marker": "osv^"[i], "ls": DASHES[i], "color": COLOURS[i]}
            axis.plot(layer, values, **style, label=scheme, clip_on=False)
            axis.set(title=title, xlabel="layer $i$", xticks=layer, ylabel="standard deviation")
    for axis in axes:
        axis.set_yscale("symlog", linthresh=1e-3)
        axis.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def search_map(frame):
    """Show the validation accuracy of every combination of a search (see tables.search_frame) as one map."""
    grid = frame.pivot(
        index=["layer 1", "layer 2"], columns=["learning rate", "batch size"], values="validation accuracy"
    ).sort_index(axis=1, level=[0, 1], ascending=[False, True])
    figure, axis = plt.subplots(figsize=(WIDTH, 3.6))
    errors = 100 * (1 - grid.to_numpy())
    least = errors[errors > 0].min(initial=errors.max())  # where there is no error the colour is that of the fewest
    norm = plt.matplotlib.colors.LogNorm(least, errors.max(), clip=True)
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
    """Show the validation error of a search's runs against each hyper-parameter, with the median of each value.

    Colours and markers are the learning rates; points stand beside each other at random within their column.
    """
    names = ("learning rate", "batch size", "layer 1", "layer 2")
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, 2.5), sharey=True)
    rates = sorted(frame["learning rate"].unique(), reverse=True)
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, len(frame))
    errors = 100 * (1 - frame["validation accuracy"])
    for axis, name in zip(axes, names, strict=True):
        levels = sorted(frame[name].unique())
        column = frame[name].map({level: i for i, level in enumerate(levels)})
        for i, rate in enumerate(rates):
            of_rate = frame["learning rate"] == rate
            style = {"color": COLOURS[i % len(COLOURS)], "ms": 3, "mfc": "none", "mew": 0.8}
            axis.plot((column + jitter)[of_rate], errors[of_rate], "osv^"[i % 4], **style, label=f"rate {rate:g}")
        medians = errors.groupby(column).median()
        axis.hlines(medians, medians.index - 0.32, medians.index + 0.32, color="0.2", lw=1.5)
        axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
        axis.set(xlabel=name if name in names[:2] else f"units in {name}")
        axis.grid(visible=False, axis="x")
    logarithmic(axes[0])
    axes[0].set_ylabel("validation error (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def trends(panels, ylabel, columns=2, log_x=False):
    """Show how something depends on one thing after the other: a panel each, a line per label.

    `panels`: {name of the horizontal axis: {label: {x: [value, ...]}}}.  A line goes through the means, a band spans
    all values; what is no finite number is left out.
    """
    figure, axes = _panels(len(panels), columns, sharey=True)
    for axis, (xlabel, by_label) in zip(axes, panels.items(), strict=True):
        for i, (label, points) in enumerate(by_label.items()):
            x = sorted(points)
            values = [np.asarray(points[place], float) for place in x]
            style = {"color": COLOURS[i % len(COLOURS)]}
            means = [np.mean(v) if np.all(np.isfinite(v)) else np.nan for v in values]
            axis.plot(x, means, marker="osv^D*"[i % 6], ms=3, ls=DASHES[i % len(DASHES)], label=label, **style)
            axis.fill_between(x, [v.min() for v in values], [v.max() for v in values], alpha=0.2, lw=0, **style)
        axis.set(xlabel=xlabel)
        if log_x:
            axis.set_xscale("log")
        logarithmic(axis)
    for axis in axes[::columns]:
        axis.set_ylabel(ylabel)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 4))
    return figure


def forest(rows):
    """Show differences with their 95% intervals, one below the other.

    `rows`: [(label, statistics.Difference of errors as shares of 1), ...].  The axis is in points, linear up to 0.1
    and logarithmic beyond, since effects of all sizes stand on it.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 0.6 + 0.25 * len(rows)))
    for row, (_, found) in enumerate(rows):
        low, high = 100 * (found.mean - found.half), 100 * (found.mean + found.half)
        colour = COLOURS[0] if found.sign else "0.5"
        axis.plot((low, high), (row, row), color=colour, lw=1.5)
        axis.plot(100 * found.mean, row, "o", ms=5, color=colour, mfc=colour if found.sign else "white")
    axis.axvline(0, color="0.3", lw=0.8)
    axis.set_xscale("symlog", linthresh=0.1)
    ends = np.abs(axis.get_xlim()).max()
    ticks = [t for t in (-30, -10, -3, -1, -0.3, -0.1, 0, 0.1, 0.3, 1, 3, 10, 30) if abs(t) <= ends]
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.set_yticks(range(len(rows)), [label for label, _ in rows])
    axis.invert_yaxis()
    axis.set_xlabel("change of the validation error (points)")
    axis.grid(visible=False, axis="y")
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


def gradient_check(epsilons, by_precision):
    """Show {precision: (largest differences, truncation, round-off, kinks)} against N = 1 / epsilon, log-log.

    `kinks` counts the weights that carry a ReLU across its kink; where it is not 0 the point is marked.
    """
    figure, (axes,) = plt.subplots(1, len(by_precision), figsize=(WIDTH, 2.7), sharey=True, squeeze=False)
    N = 1 / np.asarray(epsilons)
    for axis, (precision, (differences, truncation, round_off, kinks)) in zip(
        axes, by_precision.items(), strict=True
    ):
        axis.loglog(N, differences, "o-", color=COLOURS[0], ms=4, label="largest difference")
        crossed = np.asarray(kinks) > 0
        ring = {"ms": 9, "mfc": "none", "color": COLOURS[3], "label": "a unit crosses its kink"}
        axis.loglog(N[crossed], differences[crossed], "o", **ring)
        axis.loglog(N, truncation, "--", color=COLOURS[1], label="truncation, predicted")
        axis.loglog(N, round_off, ":", color=COLOURS[2], label="round-off, predicted")
        axis.set(title=precision, xlabel=r"$N = 1/\varepsilon$")
    axes[0].set(ylabel="difference in the gradient", ylim=(1e-15, None))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
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
