"""Tables: from Runs and networks to the Markdown that the notebooks show."""

import inspect
import math
import textwrap
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from helpers import configs, data, original, statistics, training, words


def markdown(frame, index=False, **formats):
    """Return a DataFrame as a Markdown table; `formats` gives a format string by column, "_" standing for blanks."""
    shown = frame.copy()
    for column, spec in formats.items():
        name = column.replace("_", " ")
        shown[name] = [format(value, spec) for value in shown[name]]
    numeric = [name in frame.select_dtypes("number") for name in frame.columns]
    align = (["left"] if index else []) + ["right" if is_number else "left" for is_number in numeric]
    return Markdown(shown.to_markdown(index=index, colalign=align, disable_numparse=True))


def source(*parts):
    """Return the source of functions and classes as one block of code in Markdown."""
    code = "\n".join(textwrap.dedent(inspect.getsource(part)) for part in parts)
    return Markdown(f"```python\n{code}```")


NONLINEARITY = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "logistic sigmoid"}
INITIALISATION = {
    "zero": "zero",
    "normal": "standard normal",
    "glorot": "Glorot",
    "he": "He",
    "pytorch": "PyTorch's default",
}


def setup(configurations, n_images, tried=None):
    """Return what experiments train, one column per label, as a Markdown table.

    `configurations`: lists of configurations by label; where they differ every value is listed.  `n_images` of the
    training set give the number of steps.  `tried`: by label, how many combinations each was chosen from.
    """
    rows = {}
    for label, same in configurations.items():
        same = [configs.complete(config) for config in same]
        column = {
            "architecture": _values(same, _architecture),
            "parameters": _range(sorted({n_parameters(config) for config in same})),
            "nonlinearity": _values(same, lambda c: NONLINEARITY[c.get("activation", "relu")]),
            "initialisation": _values(same, lambda c: INITIALISATION[c["init_method"]]),
            "learning rate": _values(same, lambda c: f"{c['lr']:g}" + (", falling to 0" if c.get("decay") else "")),
            "batch size": _values(same, lambda c: c["batch_size"]),
            "order": _values(same, lambda c: "new each epoch" if c.get("shuffle", c["model"] == "cnn") else "file"),
            "in training": _values(same, _regularisers),
            "epochs": _values(same, lambda c: c["epochs"]),
            "steps": _range(sorted({_n_steps(c, n_images) for c in same})),
            "seeds": _values(same, lambda c: c["seed"]),
            "configurations": f"{len({str(c | {'seed': 0}) for c in same})}",
            "runs": f"{len(same)}",
            "chosen from": f"{tried[label]:,} combinations" if tried and label in tried else "",
        }
        for name, value in column.items():
            rows.setdefault(name, {})[label] = value
    kept = {name: row for name, row in rows.items() if any(row.values())}
    frame = pd.DataFrame.from_dict(kept, orient="index")
    return markdown(frame.rename_axis("").reset_index())


def _n_steps(config, n_images):
    return config["epochs"] * math.ceil(n_images / config["batch_size"])


def _values(configurations, say):
    """What `say` says of each configuration, each once, in the order given; a range where they are many."""
    said = list(dict.fromkeys(say(config) for config in configurations))
    if all(isinstance(value, int) for value in said):
        return _range(sorted(said))
    return ", ".join(said) if len(said) <= 4 else f"{len(said)}, from {said[0]} to {said[-1]}"


def _range(values):
    """Whole numbers in words; more than three neighbours as a range."""
    shown = [f"{value:,}" for value in values]
    if len(values) <= 3:
        return ", ".join(shown)
    return f"{shown[0]} to {shown[-1]}"


def _architecture(config):
    if config["model"] == "cnn":
        words = "convolutions without shared weights" if not config["shared"] else "3 convolutions"
        pooling = "" if config["pooling"] else ", no pooling"
        return f"{words}{pooling}, {config['fc1_units']:,} units"
    return "-".join(map(str, (data.SIDE**2, *config["hidden_dims"], data.N_CLASSES)))


def _regularisers(config):
    words = []
    if config.get("permutation") is not None:
        words.append("pixels permuted")
    if any(config.get("dropout", ())):
        words.append("dropout " + " and ".join(f"{p:g}" for p in config["dropout"]))
    if config.get("shift"):
        words.append(f"shifts to {config['shift']:g} pixels")
    if config.get("rotation"):
        words.append(f"rotations to {config['rotation']:g}°")
    return "; ".join(words)


@cache
def _cnn_parameters(**arguments):
    cnn = training.model("cnn")
    return sum(w.numel() for w in cnn.network(**arguments).parameters())


def n_parameters(config):
    """Return the number of parameters of the network that a complete configuration describes."""
    if config["model"] == "cnn":
        return _cnn_parameters(**{name: config[name] for name in ("fc1_units", "pooling", "shared")})
    return original.n_parameters(*config["hidden_dims"])


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


def layer_rows(network):
    """Return (name, kind, shape of the output, number of parameters) of each layer of a PyTorch Sequential.

    The module itself computes the output for one image; its shape comes as text, as in 20 × 24 × 24.
    """
    return [
        (name, layer.__class__.__name__, original.times(shape), n_parameters)
        for name, layer, _, shape, n_parameters in _passed(network)
    ]


def _passed(network):
    """Yield (name, layer, shapes of its input and its output for one image, number of parameters) of each layer."""
    import torch

    x = torch.zeros(1, 1, data.SIDE, data.SIDE)
    network.eval()
    for name, layer in network.named_children():
        before, x = x, layer(x)
        yield name, layer, before.shape[1:], x.shape[1:], sum(w.numel() for w in layer.parameters())


def layers(network):
    """Return the `layer_rows` of a PyTorch Sequential, with the sum of the parameters, as a Markdown table."""
    rows = layer_rows(network)
    rows.append(("all", "", "", sum(row[-1] for row in rows)))
    return markdown(pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"]), parameters=",")


def savings(network):
    """Return the parameters of each convolution of a PyTorch Sequential, as a Markdown table.

    Beside it stand those of a locally connected layer with the same windows, which has weights of its own at each
    place, and those of a full connection between the same inputs and outputs.
    """
    rows = [
        (name, n_parameters, n_parameters * math.prod(after[1:]), (math.prod(before) + 1) * math.prod(after))
        for name, _, before, after, n_parameters in _passed(network)
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


def combination(config):
    """Return a configuration of the search in words, with its nonlinearity where that is not ReLU."""
    activation = config["activation"]
    return original.label(config) + ("" if activation == "relu" else f", {NONLINEARITY[activation]}")


def by_rate(runs):
    """Return the validation accuracy of Runs, nonlinearities down and learning rates across, as a Markdown table."""
    rows = {}
    for run in runs:
        row = rows.setdefault(run.config["activation"], {"nonlinearity": NONLINEARITY[run.config["activation"]]})
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
            "multiply-adds": multiply_adds(same[0]),
            "steps": _n_steps(same[0].config, n_images),
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
                "change (points)": f"{100 * (valid.mean() - test.mean()):+.2f}",
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


def multiply_adds(run):
    """Return the multiplications, each with its addition, that the network of a Run makes for one image."""
    if run.config["model"] == "mlp":
        return sum(math.prod(shape) for name, shape in run.shapes.items() if name.startswith("W"))
    total, side = 0, data.SIDE
    for name, layer in training.model("cnn").build(run.config).named_children():
        if name.startswith("conv"):
            side -= layer.kernel_size[0] - 1
            total += layer.weight.numel() * side**2
        elif name.startswith("pool"):
            side //= 2
        elif name.startswith("fc"):
            total += layer.weight.numel()
    return total


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
            told, units = (repr(float(old)), f"{original.ulps(old, new)}") if known else ("–", "–")
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
            f"{apart[name]:+d}" if apart else "–",
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


def verdicts(frame):
    """Return how often each verdict occurs among the rows of original.verdicts, by kind, as a Markdown table."""
    counts = pd.crosstab(frame["kind"], frame["verdict"])
    counts = counts.reindex(index=original.KINDS, columns=original.VERDICTS, fill_value=0)
    return markdown(counts.loc[:, counts.any()].rename_axis("kind").reset_index())


def claims(frame):
    """Return the rows of original.verdicts as a Markdown table, each value to the places that its claim has."""
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
