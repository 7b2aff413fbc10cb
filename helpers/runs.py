"""Many runs: train what is not yet stored, on every core or on a cluster."""

import math
import sys
import tempfile
import threading
from contextlib import contextmanager

import numpy as np
from IPython import get_ipython
from tqdm import tqdm

from helpers import cluster, dispatch, training
from helpers.cluster import SweepError
from helpers.keys import key
from helpers.store import folder, read, read_weights, write

TICK = 5  # seconds after which a progress bar is drawn anew, whatever has happened


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
    with bar, _ticking(bar), _told_what_is_stored(bar, failures), cluster.connect() as client:
        for line in dispatch.about(client):
            bar.write(line)
        for name, result in dispatch.results(client, missing):
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
        told = "\n".join(f"{missing[name]}: {dispatch.reason(error)}" for name, error in failures.items())
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
def _told_what_is_stored(bar, failures):
    try:
        yield
    except (KeyboardInterrupt, SweepError):
        n = bar.n - len(failures)
        bar.write(f"Stopped: {n} of {bar.total} runs are stored, and the same command or cell goes on from there.")
        raise


def ranked(runs):
    """Return Runs in order, the lowest validation error first; between equals the lower loss decides."""
    return sorted(runs, key=lambda run: (run.final("valid_error"), run.final("valid_loss")))


def network(run):
    """Return the trained network of a stored Run; its method `predict(X)` gives probabilities (N, 10)."""
    return training.network(run.config, read_weights(run))
