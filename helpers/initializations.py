"""Initialisations compared: the spread of values and gradients through the layers, and how far training gets."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import data, statistics
from helpers.style import COLOURS, DASHES, WIDTH
from helpers.tables import markdown, spread


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


def growth(spreads, hidden_dims):
    """Return by which factor spreads change from layer to layer, as a Markdown table.

    `spreads`: what gradients.spreads gives for networks with these hidden layers, by the name of the start.  The last
    row has what the widths of the layers predict for the standard normal start.
    """
    sizes = [*hidden_dims, data.N_CLASSES]
    rows = [(start, *_factors(ahead), *_factors(behind[::-1])) for start, (ahead, behind) in spreads.items()]
    rows.append(("theory for normal", *(np.sqrt(n / 2) for n in (*hidden_dims, *reversed(sizes[1:])))))
    layers = range(1, len(sizes))
    names = [f"forward {i} to {i + 1}" for i in layers] + [f"backward {i + 1} to {i}" for i in reversed(layers)]
    formats = {name.replace(" ", "_"): ".2f" for name in names}
    return markdown(pd.DataFrame(rows, columns=["start", *names]), **formats)


def _factors(values):
    return [after / before for before, after in pairwise(values)]


def moves(distances):
    """Return how far training has moved each matrix, as a Markdown table.

    `distances`: {start: [inside.moved of a network, ...]}; the figures are mean ± standard deviation over these.
    """
    rows = [
        {"start": start} | {name: spread([each[name] for each in same], ".1%") for name in same[0]}
        for start, same in distances.items()
    ]
    return markdown(pd.DataFrame(rows))


def best_rates(runs):
    """Return what each start ended with at the learning rate of its Runs, as a Markdown table.

    `runs`: lists of Runs by the name of the start, which differ in their seeds; losses are means over them.
    """
    rows = [
        {
            "start": start,
            "best rate": f"{same[0].config['lr']:g}",
            "validation error": spread(statistics.finals(same, "valid_error"), ".2%"),
            "training loss": f"{statistics.finals(same, 'train_loss').mean():.3g}",
            "without the clip": f"{statistics.finals(same, 'train_unclipped_loss').mean():.3g}",
        }
        for start, same in runs.items()
    ]
    return markdown(pd.DataFrame(rows))
