"""Plots of Runs: over their epochs, at their end, and against what was varied."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.style import COLOURS, DASHES, WIDTH, axis_label, logarithmic, subplots


def curves(runs, measures):
    """Show measures, such as "train_loss" or "valid_error", over the epochs: a panel each, a line per label.

    `runs`: lists of Runs by label, which differ in their seeds.  The line is their mean, a band spans all of them;
    both end where a run diverges, and the label says how many did.  Errors are in per cent, losses in nats, both on
    logarithmic axes.
    """
    figure, axes = subplots(len(measures))
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


def trends(panels, ylabel, columns=2, log_x=False):
    """Show how something depends on one thing after the other: a panel each, a line per label.

    `panels`: {name of the horizontal axis: {label: {x: [value, ...]}}}.  A line goes through the means, a band spans
    all values; what is no finite number is left out.
    """
    figure, axes = subplots(len(panels), columns, sharey=True)
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
