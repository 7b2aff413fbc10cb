"""Searches of hyper-parameters: their runs as tables, and as figures."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import setups, statistics
from helpers.style import COLOURS, WIDTH, logarithmic
from helpers.tables import markdown, spread

HYPERPARAMETERS = ("learning rate", "batch size", "layer 1", "layer 2")


def frame(runs):
    """Return a DataFrame with one row per run of a search, best validation accuracy first."""
    rows = [
        {
            "learning rate": run.config["lr"],
            "batch size": run.config["batch_size"],
            "layer 1": run.config["hidden_dims"][0],
            "layer 2": run.config["hidden_dims"][1],
            "parameters": run.n_parameters,
            "validation accuracy": run.valid_accuracy,
            "training loss": run.history["train_loss"][-1],
        }
        for run in runs
    ]
    order = ["validation accuracy", *HYPERPARAMETERS]
    return pd.DataFrame(rows).sort_values(order, ascending=[False] + 4 * [True], ignore_index=True)


def table(runs, n=None):
    """Return the runs of a search, best validation accuracy first, as a Markdown table; the first `n` if given."""
    ranked = frame(runs)
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return markdown(ranked.head(n or len(ranked)), parameters=",", validation_accuracy=".2%", training_loss=".4f")


def median_errors(frame):
    """Return {hyper-parameter: Series} with the median validation error at each of its values in a `frame`."""
    return {name: 1 - frame.groupby(name)["validation accuracy"].median() for name in HYPERPARAMETERS}


def by_rate(runs):
    """Return the validation accuracy of Runs, nonlinearities down and learning rates across, as a Markdown table."""
    rows = {}
    for run in runs:
        nonlinearity = setups.NONLINEARITY[run.config["activation"]]
        row = rows.setdefault(nonlinearity, {"nonlinearity": nonlinearity})
        row[f"rate {run.config['lr']:g}"] = f"{run.valid_accuracy:.2%}"
    return markdown(pd.DataFrame(rows.values()))


def optimism(runs):
    """Return a DataFrame with a row per label: the validation accuracy of its first Run, and of the others.

    The first is the one that was chosen for its accuracy; the last column is by how many points it lies above the
    mean of the others, which were trained from fresh seeds.
    """
    rows = []
    for label, (chosen, *fresh) in runs.items():
        accuracies = 1 - statistics.finals(fresh, "valid_error")
        above = 100 * (chosen.valid_accuracy - accuracies.mean())
        rows.append((label, f"{chosen.valid_accuracy:.2%}", spread(accuracies, ".2%"), above))
    return pd.DataFrame(rows, columns=["combination", "in the search", "fresh seeds", "difference (points)"])


def heatmap(frame):
    """Show the validation accuracy of every combination in the `frame` of a search as one map."""
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


def effects(frame):
    """Show the validation error of the runs in a `frame` against each hyper-parameter, with the median of each value.

    Colours and markers are the learning rates; points stand beside each other at random within their column.
    """
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, 2.5), sharey=True)
    rates = sorted(frame["learning rate"].unique(), reverse=True)
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, len(frame))
    errors = 100 * (1 - frame["validation accuracy"])
    for axis, name in zip(axes, HYPERPARAMETERS, strict=True):
        levels = sorted(frame[name].unique())
        column = frame[name].map({level: i for i, level in enumerate(levels)})
        for i, rate in enumerate(rates):
            of_rate = frame["learning rate"] == rate
            style = {"color": COLOURS[i % len(COLOURS)], "ms": 3, "mfc": "none", "mew": 0.8}
            axis.plot((column + jitter)[of_rate], errors[of_rate], "osv^"[i % 4], **style, label=f"rate {rate:g}")
        medians = errors.groupby(column).median()
        axis.hlines(medians, medians.index - 0.32, medians.index + 0.32, color="0.2", lw=1.5)
        axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
        axis.set(xlabel=name if name in HYPERPARAMETERS[:2] else f"units in {name}")
        axis.grid(visible=False, axis="x")
    logarithmic(axes[0])
    axes[0].set_ylabel("validation error (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure
