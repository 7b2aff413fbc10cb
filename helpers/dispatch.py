"""Runs handed to the workers of a cluster: configurations go, and what they trained comes back."""

import ctypes
import warnings
from collections import deque
from importlib.util import find_spec
from itertools import count

from distributed import KilledWorker, as_completed, get_worker

from helpers import cluster, training
from helpers.cluster import SweepError
from helpers.keys import key, versions


class Refused(Exception):
    """A worker would not give the numbers of the driver: (its address, what it has)."""


def results(client, missing):
    """Yield (name, what training returned or the error) as runs finish.

    Two runs per thread are under way at a time: a driver that dies takes no more than these with it.  A run whose
    workers died is tried again at the end, alone, since they may have died of another one.
    Raises SweepError when the scheduler is lost or no worker has the driver's code, packages and data.
    """
    again, address = {}, client.scheduler.address
    try:
        for name, future in _finished(client, missing, "", lambda: 2 * sum(client.nthreads().values())):
            if isinstance(future.exception(), KilledWorker):
                again[name] = missing[name]
            else:
                yield name, future.exception() or future.result()
        for name, future in _finished(client, again, "-again", lambda: 1):
            yield name, future.exception() or future.result()
    except OSError:
        raise SweepError(
            f"the scheduler at {address} is gone, or silent for {cluster.SILENCE} s: start it anew or, without "
            "DASK_SCHEDULER_ADDRESS, let this machine train"
        ) from None


def _finished(client, configs, attempt, n_at_a_time):
    """Yield (name, future) of each configuration, in the order in which they finish."""
    waiting, names, finished, refused, sent = deque(configs), {}, as_completed(), {}, count()
    while True:
        for _ in range(min(len(waiting), max(1, n_at_a_time()) - len(names))):
            name = waiting.popleft()
            # A key of its own each time: one that was refused would be refused again, without a worker being asked.
            future = _submit(client, name, configs[name], f"{name}{attempt}-{next(sent)}", refused)
            names[future] = name
            finished.add(future)
        if not names:
            return
        future = next(finished)
        name = names.pop(future)
        if future.cancelled():
            raise ConnectionError
        if isinstance(future.exception(), Refused):
            waiting.append(name)
            _note(refused, *future.exception().args)
        else:
            yield name, future


def _submit(client, name, config, key, refused):
    """Send a run to a worker that has not refused one."""
    fit = [address for address in client.nthreads() if address not in refused] if refused else None
    if fit == []:
        told = "; ".join(f"{address} has {what}" for address, what in refused.items())
        raise SweepError(f"no worker would give the numbers that this machine gives: {told}")
    return client.submit(
        _work, name, config, versions(config["model"]), key=key, workers=fit, allow_other_workers=fit is not None
    )


def _note(refused, address, what):
    if address not in refused:
        warnings.warn(f"the worker {address} has {what}: others train", stacklevel=2)
    refused[address] = what


def _work(name, config, wanted):
    """Train on a worker, which must have the driver's code, data and `wanted` versions of packages."""
    if key(config) != name:
        found = versions(config["model"])
        pairs = [(package, found.get(package), version) for package, version in wanted.items()]
        other = [f"{package} {mine}, not {yours}" for package, mine, yours in pairs if mine != yours]
        raise Refused(get_worker().address, ", ".join(other) or "other code or other data")
    _keep_freed_memory()
    return training.train(config)


def _keep_freed_memory():
    """Have glibc's malloc keep what is freed for the next array.

    Dask has its workers give it back to the system, and a CNN takes 1.6 times as long.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt:
        mallopt(-1, 1_000_000_000)  # M_TRIM_THRESHOLD, in bytes
        mallopt(-3, 33_554_432)  # M_MMAP_THRESHOLD, in bytes: the largest value that is allowed


def reason(error):
    """Why a run failed, in words."""
    if isinstance(error, KilledWorker):
        return "each worker that tried it died"
    if isinstance(error, ImportError):
        return f"{error!r} on a worker: has its machine the whole project installed, and enough memory?"
    return repr(error)


def about(client):
    """Lines on the cluster that a user needs while it works."""
    services = client.scheduler_info()["services"]
    if "dashboard" in services and find_spec("bokeh"):
        yield f"Dask's dashboard: {client.dashboard_link}"
    if not client.nthreads():
        yield f"{client.scheduler.address} has no workers yet; the runs wait for one."
