"""`make bench`: how fast the networks train, as ratios against peers that do the same work in the same run.

Prints a table and leaves benchmarks.md and speed.png in this folder. Everything runs on one thread; the contestants
take turns, and each figure is the median of REPETITIONS. Needs MNIST.
"""

import time
import tracemalloc
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from helpers import configs, data, mlp, nn, plots, training
from helpers.fast import FastNN
from helpers.original import SECONDS_PER_EPOCH
from tests.benchmarks import peers, sweeps

HERE = Path(__file__).resolve().parent
REPETITIONS = 5
MLPS = (([500, 400], 64), ([600, 600], 32), ([600, 400], 16))  # hidden units, batch size
SQUARE = 2048  # rows of the matrix whose product sets the bound


def mlp_config(hidden_dims, batch_size):
    """A configuration of one epoch."""
    return configs.complete(
        {
            "model": "mlp",
            "dataset": "mnist",
            "hidden_dims": hidden_dims,
            "lr": 0.01,
            "batch_size": batch_size,
            "epochs": 1,
        }
    )


def flops(hidden_dims, n_train, n_valid):
    """Multiplications and additions of one epoch: three products per layer and step, but no gradient of the input.

    Both sets are evaluated at the end, with one product per layer.
    """
    sizes = (784, *hidden_dims, 10)
    weights = [n_in * n_out for n_in, n_out in pairwise(sizes)]
    return 2 * n_train * (3 * sum(weights) - weights[0]) + 2 * (n_train + n_valid) * sum(weights)


def seconds(work):
    """The time that `work()` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def square_product():
    """Seconds per floating-point operation of a large square matrix product in float32."""
    a = np.random.default_rng(0).random((SQUARE, SQUARE), dtype=np.float32)
    return seconds(lambda: a @ a) / (2 * SQUARE**3)


def ours(config, sets):
    """One epoch of NN.train_loop."""
    network = mlp.build(config, sets, FastNN)
    return lambda: network.train_loop(1)


def products(config, sets):
    """The matrix products of the same epoch alone, each into an array that is kept: what an epoch must take."""
    (X, _), (X_valid, _), _ = sets
    sizes = (X.shape[1], *config["hidden_dims"], data.N_CLASSES)
    W = [np.ones(shape, np.float32) for shape in pairwise(sizes)]
    dW = [np.empty_like(w) for w in W]

    def arrays(n):
        return [np.ones((n, width), np.float32) for width in sizes[1:]]

    def blocks(images, n):
        return (images[start : start + n] for start in range(0, len(images), n))

    def forward(images, kept):
        Z = [images]
        for w, z in zip(W, kept, strict=True):
            Z.append(np.matmul(Z[-1], w, out=z[: len(images)]))
        return Z

    def work():
        kept, kept_dA = arrays(config["batch_size"]), arrays(config["batch_size"])
        for batch in blocks(X, config["batch_size"]):
            Z = forward(batch, kept)
            dA = [array[: len(batch)] for array in kept_dA]
            for i in reversed(range(len(W))):
                np.matmul(Z[i].T, dA[i], out=dW[i])
                if i > 0:
                    np.matmul(W[i], dA[i].T, out=dA[i - 1].T)
        kept = arrays(nn.BLOCK)
        for images in (X, X_valid):
            for block in blocks(images, nn.BLOCK):
                forward(block, kept)

    return work


def medians(contestants):
    """The median seconds of each contestant, {name: function that returns seconds}, which take turns."""
    times = {name: [] for name in contestants}
    for _ in range(REPETITIONS):
        for name, measure in contestants.items():
            times[name].append(measure())
    return {name: float(np.median(values)) for name, values in times.items()}


def multilayer_perceptrons(dataset):
    """Rows of the table: each network's epoch against the bound, its products alone, PyTorch and scikit-learn."""
    splits = dataset.train, dataset.valid
    sets = [split.one_hot() for split in (dataset.train, dataset.valid, dataset.test)]
    for hidden_dims, batch_size in tqdm(MLPS, desc="perceptrons"):
        config = mlp_config(hidden_dims, batch_size)
        work = {
            "NN": ours(config, sets),
            "products": products(config, sets),
            "eager": peers.eager(config, splits),
            "sklearn": peers.sklearn(config, splits),
        }
        measures = {name: lambda work=work: seconds(work) for name, work in work.items()}
        found = medians({"bound": square_product, **measures})
        bound = found["bound"] * flops(hidden_dims, len(dataset.train), len(dataset.valid))
        yield {
            "network": "-".join(map(str, (784, *hidden_dims, 10))),
            "batch": batch_size,
            "seconds per epoch": found["NN"],
            "of the bound": found["NN"] / bound,
            "products alone, of the bound": found["products"] / bound,
            "of PyTorch eager": found["NN"] / found["eager"],
            "of scikit-learn": found["NN"] / found["sklearn"],
        }


def convolutional_network():
    """The seconds of one epoch, ours and the usual way."""
    config = configs.complete({"model": "cnn", "dataset": "mnist", "lr": 0.1, "batch_size": 64, "epochs": 1})
    usual = peers.usual_cnn(config)
    return medians({"ours": lambda: seconds(lambda: training.train(config)), "usual": lambda: seconds(usual)})


def peak_memory(dataset):
    """Peak MB of the arrays that an epoch of NN.train_loop makes beyond the data."""
    sets = [split.one_hot() for split in (dataset.train, dataset.valid, dataset.test)]
    work = ours(mlp_config([600, 600], 32), sets)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def growth(dataset):
    """Seconds per epoch of NN, and of the bound, against the number of images and the width: a dict of DataFrames."""
    cases = {
        "training images": [(n, [500, 400], n) for n in (10_000, 20_000, 30_000, 40_000, 50_000)],
        "hidden units per layer": [(width, [width, width], 10_000) for width in (100, 200, 400, 800, 1600, 3200)],
    }
    frames = {}
    for name, rows in cases.items():
        found = []
        for x, hidden_dims, n in tqdm(rows, desc=name):
            train = data.Split(dataset.train.X[:n], dataset.train.y[:n])
            sets = [split.one_hot() for split in (train, dataset.valid, dataset.test)]
            work = ours(mlp_config(hidden_dims, 64), sets)
            times = medians({"bound": square_product, "NN": lambda work=work: seconds(work)})
            found.append((x, times["NN"], times["bound"] * flops(hidden_dims, n, len(dataset.valid))))
        frames[name] = pd.DataFrame(found, columns=[name, "NN", "bound"])
    return frames


def show(table, frames):
    """Save the figure: who takes how long for an epoch (the rows of the table), and the two frames of `growth`."""
    figure, (contest, *axes) = plt.subplots(1, 3, figsize=(1.5 * plots.WIDTH, 2.9), width_ratios=(1.3, 1, 1))
    seconds = table["seconds per epoch"]
    bars = {
        "NN.train_loop": seconds,
        "bound": seconds / table["of the bound"],
        "products alone": seconds / table["of the bound"] * table["products alone, of the bound"],
        "PyTorch eager": seconds / table["of PyTorch eager"],
        "scikit-learn": seconds / table["of scikit-learn"],
    }
    place = np.arange(len(table))
    for i, (name, heights) in enumerate(bars.items()):
        contest.bar(place + 0.16 * (i - 2), heights, 0.15, label=name, color=plots.COLOURS[i])
    labels = [f"{network}\nbatch {batch}" for network, batch in zip(table["network"], table["batch"], strict=True)]
    contest.set_xticks(place, labels, fontsize="small")
    contest.set(ylabel="seconds per epoch", title="one epoch of MNIST")
    contest.legend(fontsize="small")
    for axis, (name, frame) in zip(axes, frames.items(), strict=True):
        axis.plot(frame[name], frame["NN"], "o-", color=plots.COLOURS[0], label="NN.train_loop")
        axis.plot(frame[name], frame["bound"], "--", color=plots.COLOURS[1], label="bound")
        axis.set(xlabel=name, ylabel="seconds per epoch")
    axes[0].set(ylim=(0, None), title="784-500-400-10")
    axes[1].set(xscale="log", yscale="log", title="two equal layers, 10,000 images")
    axes[0].legend()
    figure.savefig(HERE / "speed.png", dpi=150)


def main():
    """Measure all, print the table, write benchmarks.md and speed.png."""
    torch.set_num_threads(1)
    dataset = data.load("mnist")
    table = pd.DataFrame(multilayer_perceptrons(dataset))
    networks = convolutional_network()
    ratio = networks["ours"] / networks["usual"]
    original = SECONDS_PER_EPOCH.values()
    text = (
        f"{table.to_markdown(index=False, floatfmt='.2f')}\n\n"
        f"By its own log the original took {min(original):.1f} to {max(original):.1f} s per epoch of the first.\n\n"
        f"Convolutional network, one epoch: {networks['ours']:.1f} s, {ratio:.2f} of the usual loop (DataLoader, "
        f"default memory format). Peak memory of NN.train_loop beyond the data: {peak_memory(dataset):.0f} MB. "
        f"Medians of {REPETITIONS} interleaved repetitions, one thread, NumPy {np.__version__}, "
        f"PyTorch {torch.__version__}.\n\n"
    )
    text += "\n".join([*sweeps.report(), sweeps.report_efficiency()]) + "\n"
    print(text)
    (HERE / "benchmarks.md").write_text(text)
    show(table, growth(dataset))


if __name__ == "__main__":
    main()
