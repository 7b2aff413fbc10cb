"""What a sweep survives, with real processes that are killed, stopped and starved, on small data."""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dask
import distributed
import psutil
import pytest

from helpers import cluster, dispatch, limits, runs, training

pytestmark = pytest.mark.slow

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1}
DRIVER = """
import json, sys
from helpers import runs
for run in runs.sweep(json.loads(sys.argv[1])):
    print(run.key, flush=True)
"""
PATIENCE = 180  # seconds until a condition that must come true counts as missed, on a machine with other work


def configs(n, **changes):
    return [MLP | changes | {"seed": seed} for seed in range(n)]


def keys(wanted):
    return {runs.key(config) for config in wanted}


def start(wanted, **environment):
    """A driver in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, json.dumps(wanted)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def stored(folder):
    return {path.stem: path.stat().st_mtime_ns for path in folder.glob("*.json")}


def leftovers(folder):
    """Files that are not the two of a whole run."""
    whole = {f"{key}.{end}" for key in stored(folder) for end in ("json", "npz")}
    return {path.name for path in folder.iterdir()} - whole


def workers(process):
    """The worker processes of a driver, oldest first."""
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it may end, or be a zombie, while we ask
            if "spawn_main" in " ".join(child.cmdline()):
                found.append((child.create_time(), child))
    return [child for _, child in sorted(found, key=lambda pair: pair[0])]


def ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def numbers(run):
    return {name: values for name, values in run.history.items() if name != "seconds"}


def test_after_a_killed_driver_only_what_was_under_way_is_repeated(results):
    wanted = configs(12, epochs=20)
    driver = start(wanted)
    wait_for(lambda: len(stored(results)) >= 2 or driver.poll() is not None)
    children = workers(psutil.Process(driver.pid))
    driver.kill()
    driver.communicate()
    before = stored(results)
    assert 2 <= len(before) < len(wanted)
    wait_for(lambda: all(ended(child) for child in children))

    finished = {run.key: run for run in runs.sweep(wanted)}
    assert set(finished) == keys(wanted)
    after = stored(results)
    assert {key: after[key] for key in before} == before
    for config in wanted:
        assert numbers(finished[runs.key(config)]) == numbers(training.train(config)[0])


@pytest.mark.usefixtures("results")
def test_killed_workers_cost_no_run():
    wanted, killed, found = configs(8, epochs=10), 0, set()
    for run in runs.sweep(wanted):
        found.add(run.key)
        if killed < 4 and (alive := workers(psutil.Process())):
            alive[-1].kill()
            killed += 1
    assert killed == 4
    assert found == keys(wanted)


def _work_or_die(name, config, wanted):
    if config.get("seed") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return training.train(config)


def test_a_configuration_that_kills_its_workers_is_named_and_the_others_finish(results, monkeypatch):
    monkeypatch.setattr(dispatch, "_work", _work_or_die)
    wanted = configs(4) + [MLP | {"lr": 1e6, "hidden_dims": [20, 20]}]
    found = {}
    with pytest.raises(runs.SweepError, match=r"(?s)1 of 5 configurations failed.*'seed': 1.*each worker .* died"):
        found.update((run.key, run) for run in runs.sweep(wanted))
    assert set(stored(results)) == keys(wanted) - {runs.key(wanted[1])}
    assert runs.read(runs.key(wanted[-1])).diverged


def test_an_interrupt_ends_everything_and_keeps_what_is_done(results):
    driver = start([MLP, *configs(3, epochs=10**6, lr=0.01)])
    wait_for(lambda: stored(results) or driver.poll() is not None)
    children = workers(psutil.Process(driver.pid))
    os.killpg(driver.pid, signal.SIGINT)
    told, _ = driver.communicate(timeout=PATIENCE)
    wait_for(lambda: all(ended(child) for child in children))
    assert "1 of 4 runs are stored, and the same command or cell goes on from there" in told
    assert set(stored(results)) == {runs.key(MLP)}
    assert not leftovers(results)


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_driver_that_is_stopped_while_its_workers_start_leaves_none(number):
    driver = start(configs(4, epochs=10**6))
    wait_for(lambda: workers(psutil.Process(driver.pid)) or driver.poll() is not None)
    children = workers(psutil.Process(driver.pid))
    (os.killpg if number == signal.SIGINT else os.kill)(driver.pid, number)  # a terminal's Ctrl-C reaches all
    _, told = driver.communicate(timeout=PATIENCE)
    wait_for(lambda: all(ended(child) for child in children))
    assert number == signal.SIGTERM or told.count("Traceback") == 1, told  # the driver's KeyboardInterrupt


@pytest.mark.usefixtures("results")
def test_a_caller_that_leaves_a_sweep_leaves_no_worker():
    found = runs.sweep([MLP, *configs(3, epochs=10**6, lr=0.01)])
    next(found)
    assert workers(psutil.Process())
    found.close()
    assert not workers(psutil.Process())


def test_a_local_cluster_listens_on_this_machine_alone(results):
    driver = start(configs(4, epochs=10**6))
    try:
        wait_for(lambda: workers(psutil.Process(driver.pid)) or driver.poll() is not None)
        family = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]
        lines = [
            line for process in family for line in process.net_connections() if line.status == psutil.CONN_LISTEN
        ]
        assert lines
        assert {line.laddr.ip for line in lines} <= {"127.0.0.1", "::1"}
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.communicate()


def test_a_full_disk_is_told_and_leaves_nothing_half_written(results):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # bytes per file; the weights need 65,000
    try:
        with pytest.raises(runs.SweepError, match="cannot be stored in .*File too large.*make room"):
            list(runs.sweep([MLP]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(results.iterdir())


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(("option", "told"), [("n", "only 64 open files"), ("v", "only 0 KiB of address space")])
def test_a_limit_that_is_too_low_is_told_with_what_raises_it(option, told, monkeypatch):
    low = {limits.NEEDED[option][0]: (64, 64)}
    getrlimit = resource.getrlimit
    monkeypatch.setattr(resource, "getrlimit", lambda limit: low.get(limit) or getrlimit(limit))
    with pytest.raises(runs.SweepError, match=rf"{told} are allowed, and \d+ are needed: `ulimit -{option} \d+`"):
        list(runs.sweep([MLP]))


def test_two_drivers_share_a_folder(results):
    wanted = configs(6, epochs=5)
    drivers = [start(wanted), start(wanted)]
    for driver in drivers:
        out, told = driver.communicate(timeout=PATIENCE)
        assert set(out.split()) == keys(wanted), told
    assert set(stored(results)) == keys(wanted)
    assert not leftovers(results)


@contextlib.contextmanager
def separate_cluster(folder, *paths):
    """A scheduler, and a worker for each PYTHONPATH, which start in `folder`, not the project's; yields them all."""
    program, address = Path(sys.executable).parent / "dask", folder / "scheduler.json"
    scheduler = [
        program,
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        address,
    ]
    worker = [program, "worker", "--scheduler-file", address, "--nthreads", "1", "--no-dashboard"]
    processes = [
        subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL)
        for command, path in [(scheduler, ""), *((worker, path) for path in paths)]
    ]
    try:
        wait_for(address.exists)
        scheduled = json.loads(address.read_text())["address"]
        with distributed.Client(scheduled) as client:
            client.wait_for_workers(len(paths), timeout=PATIENCE)
        yield scheduled, processes
    finally:
        for process in reversed(processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # a worker that has just lost its scheduler may be deaf to a request
                process.kill()
                process.wait()


def test_the_same_call_uses_a_cluster_of_separate_processes(results, tmp_path):
    with separate_cluster(tmp_path, "") as (address, processes):
        driver = start([MLP, CNN], DASK_SCHEDULER_ADDRESS=address)
        out, told = driver.communicate(timeout=PATIENCE)
        assert set(out.split()) == keys([MLP, CNN]), told
        assert all(process.poll() is None for process in processes)  # they are not the driver's to close
    assert set(stored(results)) == keys([MLP, CNN])


@pytest.fixture
def other_numpy(tmp_path):
    """A PYTHONPATH where NumPy has another version."""
    (tmp_path / "numpy-1.2.3.dist-info").mkdir()
    (tmp_path / "numpy-1.2.3.dist-info" / "METADATA").write_text("Name: numpy\nVersion: 1.2.3\n")
    return str(tmp_path)


def test_a_worker_with_another_package_is_named_and_the_others_train(results, tmp_path, other_numpy):
    wanted = configs(4)
    with separate_cluster(tmp_path, other_numpy, "") as (address, _):
        out, told = start(wanted, DASK_SCHEDULER_ADDRESS=address).communicate(timeout=PATIENCE)
    assert told.count("has numpy 1.2.3, not") == 1
    assert set(out.split()) == keys(wanted), told
    assert set(stored(results)) == keys(wanted)


def test_workers_with_another_package_alone_train_nothing(results, tmp_path, other_numpy):
    with separate_cluster(tmp_path, other_numpy) as (address, _):
        _, told = start([MLP], DASK_SCHEDULER_ADDRESS=address).communicate(timeout=PATIENCE)
    assert "no worker would give the numbers that this machine gives" in told
    assert not stored(results)


def test_a_scheduler_that_dies_is_named_and_what_is_done_is_kept(results, tmp_path):
    with separate_cluster(tmp_path, "") as (address, processes):
        driver = start([MLP, *configs(2, epochs=10**6, lr=0.01)], DASK_SCHEDULER_ADDRESS=address)
        wait_for(lambda: stored(results) or driver.poll() is not None)
        processes[0].kill()
        out, told = driver.communicate(timeout=PATIENCE)
    assert "1 of 3 runs are stored, and the same command or cell goes on from there" in out
    assert f"SweepError: the scheduler at {address} is gone" in told.splitlines()[-1]


@pytest.mark.usefixtures("results")
def test_a_scheduler_that_falls_silent_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "SILENCE", 2)
    with separate_cluster(tmp_path, "") as (address, processes), dask.config.set({"scheduler-address": address}):
        found = runs.sweep([MLP, *configs(2, epochs=10**6, lr=0.01)])
        next(found)
        processes[0].send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(runs.SweepError, match=f"the scheduler at {address} is gone, or silent for 2 s"):
                next(found)
        finally:
            processes[0].send_signal(signal.SIGCONT)
    assert "1 of 3 runs are stored, and the same command or cell goes on from there" in capsys.readouterr().out


@pytest.mark.usefixtures("results")
def test_a_script_without_a_guard_is_told_to_have_one(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"from helpers import runs\nlist(runs.sweep([{MLP}]))\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert (
        "SweepError: no worker process could be started. A script must call `sweep` under `if __name__" in done.stderr
    )
    assert done.stderr.count("Traceback") == 1


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{silent}", "tcp://127.0.0.1:1", "foo", "http://127.0.0.1:8786"])
def test_an_address_where_no_scheduler_answers_is_named_in_time(address, monkeypatch):
    monkeypatch.setattr(cluster, "_local", None)  # this machine must not stand in unasked
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = address.format(silent=server.getsockname()[1])
        started = time.monotonic()
        with (
            dask.config.set({"scheduler-address": address}),
            pytest.raises(runs.SweepError, match=f"no scheduler answers at DASK_SCHEDULER_ADDRESS={address} "),
        ):
            list(runs.sweep([MLP]))
        assert time.monotonic() - started < 60
