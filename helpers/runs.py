"""The store of runs, and sweep: train what is not yet stored, on every core or on a cluster.

A run is two files in results/: `<key>.json` (the Run) and `<key>.npz` (its weights).  The key is a hash of all
that determines the numbers.  The JSON file is written last and renamed into place: it exists when all is there.
"""

import ast
import hashlib
import inspect
import json
import logging
import math
import os
import signal
import tempfile
import textwrap
import warnings
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import dask
import numpy as np
from distributed import Client, WorkerPlugin, as_completed
from tqdm import tqdm

from helpers import data, training
from helpers.training import Run

CLUSTER = {
    # One thread per worker.  Dask's own setting for glibc's malloc gives every large array back to the system, and a
    # CNN takes twice as long; these keep freed memory for the next array.
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), 1
    )
    | {"MALLOC_TRIM_THRESHOLD_": 1_000_000_000, "MALLOC_MMAP_THRESHOLD_": 33_554_432},
    "distributed.scheduler.allowed-failures": 2,  # a configuration that kills three workers is given up
}


class Chosen(dict):
    """Lists of Runs by label."""

    def __missing__(self, label):
        raise LookupError(f"no run has been chosen as {label!r} yet: run the notebooks before this one first")


class _LeaveInterruptsToTheDriver(WorkerPlugin):
    """Ctrl-C reaches every process of a terminal or kernel; the driver alone decides what it means."""

    def setup(self, worker):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class SweepError(Exception):
    """Some configurations of a sweep failed; the runs of all others are stored."""


def folder():
    """The folder of the runs: the variable RESULTS, else results/ in the project."""
    return data.ROOT / (os.environ.get("RESULTS") or "results")


def key(config):
    """Return the name under which the run of `config` is stored, with a hash of what determines it."""
    config = training.complete(config)
    dataset = data.load(config["dataset"])
    decisive = [config, dataset.fingerprint, _code(config["model"])]
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return f"{config['model']}-{dataset.name}-{digest[:16]}"


@cache
def _code(model):
    """The source that trains `model`, without comments and docstrings, which determine nothing."""
    return [_bare(inspect.getsource(part)) for part in training.sources(model)]


def _bare(source):
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        if documented:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def sweep(configs):
    """Yield the Run of each configuration, stored ones first, the others as they finish.

    Dask trains them: on the cluster at DASK_SCHEDULER_ADDRESS, else here, with a process per core.
    Raises SweepError, after all others are stored and yielded, where a configuration failed.
    """
    wanted = {key(config): config for config in configs}
    stored = {name: run for name in wanted if (run := read(name)) is not None}
    yield from stored.values()
    missing = {name: config for name, config in wanted.items() if name not in stored}
    if missing:
        _check_storage()
        yield from _train(missing, n_stored=len(stored))


def _check_storage():
    """Raise SweepError before anything is trained where runs could not be stored."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder()).close()
    except OSError as error:
        raise SweepError(
            f"runs cannot be stored in {folder()} ({error.strerror}): "
            "name a folder that can be written, as in RESULTS=/tmp/results"
        ) from error


def _train(missing, n_stored):
    failures, best = [], math.nan
    bar = tqdm(desc="training", total=n_stored + len(missing), initial=n_stored, unit="run")
    with bar, _told_what_is_stored(bar), _client() as client:
        futures = {client.submit(training.train, config, key=name): name for name, config in missing.items()}
        for future in as_completed(list(futures)):
            name = futures.pop(future)
            if future.status == "finished":
                run = write(name, *future.result())
                best = np.fmax(best, run.valid_accuracy)
                yield run
            else:
                failures.append(f"{missing[name]}: {future.exception()!r}")
            bar.set_postfix(failed=len(failures), best=f"{best:.2%}", refresh=False)
            bar.update()
    if failures:
        raise SweepError(f"{len(failures)} of {len(missing)} configurations failed:\n" + "\n".join(failures))


@contextmanager
def _told_what_is_stored(bar):
    try:
        yield
    except KeyboardInterrupt:
        bar.write(f"Stopped: {bar.n} of {bar.total} runs are stored, and the same command goes on from there.")
        raise


@contextmanager
def _client():
    with dask.config.set(CLUSTER):
        remote = dask.config.get("scheduler-address", None)
        local = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.ERROR}
        with Client(**({} if remote else local)) as client:
            if not remote:
                client.register_plugin(_LeaveInterruptsToTheDriver())
            yield client


def write(name, run, weights):
    """Store a run and its weights under `name`; return the Run, which then knows its key."""
    run.key = name
    folder().mkdir(parents=True, exist_ok=True)
    with _replacing(folder() / f"{name}.npz") as file:
        np.savez(file, **weights)
    _write_json(folder() / f"{name}.json", asdict(run))
    return run


def read(name):
    """Return the stored Run `name`, or None where there is none, or none that is whole."""
    path = folder() / f"{name}.json"
    content = _read_json(path) if path.with_suffix(".npz").exists() else None
    if content is None:
        return None
    run = Run(**content)
    for values in run.history.values():
        values[:] = [math.nan if x is None else x for x in values]
    return run


def network(run):
    """Return the trained network of a stored Run: an NN or a PyTorch module."""
    with np.load(folder() / f"{run.key}.npz", allow_pickle=False) as weights:
        return training.network(run.config, weights)


def choose(label, *same):
    """Note that the report chose these Runs, which differ in their seeds alone, as its `label`; return them.

    This is where the test set is used: each run's `test` figures are measured, once, and stored with it.
    """
    for run in same:
        if run.test is None:
            loss, error = training.evaluate(network(run), data.load(run.config["dataset"]).test)
            run.test = {"loss": loss, "error": error}
            _write_json(folder() / f"{run.key}.json", asdict(run))
    names = _chosen(same[0].config["dataset"])
    names[label] = [run.key for run in same]
    _write_json(folder() / f"chosen-{same[0].config['dataset']}.json", names)
    return same


def chosen(dataset):
    """Return what the report chose on the data set of this name, {label: [Run, ...]}, as `choose` was given it.

    A label without Runs raises LookupError, which says what to do.
    """
    found = {label: [read(name) for name in names] for label, names in _chosen(dataset).items()}
    return Chosen({label: same for label, same in found.items() if None not in same})


def _chosen(dataset):
    return _read_json(folder() / f"chosen-{dataset}.json") or {}


@contextmanager
def _replacing(path):
    """Open a temporary file that becomes `path` when all of it is written."""
    temporary = Path(f"{path}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_json(path, content):
    content = _portable(content)
    with _replacing(path) as file:
        file.write(json.dumps({"sha256": _sha256(content), "content": content}, indent=1).encode())


def _read_json(path):
    """Return the content of a file of this store, or None; one that was cut or edited is set aside."""
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text())
        if _sha256(stored["content"]) == stored["sha256"]:
            return stored["content"]
    except (ValueError, TypeError, KeyError):
        pass
    aside = path.with_suffix(".broken")
    path.replace(aside)
    warnings.warn(f"{path.name} is not as it was written; it was set aside as {aside.name}", stacklevel=3)
    return None


def _portable(value):
    """The same value as JSON knows it: a number that is not finite becomes null."""
    if isinstance(value, dict):
        return {name: _portable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sha256(content):
    return hashlib.sha256(json.dumps(content, allow_nan=False).encode()).hexdigest()
