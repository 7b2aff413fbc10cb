"""The audit in tables and figures: what an earlier report printed and concluded, beside what was measured."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import frequencies, original, verdicts, words
from helpers.data import N_CLASSES
from helpers.style import COLOURS, DASHES, WIDTH, axis_label, logarithmic
from helpers.tables import markdown


def digits(printed, runs):
    """Return printed training losses beside those of Runs, {label: ...}, to the last digit, as a Markdown table.

    The difference is in units of the last place of a double; a label that `printed` lacks has none.
    """
    rows = []
    for label, run in runs.items():
        losses = run.history["train_loss"]
        before = printed.get(label, [None] * len(losses))
        for epoch, (old, new) in enumerate(zip(before, losses, strict=True), start=1):
            known = old is not None
            told, units = (repr(float(old)), f"{verdicts.ulps(old, new)}") if known else ("–", "–")
            rows.append((label, epoch, told, repr(float(new)), units))
    columns = ["initialisation", "epoch", "printed", "replayed", "units in the last place"]
    return markdown(pd.DataFrame(rows, columns=columns))


def best_epsilons(frame):
    """Return how the best epsilon varies over images, by precision and loss, as a Markdown table.

    `frame`: rows of gradients.best_epsilons.
    """
    rows = [
        {
            "precision": precision,
            "loss": kind,
            "images": len(group),
            "median best epsilon": group["best"].median(),
            "smallest": group["best"].min(),
            "largest": group["best"].max(),
            "from 0.001 to 0.01": int(group["best"].between(0.001, 0.01).sum()),
        }
        for (precision, kind), group in frame.groupby(["precision", "loss"], sort=False)
    ]
    return markdown(pd.DataFrame(rows), median_best_epsilon=".1g", smallest=".1g", largest=".1g")


def accuracies(runs, apart):
    """Return the accuracies that the original printed beside those of Runs by its rule, as a Markdown table.

    `runs`: {combination: Run}, in the order of original.FIRST_ACCURACIES.  `apart`: by how many images each of them
    differs, or an empty dict where the data are others and there is nothing to compare.
    """
    rows = [
        (
            name,
            f"{printed:.2%}" if apart else "–",
            f"{run.valid_accuracy:.2%}",
            words.signed(apart[name], "d") if apart else "–",
        )
        for (name, run), printed in zip(runs.items(), original.FIRST_ACCURACIES, strict=True)
    ]
    return markdown(pd.DataFrame(rows, columns=["combination", "printed", "by its rule", "difference in images"]))


def conclusions(comparisons):
    """Return what conclusions compare, {claim: (Difference in nats, how it was measured)}, as a Markdown table."""
    rows = [
        (original.CLAIMS[name].text, words.interval(apart, unit="nats", scale=1, places=4), how)
        for name, (apart, how) in comparisons.items()
    ]
    return markdown(pd.DataFrame(rows, columns=["what is compared", "difference", "how"]))


def verdict_counts(frame):
    """Return how often each verdict occurs among the rows of verdicts.judge, by kind, as a Markdown table."""
    counts = pd.crosstab(frame["kind"], frame["verdict"])
    counts = counts.reindex(index=original.KINDS, columns=verdicts.VERDICTS, fill_value=0)
    return markdown(counts.loc[:, counts.any()].rename_axis("kind").reset_index())


def verdict_by_verdict(frame):
    """Return the rows of verdicts.judge as a Markdown table, each value to the places that its claim has."""
    columns = {
        "claim": frame["claim"],
        "printed": [_to_the_place(*pair) for pair in zip(frame["printed"], frame["unit"], strict=True)],
        "measured": [_to_the_place(*pair, 4) for pair in zip(frame["measured"], frame["unit"], strict=True)],
        "noise": [f"{noise:.1g}" if noise else "" for noise in frame["noise"]],
        "verdict": [
            f"{word}: {why}" if why else word for word, why in zip(frame["verdict"], frame["why"], strict=True)
        ],
    }
    return markdown(pd.DataFrame(columns))


def _to_the_place(value, unit, places=0):
    """A float to the decimal place of `unit`, or `places` where that is below 0.1; all its digits where it is 0."""
    if value is None or isinstance(value, str):
        return value or "–"
    if isinstance(value, int):
        return f"{value:,}"
    if not unit:
        return repr(float(value))
    decimals = max(0, round(-math.log10(unit)))
    return f"{value:.{max(decimals, places) if decimals > 1 else decimals}f}"


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
