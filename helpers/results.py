"""Tables of results: what Runs have on training, validation and test, by the label of their network."""

import numpy as np
import pandas as pd
from IPython.display import Markdown

from helpers import architecture, setups, statistics, words
from helpers.tables import markdown, spread


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


def errors_by_epoch(runs):
    """Return training and validation error after each epoch, two columns per label, as a Markdown table.

    `runs`: lists of Runs by label, which differ in their seeds; the figures are means over them.
    """
    columns = {}
    for label, same in runs.items():
        for split, word in (("train", "training"), ("valid", "validation")):
            means = np.mean([run.history[f"{split}_error"] for run in same], axis=0)
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


def summary(runs, n_images):
    """Return the report's one table of all summary: each chosen network on validation and on the test set.

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
