"""The store and the sweep, with real processes on small data."""

import errno
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import distributed
import numpy as np
import pytest

from helpers import cluster, data, dispatch, record, runs, store, training
from helpers.metrics import evaluate

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

    monkeypatch.setattr(cluster, "connect", None)  # a second sweep must not need a cluster
    assert {run.key: run for run in runs.sweep(configs)} == by_key


@pytest.mark.usefixtures("results")
def test_a_configuration_that_is_not_allowed_is_named_before_anything_is_trained():
    with pytest.raises(ValueError, match=r"'hidden_dims': \[-5\].*hidden_dims is \[-5\], but must be a list"):
        list(runs.sweep([MLP, MLP | {"hidden_dims": [-5]}]))
    assert runs.read(runs.key(MLP)) is None  # nothing was trained


def test_a_folder_that_cannot_be_written_is_named_before_training(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RESULTS", str(tmp_path / "file" / "results"))
    monkeypatch.setattr(cluster, "connect", None)  # no cluster may be started
    with pytest.raises(runs.SweepError, match="file/results.*RESULTS="):
        list(runs.sweep([MLP]))


@pytest.fixture
def at_once(monkeypatch):
    """A function that has what it is given come back from a sweep's workers, in order, without a cluster."""

    def come_back(missing, results):
        for name, result in zip(missing, results, strict=True):
            if isinstance(result, KeyboardInterrupt):
                raise result
            yield name, result

    def give(*results):
        monkeypatch.setattr(cluster, "connect", nullcontext)
        monkeypatch.setattr(dispatch, "about", lambda client: [])
        monkeypatch.setattr(dispatch, "results", lambda client, missing: come_back(missing, results))

    return give


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("in_notebook", [False, True])
def test_the_bar_tells_how_many_are_reused_how_many_failed_and_the_best(
    in_notebook, made, at_once, monkeypatch, capsys
):
    monkeypatch.setattr(runs, "get_ipython", lambda: in_notebook)
    three = [made(seed) for seed in range(3)]
    for run, error in zip(three, (0.25, 0.125, 0.5), strict=True):
        run.history["valid_error"][-1] = error
    wanted = [MLP | {"seed": seed} for seed in range(5)]
    runs.write(runs.key(wanted[0]), made(9), {})
    at_once(*((run, {}) for run in three), ValueError("no luck"))
    with pytest.raises(runs.SweepError, match=r"(?s)^1 of 4 configurations failed:.*'seed': 4.*no luck"):
        list(runs.sweep(wanted))
    told = capsys.readouterr()
    first, *_, last = (told.out if in_notebook else told.err).split("\r")[1:]
    assert "1/5" in first
    assert "5/5" in last
    assert {"best=87.50%", "failed=1", "reused=1"} == set(re.findall(r"\w+=[\d.%]+", last))


@pytest.mark.usefixtures("results")
def test_a_sweep_that_is_left_tells_how_many_runs_are_stored(made, at_once, capsys):
    at_once(ValueError("no luck"), (made(), {}), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(runs.sweep([MLP | {"seed": seed} for seed in range(3)]))
    assert "Stopped: 1 of 3 runs are stored" in capsys.readouterr().out


@pytest.mark.usefixtures("results")
def test_a_run_that_another_driver_has_stored_stays(made, at_once):
    mine, others = made(0), made(1)
    at_once((mine, {}))
    found = runs.sweep([MLP])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "_check_storage", lambda: runs.write(runs.key(MLP), others, {}))  # just before
        assert [run.history for run in found] == [others.history]
    assert runs.read(runs.key(MLP)).history == others.history


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (distributed.KilledWorker("run", None, 2), "each worker that tried it died"),
        (ImportError("no helpers"), "ImportError('no helpers') on a worker: has its machine the whole project"),
        (ValueError("no luck"), "ValueError('no luck')"),
    ],
)
def test_why_a_run_failed_is_told_in_words(error, told):
    assert dispatch.reason(error).startswith(told)


@pytest.mark.parametrize(("threads", "n"), [({}, 1), ({"tcp://10.0.0.2:4000": 1}, 0)])
def test_a_cluster_without_workers_is_told(threads, n):
    scheduler = SimpleNamespace(address="tcp://10.0.0.1:8786")
    client = SimpleNamespace(scheduler=scheduler, scheduler_info=lambda: {"services": {}}, nthreads=lambda: threads)
    assert [*dispatch.about(client)] == n * ["tcp://10.0.0.1:8786 has no workers yet; the runs wait for one."]


def test_runs_are_ranked_by_their_error_and_equals_by_their_loss(made):
    three = [made(seed) for seed in range(3)]
    for run, error, loss in zip(three, (0.2, 0.1, 0.2), (0.7, 0.9, 0.6), strict=True):
        run.history["valid_error"][-1], run.history["valid_loss"][-1] = error, loss
    assert runs.ranked(three) == [three[1], three[2], three[0]]


def test_what_ends_at_twice_the_loss_of_guessing_has_diverged(made):
    run = made()
    for loss, diverged in ((2 * math.log(10) - 0.01, False), (2 * math.log(10) + 0.01, True), (math.inf, True)):
        run.history["train_loss"][-1] = loss
        assert run.diverged == diverged


def test_an_accuracy_is_that_of_the_validation_set(made):
    run = made()
    assert run.valid_accuracy == 1 - run.history["valid_error"][-1]


def test_a_diverged_run_is_stored_as_such(results):
    run, weights = training.train(MLP | {"lr": 1e6, "hidden_dims": [20, 20]})
    runs.write("diverged", run, weights)
    assert "NaN" not in (results / "diverged.json").read_text()
    again = runs.read("diverged")
    assert again.diverged
    assert math.isnan(again.history["train_loss"][-1])


def stored_run(results):
    """A run and its file, without training."""
    history = {name: [0.5, 0.25] for name in store.HISTORY}
    run = store.Run({"model": "mlp"}, "", 3, history, {}, shapes={"W": [3]})
    return store.write("run", run, {"W": np.arange(3.0)}), results / "run.json"


def resigned(path, change):
    """Change the content of a stored file and sign it again, as another version of the project would."""
    content = json.loads(path.read_text())["content"]
    store.write_json(path, change(content))


DAMAGE = {
    "cut": lambda path: path.write_text(path.read_text()[:200]),
    "edited": lambda path: path.write_text(path.read_text().replace("0.25", "0.75")),
    "empty": lambda path: path.write_text(""),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "a number": lambda path: path.write_text("7"),
    "nested": lambda path: path.write_text("[" * 100_000 + "]" * 100_000),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a list": lambda path: resigned(path, lambda content: [content]),
    "older": lambda path: resigned(path, lambda content: {k: v for k, v in content.items() if k != "wrong"}),
    "newer": lambda path: resigned(path, lambda content: content | {"optimizer": "sgd"}),
    "null": lambda path: resigned(path, lambda content: content | {"history": None}),
    "null inside": lambda path: resigned(path, lambda content: content | {"history": {"train_loss": None}}),
    "no history": lambda path: resigned(path, lambda content: content | {"history": {}}),
    "ragged": lambda path: resigned(path, lambda content: content | {"history": {"a": [1.0], "b": []}}),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_is_no_run_is_set_aside_and_named(results, damage):
    run, path = stored_run(results)
    assert store.read("run") == run
    damage(path)
    with pytest.warns(UserWarning, match=r"run.json is .*set aside as run.json.broken"):
        assert store.read("run") is None
    assert (results / "run.json.broken").exists()
    assert store.read("run") is None


def test_a_damaged_run_counts_as_missing_where_nothing_can_be_set_aside(results, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    _, path = stored_run(results)
    path.write_text("?")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.warns(UserWarning, match=r"run.json .*; it could not be set aside \(Read-only file system\)"):
        assert store.read("run") is None


def test_what_was_set_aside_is_not_overwritten(results):
    for i in range(3):
        _, path = stored_run(results)
        path.write_text(f"damage {i}")
        with pytest.warns(UserWarning, match="set aside"):
            store.read("run")
    assert {p.read_text() for p in results.glob("run.json.broken*")} == {"damage 0", "damage 1", "damage 2"}


def test_weights_of_another_run_are_not_taken(results):
    run, path = stored_run(results)
    np.savez(path.with_suffix(".npz"), W=np.arange(3.0) + 1)
    with pytest.warns(UserWarning, match="run.npz is not what was stored with its run"):
        assert store.read("run") is None


@pytest.mark.usefixtures("results")
def test_damaged_choices_are_told_from_missing_ones(results):
    record.choose_and_test("MLP", runs.write(runs.key(MLP), *training.train(MLP)))
    (results / "chosen-digits.json").write_text("?")
    with pytest.warns(UserWarning, match="chosen-digits.json is not as it was written"):
        chosen = record.chosen("digits")
    with pytest.raises(KeyError, match="damaged and stands in chosen-digits.json.broken"):
        chosen["MLP"]


def test_of_all_that_was_set_aside_the_last_is_named(results):
    results.mkdir()
    for _ in range(11):
        (results / "chosen-digits.json").write_text("?")
        with pytest.warns(UserWarning, match="set aside"), pytest.raises(KeyError) as refused:
            record.chosen("digits")["MLP"]
    assert "stands in chosen-digits.json.broken10)" in str(refused.value)


def test_a_fresh_build_counts_what_it_has_written_whatever_the_clock_says(results, monkeypatch):
    run, path = stored_run(results)
    monkeypatch.setenv("FRESH_BUILD", "this")
    assert store.read("run") is None
    assert path.exists()
    stored_run(results)
    os.utime(path, (0, 0))
    assert store.read("run") == run
    monkeypatch.setenv("FRESH_BUILD", "another")
    assert store.read("run") is None
    monkeypatch.delenv("FRESH_BUILD")
    assert store.read("run") == run


def test_no_damaged_byte_of_the_weights_is_taken(results):
    run, path = stored_run(results)
    path = path.with_suffix(".npz")
    whole = path.read_bytes()
    for i in [*range(0, len(whole), 7), None]:  # None: a file that was cut
        stored_run(results)
        path.write_bytes(
            whole[: len(whole) // 2] if i is None else whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1 :]
        )
        with pytest.warns(UserWarning, match="run.npz is not what was stored"):
            assert store.read("run") is None


@pytest.mark.usefixtures("results")
def test_chosen_runs_are_tested_once_and_found_again(monkeypatch):
    run = runs.write(runs.key(MLP), *training.train(MLP))
    (chosen,) = record.choose("MLP", run)
    assert chosen.test is runs.read(run.key).test is None
    (chosen,) = record.choose_and_test("MLP", run)
    assert 0 < chosen.test["error"] < 1
    assert record.chosen("digits")["MLP"] == [chosen]
    assert runs.read(run.key).test == chosen.test
    assert chosen.test == evaluate(runs.network(run), data.load("digits").test)._asdict()
    monkeypatch.setattr(record, "evaluate", None)
    assert record.choose_and_test("MLP", runs.read(run.key))[0].test == chosen.test
    with pytest.raises(KeyError, match="no run has been chosen as 'CNN with dropout' yet: run 05_reg"):
        record.chosen("digits")["CNN with dropout"]


@pytest.mark.parametrize(
    ("label", "notebook"),
    [
        ("start: He", "01_initialization"),
        ("best rate: He", "01_initialization"),
        ("largest rate: Glorot", "01_initialization"),
        ("search", "02_hyperparameter_search"),
        ("rounding", "02_hyperparameter_search"),
        ("MLP, constant rate", "02_hyperparameter_search"),
        ("CNN", "04_cnn"),
        ("short: CNN, no pooling", "04_cnn"),
        ("CNN with both, longer", "05_regularization"),
        ("MLP with augmentation", "05_regularization"),
        ("best CNN", "05_regularization"),
        ("best MLP", "05_regularization"),
    ],
)
def test_the_notebook_that_chooses_a_label_is_named(label, notebook):
    assert record.section(label) == notebook


def test_a_choice_whose_runs_are_gone_counts_as_none_and_gives_way(results):
    first, other = (runs.write(runs.key(c), *training.train(c)) for c in (MLP, MLP | {"seed": 1}))
    record.choose("MLP", first)
    record.choose("other MLP", other)
    (results / f"{first.key}.json").unlink()
    chosen = record.chosen("digits")
    with pytest.raises(KeyError, match="no run has been chosen as 'MLP' yet: run 02_hyper"):
        chosen["MLP"]
    assert list(chosen) == ["other MLP"]
    record.choose("MLP", other)
    assert record.chosen("digits")["MLP"] == [other]


@pytest.mark.usefixtures("results")
def test_an_exploration_does_not_touch_what_was_chosen(monkeypatch, capsys):
    monkeypatch.delenv("REPORT_BUILDS", raising=False)  # a test of the report's build may have left it
    first, other = (runs.write(runs.key(c), *training.train(c)) for c in (MLP, MLP | {"seed": 1}))
    record.choose_and_test("MLP", first)
    assert capsys.readouterr().out == ""
    (explored,) = record.choose_and_test("MLP", other)
    assert "An exploration" in capsys.readouterr().out
    assert 0 < explored.test["error"] < 1
    assert runs.read(other.key).test is None
    assert [run.key for run in record.chosen("digits")["MLP"]] == [first.key]
    monkeypatch.setenv("REPORT_BUILDS", "1")
    record.choose_and_test("MLP", other)
    assert [run.key for run in record.chosen("digits")["MLP"]] == [other.key]
    monkeypatch.delenv("REPORT_BUILDS")
    monkeypatch.setattr(record, "key", lambda config: "named by other code")
    record.choose_and_test("MLP", first)
    assert [run.key for run in record.chosen("digits")["MLP"]] == [first.key]


def test_a_notebook_uses_what_it_stores_and_the_chosen_runs_that_it_asks_for(results, monkeypatch):
    for label, config in (("MLP", MLP), ("other MLP", MLP | {"seed": 1})):
        record.choose_and_test(label, runs.write(runs.key(config), *training.train(config)))
    monkeypatch.setattr(store, "accessed_runs", set())
    stored_run(results)
    assert store.accessed_runs == {"run"}
    store.accessed_runs.clear()
    chosen = record.chosen("digits")
    assert [run.key for run in chosen["MLP"]] == [runs.key(MLP)]
    assert store.accessed_runs == {runs.key(MLP)}
    assert list(chosen) == ["MLP", "other MLP"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_worker_keeps_freed_memory_for_the_next_array():
    code = (
        "import resource; import numpy as np; from helpers import dispatch, runs\n"
        f"config = {MLP}\n"
        "dispatch._work(runs.key(config), config, {})\n"
        "np.ones(1_000_000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(50): np.ones(1_000_000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask sets it
    n_page_faults = int(subprocess.check_output([sys.executable, "-c", code], env=environment, text=True))
    assert n_page_faults < 5 * 1_000_000 * 8 // resource.getpagesize()  # all 50 arrays anew: ten times as many
