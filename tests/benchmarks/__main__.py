"""`make bench`: how fast the networks train, as ratios against peers that do the same work in the same run.

Prints tables and leaves benchmarks.md and speed.png in this folder.  All networks train on one core; the contestants
take turns, and each figure is the median of REPETITIONS.  Needs MNIST.
"""

import os
import time
import tracemalloc
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from helpers import configs, data, dispatch, keys, mlp, style, training
from helpers.fast import FastNN
from helpers.nn import NN
from helpers.original import SECONDS_PER_EPOCH
from helpers.report import facts
from tests.benchmarks import peers, sweeps

HERE = Path(__file__).resolve().parent
REPETITIONS, FEWER = 7, 3  # fewer of the convolutional network, whose epochs are long
N_IMAGES = 20_000  # of a pass
MLPS = (([500, 400], 64), ([600, 600], 32), ([600, 400], 16))  # hidden units, batch size
SQUARE = 2048  # rows of the matrix whose product sets the bound
CONTESTANTS = {
    "FastNN": partial(peers.Ours, FastNN),
    "NN": partial(peers.Ours, NN),
    "JAX, scan": peers.Jax,
    "JAX, step by step": peers.JaxSteps,
    "PyTorch eager": peers.Eager,
    "scikit-learn": peers.Sklearn,
    "products alone": peers.Products,
}
RECIPE = {"hidden_dims": [500, 400], "lr": 0.1, "batch_size": 16}  # of the race to WANTED
WANTED, STRIDE = 0.97, 10_000  # validation accuracy, looked at after so many images
RACERS = ("FastNN", "NN", "JAX, scan", "PyTorch eager")


def mlp_config(**recipe):
    """A configuration of one epoch on MNIST."""
    return configs.complete({"model": "mlp", "dataset": "mnist", "epochs": 1} | recipe)


def initial_weights(config):
    """The weights that every contestant begins with."""
    network = mlp.build(config)
    network.initialize_weights((data.SIDE**2, data.N_CLASSES))
    return network.weights


def flops(hidden_dims, n_train, n_evaluated=0):
    """Multiplications and additions: three products per layer and step, but no gradient of the input.

    An image that is evaluated takes one product per layer.
    """
    weights = [n_in * n_out for n_in, n_out in pairwise((data.SIDE**2, *hidden_dims, data.N_CLASSES))]
    return 2 * n_train * (3 * sum(weights) - weights[0]) + 2 * n_evaluated * sum(weights)


def seconds(work):
    """The time that `work()` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def square_product():
    """Seconds per floating-point operation of a large square matrix product in float32."""
    a = np.random.default_rng(0).random((SQUARE, SQUARE), dtype=np.float32)
    return seconds(lambda: a @ a) / (2 * SQUARE**3)


def medians(contestants, repetitions=REPETITIONS):
    """The median seconds of each contestant, {name: function that returns seconds}, which take turns."""
    times = {name: [] for name in contestants}
    for measure in contestants.values():  # compiles what is to be compiled
        measure()
    for _ in range(repetitions):
        for name, measure in contestants.items():
            times[name].append(measure())
    return {name: float(np.median(values)) for name, values in times.items()}


def passes(dataset):
    """Seconds of one pass over N_IMAGES, and of the same with its evaluations: a configuration and two dicts each."""
    train_set = data.Split(dataset.train.X[:N_IMAGES], dataset.train.y[:N_IMAGES])
    for hidden_dims, batch_size in tqdm(MLPS, desc="perceptrons"):
        config = mlp_config(hidden_dims=hidden_dims, lr=0.01, batch_size=batch_size)
        weights = initial_weights(config)
        steps, evaluations = {}, {}
        for name, make in CONTESTANTS.items():
            peer = make(config, weights)
            train, valid = (peer.prepare(split.X, split.y) for split in (train_set, dataset.valid))
            steps[name] = partial(seconds, partial(peer.steps, train))
            if hasattr(peer, "evaluate"):
                both = (partial(peer.evaluate, train), partial(peer.evaluate, valid))
                evaluations[name] = lambda both=both: sum(seconds(evaluate) for evaluate in both)
        found = medians({"bound": square_product, **steps})
        measured = medians({"bound": square_product, **evaluations})
        found["bound"] *= flops(hidden_dims, N_IMAGES)
        measured["bound"] *= flops(hidden_dims, 0, N_IMAGES + len(dataset.valid))
        yield config, found, {name: found[name] + value for name, value in measured.items()}


def ratios(rows):
    """A Markdown table: the seconds of FastNN, and their ratio to those of every other contestant."""
    frame = pd.DataFrame(
        {
            "network": "-".join(map(str, (784, *config["hidden_dims"], 10))),
            "batch": str(config["batch_size"]),
            "seconds": found["FastNN"],
            **{f"of {name}": found["FastNN"] / value for name, value in found.items() if name != "FastNN"},
        }
        for config, found in rows
    )
    return frame.to_markdown(index=False, floatfmt=".2f")


def race(dataset):
    """Seconds of training to WANTED validation accuracy, with the looks at it, as a Markdown table."""
    config = mlp_config(**RECIPE)
    weights = initial_weights(config)
    starts = range(0, len(dataset.train), STRIDE)
    results = {name: [] for name in RACERS}
    for _ in tqdm(range(REPETITIONS), desc="race"):
        for name in RACERS:
            peer = CONTESTANTS[name](config, weights)
            valid = peer.prepare(dataset.valid.X, dataset.valid.y)
            parts = [peer.prepare(dataset.train.X[i : i + STRIDE], dataset.train.y[i : i + STRIDE]) for i in starts]
            rehearsal = CONTESTANTS[name](config, weights)  # in which JAX compiles
            compilation = seconds(
                lambda peer=rehearsal, valid=valid, part=parts[0]: (peer.steps(part), peer.evaluate(valid))
            )
            started, n_parts, accuracy = time.perf_counter(), 0, 0.0
            while accuracy < WANTED:
                peer.steps(parts[n_parts % len(parts)])
                accuracy = peer.evaluate(valid)
                n_parts += 1
            results[name].append((time.perf_counter() - started, n_parts * STRIDE, accuracy, compilation))
    rows = []
    for name, found in results.items():
        took, n_images, accuracy, _ = np.median(found, axis=0)
        rows.append((name, took, f"{n_images:,.0f}", f"{accuracy:.2%}", found[0][-1]))
    columns = ["trainer", "seconds", "images seen", "accuracy then", "first 10,000 images, seconds"]
    return pd.DataFrame(rows, columns=columns).to_markdown(index=False, floatfmt=".2f")


def convolutional_network():
    """Seconds of one epoch, ours and the usual way; and of ours the passes over the images alone."""
    config = configs.complete({"model": "cnn", "dataset": "mnist", "lr": 0.1, "batch_size": 64, "epochs": 1})
    usual = peers.usual_cnn(config)
    work = {"ours": partial(training.train, config), "usual": usual}
    return medians({name: partial(seconds, each) for name, each in work.items()}, FEWER)


def peak_memory(dataset):
    """Peak MB of the arrays that an epoch of training makes beyond the data, FastNN and NN."""
    sets = [split.one_hot() for split in (dataset.train, dataset.valid, dataset.test)]
    for kind in (FastNN, NN):
        network = mlp.build(mlp_config(hidden_dims=[600, 600], lr=0.01, batch_size=32), kind, data=sets)
        tracemalloc.start()
        network.train_loop(1)
        yield tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()


def growth(dataset):
    """Seconds per epoch of FastNN, and of the bound, against the number of images and the width: DataFrames."""
    cases = {
        "training images": [(n, [500, 400], n) for n in (10_000, 20_000, 30_000, 40_000, 50_000)],
        "hidden units per layer": [(width, [width, width], 10_000) for width in (100, 200, 400, 800, 1600, 3200)],
    }
    frames = {}
    for name, rows in cases.items():
        found = []
        for x, hidden_dims, n in tqdm(rows, desc=name):
            config = mlp_config(hidden_dims=hidden_dims, lr=0.01, batch_size=64)
            peer = CONTESTANTS["FastNN"](config, initial_weights(config))
            pair = peer.prepare(dataset.train.X[:n], dataset.train.y[:n])
            times = medians({"bound": square_product, "FastNN": partial(seconds, partial(peer.steps, pair))})
            found.append((x, times["FastNN"], times["bound"] * flops(hidden_dims, n)))
        frames[name] = pd.DataFrame(found, columns=[name, "FastNN", "bound"])
    return frames


def show(rows, frames):
    """Save the figure: who takes how long for a pass over the images, and the two frames of `growth`."""
    figure, (contest, *axes) = plt.subplots(1, 3, figsize=(1.5 * style.WIDTH, 3.1), width_ratios=(1.5, 1, 1))
    names = ["FastNN", "NN", "JAX, scan", "PyTorch eager", "products alone", "bound"]
    place = np.arange(len(rows))
    for i, name in enumerate(names):
        heights = [found[name] for _, found in rows]
        contest.bar(place + 0.14 * (i - 2.5), heights, 0.13, label=name, color=style.COLOURS[i])
    labels = [f"784-{'-'.join(map(str, c['hidden_dims']))}-10\nbatch {c['batch_size']}" for c, _ in rows]
    contest.set_xticks(place, labels, fontsize="small")
    contest.set(ylabel="seconds", title=f"one pass over {N_IMAGES:,} images")
    contest.legend(fontsize="small")
    for axis, (name, frame) in zip(axes, frames.items(), strict=True):
        axis.plot(frame[name], frame["FastNN"], "o-", color=style.COLOURS[0], label="FastNN")
        axis.plot(frame[name], frame["bound"], "--", color=style.COLOURS[5], label="bound")
        axis.set(xlabel=name, ylabel="seconds")
    axes[0].set(ylim=(0, None), title="784-500-400-10")
    axes[1].set(xscale="log", yscale="log", title="two equal layers, 10,000 images")
    axes[0].legend()
    figure.savefig(HERE / "speed.png", dpi=150)


@contextmanager
def on_one_core():
    """On one core where the system lets a process choose: JAX has no other limit."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def measure():
    """Measure all networks, save the figure and yield the sections of the text, in Markdown, as they are known."""
    dataset = data.load("mnist")
    contest = list(passes(dataset))
    steps = [(config, found) for config, found, _ in contest]
    original = SECONDS_PER_EPOCH.values()
    yield f"## One pass over {N_IMAGES:,} images in batches\n\n{ratios(steps)}"
    yield "## The same with the evaluation of these images and of the validation set after it"
    yield ratios([(config, found) for config, _, found in contest])
    yield (
        f"By its own log the original took {min(original):.1f} to {max(original):.1f} s per epoch of 50,000 images "
        "with the first."
    )
    yield f"## To {WANTED:.0%} validation accuracy\n\n{race(dataset)}"
    yield (
        f"The network is 784-{'-'.join(map(str, RECIPE['hidden_dims']))}-10, the learning rate {RECIPE['lr']}, the "
        f"batch size {RECIPE['batch_size']}; accuracy is looked at after every {STRIDE:,} images. The last column is "
        "a rehearsal, in which JAX compiles; it is not counted."
    )
    show(steps, growth(dataset))
    fast, plain = peak_memory(dataset)
    networks = convolutional_network()
    yield (
        f"## Besides\n\nConvolutional network, one epoch: {networks['ours']:.1f} s, "
        f"{networks['ours'] / networks['usual']:.2f} of the usual loop (DataLoader, default memory format). Peak "
        f"memory beyond the data: {fast:.0f} MB with FastNN, {plain:.0f} MB with NN."
    )
    yield (
        f"Medians of {REPETITIONS} interleaved repetitions, {FEWER} of the convolutional network, on one core of "
        f"{facts.processor()}; {keys.machine()['blas']}; NumPy {np.__version__}, JAX {jax.__version__}, PyTorch "
        f"{torch.__version__}."
    )


def main():
    """Measure all, print the tables, write benchmarks.md and speed.png."""
    torch.set_num_threads(1)
    dispatch._keep_freed_memory()  # as workers do
    text = []
    with on_one_core():
        for section in measure():
            print(section, end="\n\n", flush=True)
            text.append(section)
    rest = [*sweeps.report(), sweeps.report_efficiency()]
    print(*rest, sep="\n")
    (HERE / "benchmarks.md").write_text("\n\n".join([*text, "\n".join(rest)]) + "\n")


if __name__ == "__main__":
    main()
