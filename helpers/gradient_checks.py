"""Figures of gradient checks: by how much estimates miss backpropagation, and at which epsilon least."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.style import COLOURS, WIDTH


def differences(epsilons, by_precision):
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
