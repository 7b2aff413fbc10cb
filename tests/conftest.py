"""Every test trains on small data, and stores its runs in a folder of its own."""

import os
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it starts in the background
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # as in workers

import pytest  # noqa: E402


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of runs."""
    monkeypatch.setenv("RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def no_windows():
    """Figures are drawn to memory, and closed after the test."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def made():
    """A function that makes a Run without training it, `made(seed, epochs, **config)`: all its figures differ."""
    from itertools import pairwise
    from math import prod

    import numpy as np

    from helpers.store import HISTORY, Run

    def make(seed=0, epochs=3, **config):
        rng = np.random.default_rng(seed)
        config = {"model": "mlp", "hidden_dims": [30, 20], "lr": 0.1, "batch_size": 32, "epochs": epochs} | config
        shapes = {}
        for i, sizes in enumerate(pairwise((784, *config["hidden_dims"], 10)), start=1):
            shapes |= {f"W{i}": list(sizes), f"b{i}": [1, sizes[1]]}
        history = {name: rng.uniform(0.01, 0.5, epochs).tolist() for name in HISTORY}
        history["seconds"] = [100 * seconds for seconds in history["seconds"]]
        test = {name: rng.uniform(0.01, 0.5) for name in ("loss", "error", "unclipped_loss")}
        return Run(config, "", sum(map(prod, shapes.values())), history, {}, test=test, shapes=shapes)

    return make
