"""The store and the sweep, with real processes on small data."""

import math
import os
import platform
import resource
import subprocess
import sys
import warnings

import numpy as np
import pytest

from helpers import runs, store, training

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1}


def without_times(run):
    return {name: values for name, values in run.history.items() if name != "seconds"}


@pytest.mark.usefixtures("results")
def test_a_sweep_trains_once_and_gives_what_training_gives(monkeypatch):
    configs = [MLP, MLP | {"lr": 0.01}, CNN]
    by_key = {run.key: run for run in runs.sweep(configs)}
    assert set(by_key) == {runs.key(config) for config in configs}
    run, weights = training.train(MLP)
    assert without_times(by_key[runs.key(MLP)]) == without_times(run)
    for name, w in runs.network(by_key[runs.key(MLP)]).weights.items():
        np.testing.assert_array_equal(w, weights[name])

    monkeypatch.setattr(runs, "_client", None)  # a second sweep must not need a cluster
    assert {run.key: run for run in runs.sweep(configs)} == by_key


@pytest.mark.usefixtures("results")
def test_a_failing_configuration_is_named_and_the_others_finish():
    finished = []
    with pytest.raises(runs.SweepError, match="'hidden_dims': \\[-5\\]"):
        finished.extend(runs.sweep([MLP | {"hidden_dims": [-5]}, MLP]))
    assert runs.read(runs.key(MLP)) is not None


def test_a_folder_that_cannot_be_written_is_named_before_training(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RESULTS", str(tmp_path / "file" / "results"))
    monkeypatch.setattr(runs, "_client", None)  # no cluster may be started
    with pytest.raises(runs.SweepError, match="file/results.*RESULTS="):
        list(runs.sweep([MLP]))


def test_a_diverged_run_is_stored_as_such(results):
    run, weights = training.train(MLP | {"lr": 1e6, "hidden_dims": [20, 20]})
    runs.write("diverged", run, weights)
    assert "NaN" not in (results / "diverged.json").read_text()
    again = runs.read("diverged")
    assert again.diverged
    assert math.isnan(again.history["train_loss"][-1])


@pytest.mark.parametrize("damage", [lambda text: text[:200], lambda text: text.replace('"seed": 0', '"seed": 1')])
def test_a_damaged_file_is_set_aside(results, damage):
    runs.write("run", *training.train(MLP))
    path = results / "run.json"
    path.write_text(damage(path.read_text()))
    with pytest.warns(UserWarning, match="run.json is not as it was written"):
        assert runs.read("run") is None
    assert (results / "run.json.broken").exists()
    assert runs.read("run") is None


def test_fresh_runs_replace_older_ones_when_they_are_finished(results, monkeypatch):
    run, weights = training.train(MLP)
    runs.write("run", run, weights)
    monkeypatch.setenv("FRESH_SINCE", str((results / "run.json").stat().st_mtime + 1))
    assert runs.read("run") is None
    assert (results / "run.json").exists()
    monkeypatch.setenv("FRESH_SINCE", str((results / "run.json").stat().st_mtime))
    assert runs.read("run") == run


def _cut(content):
    return content[: len(content) // 2]


def _edited(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [_cut, _edited])
def test_damaged_weights_are_set_aside(results, damage):
    runs.write("run", *training.train(MLP))
    path = results / "run.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match="run.npz is not as it was written"):
        assert runs.read("run") is None
    assert (results / "run.npz.broken").exists()
    assert runs.read("run") is None


def test_no_damaged_byte_of_the_weights_stops_a_sweep(results):
    """Whichever byte is hit: the file is whole, if the byte says nothing about the weights, or it is set aside."""
    run = store.Run({}, "", 0, {}, {})
    runs.write("run", run, {"W": np.arange(3.0)})
    path = results / "run.npz"
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1 :])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if runs.read("run") is not None:
                with np.load(path, allow_pickle=False) as weights:
                    np.testing.assert_array_equal(weights["W"], np.arange(3.0))


@pytest.mark.usefixtures("results")
def test_chosen_runs_are_tested_once_and_found_again():
    run = runs.write(runs.key(MLP), *training.train(MLP))
    assert run.test is None
    (chosen,) = runs.choose("MLP", run)
    assert 0 < chosen.test["error"] < 1
    assert runs.chosen("digits")["MLP"] == [chosen]
    assert runs.read(run.key).test == chosen.test
    with pytest.raises(KeyError, match="no run has been chosen as 'CNN' yet"):
        runs.chosen("digits")["CNN"]


@pytest.mark.usefixtures("results")
def test_a_notebook_uses_only_the_chosen_runs_that_it_asks_for(monkeypatch):
    for label, config in (("MLP", MLP), ("other MLP", MLP | {"seed": 1})):
        runs.choose(label, runs.write(runs.key(config), *training.train(config)))
    monkeypatch.setattr(store, "used", set())
    chosen = runs.chosen("digits")
    assert [run.key for run in chosen["MLP"]] == [runs.key(MLP)]
    assert store.used == {runs.key(MLP)}
    assert list(chosen) == ["MLP", "other MLP"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_worker_keeps_freed_memory_for_the_next_array():
    code = (
        "import resource; import numpy as np; from helpers import runs\n"
        f"config = {MLP}\n"
        "runs._work(runs.key(config), config)\n"
        "np.ones(1_000_000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(50): np.ones(1_000_000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask sets it
    n_page_faults = int(subprocess.check_output([sys.executable, "-c", code], env=environment, text=True))
    assert n_page_faults < 5 * 1_000_000 * 8 // resource.getpagesize()  # all 50 arrays anew: ten times as many
