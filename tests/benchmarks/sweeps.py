"""What a sweep costs beyond its runs.  `python -m tests.benchmarks.sweeps 100000` sweeps so many that do nothing."""

import os
import sys
import tempfile
import time

import psutil

from helpers import dispatch, original, runs, training
from helpers.training import HISTORY, Run

N_SAMPLED, EPOCHS = 12, 3  # of the search's combinations, for the parallel efficiency


def nothing(name, config, wanted):
    """Stands for `dispatch._work` in a worker: a run without training."""
    return Run(
        config, fingerprint="", n_parameters=0, history={measure: [1.0] for measure in HISTORY}, versions={}
    ), {}


def swept(configs):
    """Sweep into an empty folder; return the seconds up to the first run, those of the rest, and the driver's MB."""
    before = os.environ.get("RESULTS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RESULTS"] = folder
        try:
            started = first = time.perf_counter()
            for i, _ in enumerate(runs.sweep(configs)):
                if i == 0:
                    first = time.perf_counter()
            ended = time.perf_counter()
        finally:
            os.environ.pop("RESULTS") if before is None else os.environ.update(RESULTS=before)
    return first - started, ended - first, psutil.Process().memory_info().rss / 2**20


def of_no_work(n):
    """Milliseconds per run and the driver's MB of a sweep over `n` runs that do nothing."""
    config = {"model": "mlp", "dataset": "digits", "lr": 0.1, "batch_size": 32, "epochs": 1}
    work, dispatch._work = dispatch._work, nothing
    try:
        _, seconds, memory = swept([config | {"seed": seed} for seed in range(n)])
    finally:
        dispatch._work = work
    return 1000 * seconds / (n - 1), memory


def efficiency():
    """Seconds of sampled runs one after the other, of the same in a sweep, and the share of the cores' time used.

    The time that the cluster takes to start, once per sweep, is not counted.
    """
    configs = original.search_configs("mnist")
    sample = [config | {"epochs": EPOCHS} for config in configs[:: len(configs) // N_SAMPLED]]
    alone = sum(sum(training.train(config)[0].history["seconds"]) for config in sample)
    start, _, _ = swept([sample[0] | {"dataset": "digits", "epochs": 1}])
    until_first, rest, _ = swept(sample)
    together = until_first + rest - start
    return alone, together, alone / together / os.cpu_count()


def report(sizes=(1_000, 10_000)):
    """Lines of Markdown on sweeps that do nothing."""
    for n in sizes:
        milliseconds, memory = of_no_work(n)
        yield f"A sweep over {n:,} runs that do nothing: {milliseconds:.1f} ms per run, driver {memory:.0f} MB."


def report_efficiency():
    """A line of Markdown on the parallel efficiency of the search."""
    alone, together, share = efficiency()
    return (
        f"{N_SAMPLED} of the search's combinations for {EPOCHS} epochs: {alone:.0f} s one after the other, "
        f"{together:.0f} s in a sweep on {os.cpu_count()} cores (without the cluster's start), "
        f"a parallel efficiency of {share:.0%}."
    )


if __name__ == "__main__":
    print(*report([int(n) for n in sys.argv[1:]]), sep="\n")
