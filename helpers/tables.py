"""Tables: from Runs and networks to the Markdown that the notebooks show."""

import inspect
import math
import re
import textwrap
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from helpers import architecture, data, original, setups, statistics, words


def markdown(frame, index=False, **formats):
    """Return a DataFrame as a Markdown table; `formats` gives a format string by column, "_" standing for blanks."""
    shown = frame.copy()
    for column, spec in formats.items():
        name = column.replace("_", " ")
        shown[name] = [re.sub("^-", "−", format(value, spec)) for value in shown[name]]
    numeric = [name in frame.select_dtypes("number") for name in frame.columns]
    align = (["left"] if index else []) + ["right" if is_number else "left" for is_number in numeric]
    return Markdown(shown.to_markdown(index=index, colalign=align, disable_numparse=True))


def source(*parts):
    """Return the source of functions and classes as one block of code in Markdown."""
    code = "\n".join(textwrap.dedent(inspect.getsource(part)) for part in parts)
    return Markdown(f"```python\n{code}```")


def spread(values, spec):
    """Return values as "mean ± standard deviation", each in the format `spec`; one value alone without the latter.

    The blanks do not break, so that a narrow column keeps the two together.  Where a value is no finite number, the
    words are "no number".
    """
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        return "no number"
    mean = format(np.mean(values), spec)
    if len(values) == 1:
        return mean
    return f"{mean.removesuffix('%')}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{format(np.std(values, ddof=1), spec)}"


def setup(configurations, n_images, tried=None):
    """Return what experiments train, as `setups.frame` tells it, as a Markdown table."""
    return markdown(setups.frame(configurations, n_images, tried))


def losses(runs):
    """Return the training loss at the end of each epoch, one column per label of `runs`, as a Markdown table.

    `runs`: lists of Runs by label, which differ in their seeds.
    """
    columns = {
        label: [spread(values, ".4f") for values in zip(*(run.history["train_loss"] for run in same), strict=True)]
        for label, same in runs.items()
    }
    frame = pd.DataFrame(columns)
    frame.insert(0, "epoch", range(1, len(frame) + 1))
    return markdown(frame)


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


def weight_shapes(run):
    """Return the shape and the number of entries of each weight of a Run, with their sum, as a Markdown table."""
    rows = [(name, original.times(shape), math.prod(shape)) for name, shape in run.shapes.items()]
    rows.append(("all", "", run.n_parameters))
    return markdown(pd.DataFrame(rows, columns=["array", "shape", "parameters"]), parameters=",")


def layers(network):
    """Return `architecture.layers` of a PyTorch Sequential, with the sum of the parameters, as a Markdown table."""
    rows = architecture.layers(network)
    rows.append(("all", "", "", sum(row[-1] for row in rows)))
    return markdown(pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"]), parameters=",")


def savings(network):
    """Return the parameters of each convolution of a PyTorch Sequential, as a Markdown table.

    Beside it stand those of a locally connected layer with the same windows, which has weights of its own at each
    place, and those of a full connection between the same inputs and outputs.
    """
    rows = [
        (name, n_parameters, n_parameters * math.prod(after[1:]), (math.prod(before) + 1) * math.prod(after))
        for name, _, before, after, n_parameters in architecture.passed(network)
        if name.startswith("conv")
    ]
    columns = ["layer", "convolution", "without sharing", "without locality"]
    return markdown(pd.DataFrame(rows, columns=columns), convolution=",", without_sharing=",", without_locality=",")


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


def search(runs, n=None):
    """Return the runs of a search, best validation accuracy first, as a Markdown table; the first `n` if given."""
    frame = search_frame(runs)
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return markdown(frame.head(n or len(frame)), parameters=",", validation_accuracy=".2%", training_loss=".4f")


def search_frame(runs):
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
    order = ["validation accuracy", "learning rate", "batch size", "layer 1", "layer 2"]
    return pd.DataFrame(rows).sort_values(order, ascending=[False] + 4 * [True], ignore_index=True)


def median_errors(frame):
    """Return {hyper-parameter: Series} with the median validation error at each of its values in a `search_frame`."""
    names = ("learning rate", "batch size", "layer 1", "layer 2")
    return {name: 1 - frame.groupby(name)["validation accuracy"].median() for name in names}


def errors_by_epoch(runs):
    """Return training and validation error after each epoch, two columns per label, as a Markdown table.

    `runs`: lists of Runs by label, which differ in their seeds; the figures are means over them.
    """
    columns = {}
    for label, same in runs.items():
        for where, word in (("train", "training"), ("valid", "validation")):
            means = np.mean([run.history[f"{where}_error"] for run in same], axis=0)
            columns[f"{label}, {word}"] = pd.Series([f"{error:.2%}" for error in means])
    frame = pd.DataFrame(columns).fillna("")  # where one was trained for fewer epochs
    frame.insert(0, "epoch", range(1, len(frame) + 1))
    return markdown(frame)


def final(runs):
    """Return what the networks ended with, on training and validation, as a Markdown table.

    `runs`: lists of Runs by label, which differ in their seeds.  Figures are mean ± standard deviation over them.
    """
    rows = [
        {"network": label, "parameters": same[0].n_parameters}
        | {
            name: spread([run.final(measure) for run in same], spec)
            for name, measure, spec in (
                ("training loss", "train_loss", ".4f"),
                ("training error", "train_error", ".2%"),
                ("validation loss", "valid_loss", ".4f"),
                ("validation error", "valid_error", ".2%"),
            )
        }
        for label, same in runs.items()
    ]
    return markdown(pd.DataFrame(rows), parameters=",")


def results(runs, n_images):
    """Return the report's one table of all results: each chosen network on validation and on the test set.

    `runs`: lists of Runs by label, which differ in their seeds.  Figures are mean ± standard deviation over them.
    `n_images` of the training set give the number of steps.  Multiply-adds are those of one image on its way forward.
    """
    rows = [
        {
            "network": label,
            "seeds": len(same),
            "parameters": same[0].n_parameters,
            "multiply-adds": architecture.multiply_adds(same[0]),
            "steps": setups.n_steps(same[0].config, n_images),
            "seconds": np.mean([sum(run.history["seconds"]) for run in same]),
            "validation accuracy": spread([run.valid_accuracy for run in same], ".2%"),
            "test accuracy": spread([1 - run.test["error"] for run in same], ".2%"),
            "test loss": spread([run.test["loss"] for run in same], ".4f"),
        }
        for label, same in runs.items()
    ]
    formats = {"parameters": ",", "multiply-adds": ",", "steps": ",", "seconds": ".0f"}
    return markdown(pd.DataFrame(rows), **formats) if rows else Markdown("| network |\n|---|")


def on_all_sets(runs):
    """Return errors and accuracies on training, validation and test, as a Markdown table.

    `runs`: lists of Runs by label, which differ in their seeds.  Figures are mean ± standard deviation over them; the
    change is that of the mean accuracy from validation to test, in points.
    """
    rows = []
    for label, same in runs.items():
        valid, test = statistics.finals(same, "valid_error"), np.array([run.test["error"] for run in same])
        rows.append(
            {
                "network": label,
                "seeds": len(same),
                "epochs": same[0].config["epochs"],
                "training error": spread(statistics.finals(same, "train_error"), ".2%"),
                "validation accuracy": spread(1 - valid, ".2%"),
                "test accuracy": spread(1 - test, ".2%"),
                "change (points)": words.signed(100 * (valid.mean() - test.mean()), ".2f"),
            }
        )
    return markdown(pd.DataFrame(rows))


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


def comparisons(found):
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


def strongest(errors):
    """Return the mean of robustness.errors under the strongest distortion of each kind, as a Markdown table."""
    rows = []
    for name, by_label in errors.items():
        strength = max(next(iter(by_label.values())))
        means = {label: f"{np.mean(points[strength]):.1%}" for label, points in by_label.items()}
        rows.append({"distortion": f"{name}, {strength:g}"} | means)
    return markdown(pd.DataFrame(rows))
