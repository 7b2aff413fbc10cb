"""The cluster that trains, through Dask: a process per core of this machine, or one that is there already."""

import asyncio
import logging
import multiprocessing
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker

import dask
from distributed import Client, Security, rpc

from helpers import limits

N_FAILURES = 2  # a configuration that kills one worker more is given up
PATIENCE = 8  # seconds in which a scheduler must answer
SILENCE = 60  # seconds after which one that has answered before is given up
HERE = "127.0.0.1"  # nobody else can reach a local cluster


class SweepError(Exception):
    """Some configurations of a sweep failed, or all of it; the runs of all others are stored."""


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
