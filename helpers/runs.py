"""Many runs: train what is not yet stored, on every core or on a cluster, and find it again."""

import math
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from helpers import cluster, training
from helpers.cluster import SweepError
from helpers.keys import key
from helpers.metrics import evaluate
from helpers.store import folder, read, read_json, read_weights, set_aside, write, write_json


class Chosen(Mapping):
    """Lists of Runs by label, each read when it is asked for: what a notebook reads is what it depends on."""

    def __init__(self, names, set_aside):
        self._names, self._set_aside = names, set_aside

    def __getitem__(self, label):
        same = [read(name) for name in self._names.get(label, ())]
        if not same or None in same:
            why = (
                f" (what had been chosen was damaged and stands in {self._set_aside[-1]})" if self._set_aside else ""
            )
            raise KeyError(f"no run has been chosen as {label!r} yet{why}: run the notebooks before this one first")
        return same

    def __iter__(self):
        return (label for label in self._names if label in self)

    def __len__(self):
        return sum(1 for _ in self)


def train(wanted):
    """Return {label: [Run, ...]} for {label: [configuration, ...]}, in the order asked for; see `sweep`."""
    found = {run.key: run for run in sweep(config for same in wanted.values() for config in same)}
    return {label: [found[key(config)] for config in same] for label, same in wanted.items()}


def sweep(configs):
    """Yield the Run of each configuration, stored ones first, the others as they finish.

    Dask trains them: on the cluster at DASK_SCHEDULER_ADDRESS, else here, with a process per core.
    Raises SweepError where none can be trained or stored and, after all others are stored and yielded, where a
    configuration failed: it raised an error, or each worker that tried it died.
    """
    wanted = _named(configs)
    missing = {}
    for name, config in wanted.items():
        run = read(name)
        if run is None:
            missing[name] = config
        else:
            yield run
    if missing:
        _check_storage()
        yield from _train(missing, n_stored=len(wanted) - len(missing))


def _named(configs):
    """The configurations by the names of their runs; ValueError lists those that are not allowed."""
    wanted, faults = {}, []
    for config in configs:
        try:
            wanted[key(config)] = config
        except ValueError as error:
            faults.append(f"{config}: {error}")
    if faults:
        raise ValueError("nothing was trained, since these configurations are not allowed:\n" + "\n".join(faults))
    return wanted


def _check_storage():
    """Raise SweepError before anything is trained where runs could not be stored."""
    with _told_where():
        folder().mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder()).close()


@contextmanager
def _told_where():
    try:
        yield
    except OSError as error:
        raise SweepError(
            f"runs cannot be stored in {folder()} ({error.strerror}). What was stored before is kept: make room and "
            "run the same command again, or name a folder that can be written, as in RESULTS=/tmp/results"
        ) from error


def _train(missing, n_stored):
    failures, best = {}, math.nan
    bar = tqdm(desc="training", total=n_stored + len(missing), initial=n_stored, unit="run")
    bar.set_postfix(reused=n_stored, refresh=False)
    with bar, _told_what_is_stored(bar), cluster.connect() as client:
        for line in cluster.about(client):
            bar.write(line)
        for name, result in cluster.results(client, missing):
            if isinstance(result, BaseException):
                failures[name] = result
            else:
                with _told_where():
                    run = read(name) or write(name, *result)  # another driver may have been faster
                best = np.fmax(best, run.valid_accuracy)
                yield run
            told = {} if math.isnan(best) else {"best": f"{best:.2%}"}  # replays may leave the validation set alone
            bar.set_postfix(reused=n_stored, failed=len(failures), **told, refresh=False)
            bar.update()
    if failures:
        told = "\n".join(f"{missing[name]}: {cluster.reason(error)}" for name, error in failures.items())
        raise SweepError(f"{len(failures)} of {len(missing)} configurations failed:\n{told}")


@contextmanager
def _told_what_is_stored(bar):
    try:
        yield
    except (KeyboardInterrupt, SweepError):
        bar.write(f"Stopped: {bar.n} of {bar.total} runs are stored, and the same command goes on from there.")
        raise


def ranked(runs):
    """Return Runs in order, the lowest validation error first; between equals the lower loss decides."""
    return sorted(runs, key=lambda run: (run.final("valid_error"), run.final("valid_loss")))


def network(run):
    """Return the trained network of a stored Run; its method `predict(X)` gives probabilities (N, 10)."""
    return training.network(run.config, read_weights(run))


def choose(label, *same, on_test=True):
    """Note that the report chose these Runs, which differ in their seeds alone, as its `label`; return them.

    This is where the test set is used: each run's `test` figures are measured, once, and stored with it.  Without
    `on_test` the runs are noted for later sections alone.
    """
    for run in same:
        if on_test and run.test is None:
            run.test = evaluate(network(run), training.dataset(run.config).test)._asdict()
            write_json(folder() / f"{run.key}.json", asdict(run))
    path = _chosen(same[0].config["dataset"])
    write_json(path, (read_json(path) or {}) | {label: [run.key for run in same]})
    return same


def chosen(dataset):
    """Return what the report chose on the data set of this name, {label: [Run, ...]}, as `choose` was given it.

    A label without Runs raises KeyError, which says what to do.
    """
    path = _chosen(dataset)
    return Chosen(read_json(path) or {}, set_aside(path))


def _chosen(dataset):
    return folder() / f"chosen-{dataset}.json"
