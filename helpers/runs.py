"""Many runs: train what is not yet stored, on every core or on a cluster, and find it again."""

import math
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
from IPython import get_ipython
from tqdm import tqdm

from helpers import cluster, training
from helpers.cluster import SweepError
from helpers.keys import key
from helpers.metrics import evaluate
from helpers.store import folder, read, read_json, read_weights, set_aside, write, write_json

TICK = 5  # seconds after which a progress bar is drawn anew, whatever has happened
SECTIONS = {  # how the labels begin under which a notebook chooses runs, and the notebook
    **dict.fromkeys(("start: ", "best rate: ", "largest rate: "), "01_initialization"),
    **dict.fromkeys(("search", "rounding", "MLP"), "02_hyperparameter_search"),
    **dict.fromkeys(("CNN", "short: "), "04_cnn"),
    **dict.fromkeys(("MLP with ", "CNN with ", "best MLP", "best CNN"), "05_regularization"),
}


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
            raise KeyError(f"no run has been chosen as {label!r} yet{why}: run {section(label)} first")
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
    file = sys.stdout if get_ipython() else sys.stderr  # what a notebook shows of stderr looks like an error
    bar = tqdm(desc="training", total=n_stored + len(missing), initial=n_stored, unit="run", file=file)
    bar.set_postfix(reused=n_stored, refresh=False)
    with bar, _ticking(bar), _told_what_is_stored(bar), cluster.connect() as client:
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
def _ticking(bar):
    """Let the clock of a bar go on while a training lasts."""
    ended = threading.Event()

    def tick():
        while not ended.wait(TICK):
            bar.refresh()

    thread = threading.Thread(target=tick, name="clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _told_what_is_stored(bar):
    try:
        yield
    except (KeyboardInterrupt, SweepError):
        bar.write(
            f"Stopped: {bar.n} of {bar.total} runs are stored, and the same command or cell goes on from there."
        )
        raise


def ranked(runs):
    """Return Runs in order, the lowest validation error first; between equals the lower loss decides."""
    return sorted(runs, key=lambda run: (run.final("valid_error"), run.final("valid_loss")))


def network(run):
    """Return the trained network of a stored Run; its method `predict(X)` gives probabilities (N, 10)."""
    return training.network(run.config, read_weights(run))


def choose(label, *same, on_test=True):
    """Return these Runs, which differ in their seeds alone, as what the report calls `label`.

    They are noted for later sections.  Where others are noted already, those stay, and a line says so: an exploration
    does not touch the report's record.  They give way where the report is built (REPORT_BUILDS is set), or where the
    code has changed since.  With `on_test` the test set is used: each run's `test` figures are measured, and stored
    with it where it is noted.
    """
    path, names = _chosen(same[0].config["dataset"]), [run.key for run in same]
    noted = read_json(path) or {}
    explored = names != noted.get(label, names) and not os.environ.get("REPORT_BUILDS") and _current(noted[label])
    for run in same:
        if on_test and run.test is None:
            run.test = evaluate(network(run), training.dataset(run.config).test)._asdict()
            if not explored:
                write_json(folder() / f"{run.key}.json", asdict(run))
    if explored:
        print(f"An exploration: later sections go on with what the report has chosen as {label!r}.")
    elif names != noted.get(label):
        write_json(path, noted | {label: names})
    return same


def section(label):
    """Return the name of the notebook that chooses the runs of this label."""
    begins = [beginning for beginning in SECTIONS if label.startswith(beginning)]
    return SECTIONS[max(begins, key=len)] if begins else "the notebook that chooses it"


def _current(names):
    """Whether runs are there and bear the names that they would be given now."""
    found = [read(name) for name in names]
    return None not in found and all(key(run.config) == run.key for run in found)


def chosen(dataset):
    """Return what the report chose on the data set of this name, {label: [Run, ...]}, as `choose` was given it.

    A label without Runs raises KeyError, which says what to do.
    """
    path = _chosen(dataset)
    return Chosen(read_json(path) or {}, set_aside(path))


def _chosen(dataset):
    return folder() / f"chosen-{dataset}.json"
