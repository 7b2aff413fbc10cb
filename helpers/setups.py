"""Configurations in words."""

import math

import pandas as pd

from helpers import configs, data
from helpers.architecture import n_parameters
from helpers.tables import markdown

NONLINEARITY = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "logistic sigmoid"}
INITIALISATION = {
    "zero": "zero",
    "normal": "standard normal",
    "glorot": "Glorot",
    "he": "He",
    "pytorch": "PyTorch's default",
}


def table(configurations, n_images, tried=None):
    """Return what experiments train in words, one column per label, as a Markdown table.

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
            "steps": _range(sorted({n_steps(c, n_images) for c in same})),
            "seeds": _values(same, lambda c: c["seed"]),
            "configurations": f"{len({str(c | {'seed': 0}) for c in same})}",
            "runs": f"{len(same)}",
            "chosen from": f"{tried[label]:,} combinations" if tried and label in tried else "",
        }
        for name, value in column.items():
            rows.setdefault(name, {})[label] = value
    kept = {name: row for name, row in rows.items() if any(row.values())}
    return markdown(pd.DataFrame.from_dict(kept, orient="index").rename_axis("").reset_index())


def n_steps(config, n_images):
    """Return the number of steps of a training on `n_images`."""
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


def combination(config):
    """Return a configuration of the search in words, with its nonlinearity where that is not ReLU."""
    first, second = config["hidden_dims"]
    activation = config.get("activation", "relu")
    nonlinearity = "" if activation == "relu" else f", {NONLINEARITY[activation]}"
    return f"{first}-{second}, rate {config['lr']:g}, batch {config['batch_size']}{nonlinearity}"
