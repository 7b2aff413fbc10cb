"""Tables: from Runs and networks to the Markdown that the notebooks show."""

import pandas as pd
from IPython.display import Markdown

FIGURES = {"training_loss": ".4f", "training_error": ".2%", "validation_loss": ".4f", "validation_error": ".2%"}


def markdown(frame, index=False, **formats):
    """Return a DataFrame as a Markdown table; `formats` gives a format string by column, "_" standing for blanks."""
    shown = frame.copy()
    for column, spec in formats.items():
        name = column.replace("_", " ")
        shown[name] = [format(value, spec) for value in shown[name]]
    numeric = [name in frame.select_dtypes("number") for name in frame.columns]
    align = (["left"] if index else []) + ["right" if is_number else "left" for is_number in numeric]
    return Markdown(shown.to_markdown(index=index, colalign=align, disable_numparse=True))


def losses(runs):
    """Return the training loss at the end of each epoch, one column per label of `runs`, as a Markdown table."""
    frame = pd.DataFrame({label: run.history["train_loss"] for label, run in runs.items()})
    frame.insert(0, "epoch", range(1, len(frame) + 1))
    return markdown(frame, **dict.fromkeys(runs, ".4f"))


def history(run):
    """Return loss and error of a Run on training and validation, epoch by epoch, as a Markdown table."""
    names = {"train_loss": "training loss", "train_error": "training error"}
    names |= {"valid_loss": "validation loss", "valid_error": "validation error"}
    frame = pd.DataFrame(run.history)[list(names)].rename(columns=names)
    frame.insert(0, "epoch", range(1, len(frame) + 1))
    return markdown(frame, **FIGURES)


def weight_shapes(run):
    """Return the shape and the number of entries of each weight of a Run, with their sum, as a Markdown table."""
    rows = [(name, " × ".join(map(str, shape)), _product(shape)) for name, shape in run.shapes.items()]
    rows.append(("all", "", run.n_parameters))
    return markdown(pd.DataFrame(rows, columns=["array", "shape", "parameters"]), parameters=",")


def layers(network, shape=(1, 28, 28)):
    """Return the layers of a PyTorch Sequential for an input of `shape`, as a Markdown table.

    Each row is computed by the module itself: its output's shape and the number of its parameters.
    """
    import torch

    rows, x = [], torch.zeros(1, *shape)
    network.eval()
    for name, layer in network.named_children():
        x = layer(x)
        n_parameters = sum(w.numel() for w in layer.parameters())
        rows.append((name, layer.__class__.__name__, " × ".join(map(str, x.shape[1:])), n_parameters))
    rows.append(("all", "", "", sum(row[-1] for row in rows)))
    return markdown(pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"]), parameters=",")


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


def final(runs):
    """Return what each labelled Run ended with, on training and validation, as a Markdown table."""
    rows = [
        {
            "network": label,
            "parameters": run.n_parameters,
            "training loss": run.history["train_loss"][-1],
            "training error": run.history["train_error"][-1],
            "validation loss": run.history["valid_loss"][-1],
            "validation error": run.history["valid_error"][-1],
        }
        for label, run in runs.items()
    ]
    return markdown(pd.DataFrame(rows), parameters=",", **FIGURES)


def results(runs):
    """Return the report's one table of all results: each chosen Run on validation and on the test set."""
    rows = [
        {
            "network": label,
            "parameters": run.n_parameters,
            "epochs": run.config["epochs"],
            "seconds": sum(run.history["seconds"]),
            "validation accuracy": run.valid_accuracy,
            "test accuracy": 1 - run.test["error"],
            "test loss": run.test["loss"],
        }
        for label, run in runs.items()
    ]
    formats = {"seconds": ".0f", "validation_accuracy": ".2%", "test_accuracy": ".2%", "test_loss": ".4f"}
    return markdown(pd.DataFrame(rows), parameters=",", **formats) if rows else Markdown("| network |\n|---|")


def _product(shape):
    product = 1
    for n in shape:
        product *= n
    return product
