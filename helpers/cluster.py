"""Training on Dask: configurations go to a process per core of this machine, or to a cluster, and runs come back."""

import asyncio
import ctypes
import logging
import multiprocessing
import signal
import sys
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from multiprocessing import resource_tracker

import dask
from distributed import Client, KilledWorker, Security, as_completed, get_worker, rpc

from helpers import limits, training
from helpers.keys import key, versions

N_FAILURES = 2  # a configuration that kills one worker more is given up
PATIENCE = 8  # seconds in which a scheduler must answer
SILENCE = 60  # seconds after which one that has answered before is given up
HERE = "127.0.0.1"  # nobody else can reach a local cluster


class SweepError(Exception):
    """Some configurations of a sweep failed, or all of it; the runs of all others are stored."""


class Refused(Exception):
    """A worker would not give the numbers of the driver: (its address, what it has)."""


@contextmanager
def connect():
    """A Client of the cluster at DASK_SCHEDULER_ADDRESS, else of a new one here; SweepError where there is none."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a worker that imports a script without a guard; the driver says so
    address = dask.config.get("scheduler-address", None)
    with dask.config.set({"distributed.scheduler.allowed-failures": N_FAILURES}):
        client = _remote(address) if address else _local()
    with client:
        yield client


def _local():
    if refusal := limits.refused():
        raise SweepError(refusal)
    local = {"threads_per_worker": 1, "host": HERE, "dashboard_address": f"{HERE}:0", "silence_logs": logging.ERROR}
    try:
        with ThreadPoolExecutor(1, initializer=_leave_interrupts_to_the_driver) as thread:
            started = thread.submit(Client, **local)
            try:
                return started.result()
            except KeyboardInterrupt:
                started.result().close()  # one that is half started could not be closed
                raise
    except RuntimeError:
        raise SweepError(
            'no worker process could be started. A script must call `sweep` under `if __name__ == "__main__":`, '
            "since each worker imports it; and each needs memory (`ulimit -a` tells what is allowed)"
        ) from None


def _leave_interrupts_to_the_driver():
    """Ctrl-C reaches every process of a terminal or kernel, but those that this thread starts inherit a deaf ear."""
    resource_tracker.ensure_running()  # its start would undo the next line
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _remote(address):
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has an event loop already
            kind = thread.submit(asyncio.run, asyncio.wait_for(_identity(address), PATIENCE)).result()
        if kind != "Scheduler":
            raise ValueError(f"what answers there is a {kind}")
        client = Client(address, timeout=PATIENCE)
    except Exception as error:  # OSError, TimeoutError, ValueError, TypeError, ...: which, depends on the address
        raise SweepError(
            f"no scheduler answers at DASK_SCHEDULER_ADDRESS={address} ({str(error) or f'silent for {PATIENCE} s'}). "
            "An address is as the scheduler prints it, for example tcp://192.168.0.1:8786; without one, this machine "
            "trains"
        ) from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it would tell, SweepError tells
    client.loop.add_callback(_hang_up_on_silence, client)
    return client


async def _identity(address):
    async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
        return (await scheduler.identity())["type"]


async def _hang_up_on_silence(client):
    """Whatever waits for a scheduler that is stopped or cut off then fails, as it does when the scheduler dies."""
    try:
        while client.status == "running":
            await asyncio.sleep(PATIENCE)
            await asyncio.wait_for(client.scheduler.identity(), SILENCE)
    except OSError:  # TimeoutError is one
        if client.status == "running":
            client.scheduler_comm.abort()
            await client.rpc.close()


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
            f"the scheduler at {address} is gone, or silent for {SILENCE} s: start it anew or, without "
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
