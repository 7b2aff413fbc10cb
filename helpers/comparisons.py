"""Comparisons of networks: differences with their intervals, as tables and as a figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import statistics, words
from helpers.style import COLOURS, WIDTH
from helpers.tables import markdown, spread


def ablations(runs, n_images):
    """Return errors of networks with and without a part, and their differences, as a Markdown table.

    `runs`: lists of Runs by label, where "CNN, no pooling" is compared with "CNN"; runs of one seed are pairs, but
    where the pixels are permuted.  `n_images` of the validation set enter the intervals.
    """
    rows = []
    for label, same in runs.items():
        base = label.split(",")[0]
        apart = statistics.errors(same, runs[base], n_images, pairs="permuted" not in label)
        rows.append(
            {
                "network": label,
                "parameters": same[0].n_parameters,
                "training error": spread(statistics.finals(same, "train_error"), ".2%"),
                "validation error": spread(statistics.finals(same, "valid_error"), ".2%"),
                "difference (points)": "" if label == base else words.interval(apart, unit=""),
            }
        )
    return markdown(pd.DataFrame(rows), parameters=",")


def changes(runs, base, expected):
    """Return how the losses of regularised networks differ, seed by seed, from those without, as a Markdown table.

    `runs`: lists of Runs by label, paired with those of `base` by their seeds.  `expected`: the sign that each change
    should have, by what changes: "training loss", "gap of the losses" (validation less training), "validation loss".
    """
    rows = []
    for label, same in runs.items():
        for what, sign in expected.items():
            found = statistics.paired(_losses(same)[what], _losses(base)[what])
            outcome = {0: "not told apart from zero", sign: "as expected"}.get(found.sign, "against expectation")
            rows.append((label, what, words.interval(found, unit="nats", scale=1, places=4), outcome))
    return markdown(pd.DataFrame(rows, columns=["network", "what changes", "by", "which is"]))


def _losses(runs):
    train, valid = (statistics.finals(runs, measure) for measure in ("train_loss", "valid_loss"))
    return {"training loss": train, "gap of the losses": valid - train, "validation loss": valid}


def pairwise(found):
    """Return Differences of errors, {(label, label compared with): Difference}, as a Markdown table.

    It has their p values as they are and after statistics.holm for all of them.
    """
    adjusted = statistics.adjusted(found)
    rows = [
        (first, second, words.interval(apart, unit=""), f"{apart.p:.1g}", f"{adjusted[first, second]:.1g}")
        for (first, second), apart in found.items()
    ]
    columns = ["network", "compared with", "difference (points)", "p", "p, Holm"]
    return markdown(pd.DataFrame(rows, columns=columns))


def forest_plot(rows):
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
