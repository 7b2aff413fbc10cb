"""Two trained networks that travel with the project, an MLP and a CNN, their weights in half precision.

    network = pretrained.load("cnn")
    network.predict(images)  # (N, 784), float32, ink bright on dark -> probabilities (N, 10)

`python -m helpers.pretrained` writes them anew from the runs that the report on MNIST chose.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import record, runs, store, training
from helpers.metrics import evaluate

FOLDER = Path(__file__).with_name("networks")
CHOSEN = {"mlp": "best MLP", "cnn": "best CNN"}  # the label under which the report chose each
DATASET = "mnist"


def halved(weights):
    """Return weights rounded to half precision, as float32 again."""
    return {name: w.astype(np.float16).astype(np.float32) for name, w in weights.items()}


def rounding(chosen, split):
    """Return a DataFrame with a row per stored Run, {name: Run}: what half precision costs on a Split.

    The last column counts the images on which the network is right before the rounding and wrong after, or the other
    way round.
    """
    rows = []
    for name, run in chosen.items():
        weights = store.read_weights(run)
        before, after = (
            evaluate(training.network(run.config, rounded), split) for rounded in (weights, halved(weights))
        )
        changed = len({*before.wrong} ^ {*after.wrong})
        rows.append((name, run.n_parameters, f"{1 - before.error:.2%}", f"{1 - after.error:.2%}", changed))
    columns = ["network", "parameters", "validation accuracy", "in half precision", "images judged otherwise"]
    return pd.DataFrame(rows, columns=columns)


def load(name):
    """Return the trained network `name`, "mlp" or "cnn", with a method `predict`; its rounding is `halved`.

    Raises ValueError where there is no such network.
    """
    if name not in CHOSEN:
        raise ValueError(f"network {name!r} is not one of {', '.join(CHOSEN)}")
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        weights = {key: stored[key].astype(np.float32) for key in stored.files if key != "config"}
        config = json.loads(str(stored["config"]))
    return training.network(config, weights)


def write():
    """Write the networks that the report chose."""
    FOLDER.mkdir(exist_ok=True)
    for name, label in CHOSEN.items():
        run = runs.ranked(record.chosen(DATASET)[label])[0]
        weights = {key: w.astype(np.float16) for key, w in store.read_weights(run).items()}
        np.savez_compressed(FOLDER / f"{name}.npz", config=json.dumps(run.config), **weights)


if __name__ == "__main__":
    write()
