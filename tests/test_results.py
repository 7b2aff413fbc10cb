"""Tables of results: every cell against an independent computation from Runs whose figures all differ."""

import numpy as np
import pytest
from reading import body, rows, runs, spread

from helpers import results, tables


@pytest.fixture
def three(made):
    """Lists of Runs by label: three seeds, two seeds of a wider network, one run."""
    return {
        "a": [made(i) for i in range(3)],
        "b": [made(i, hidden_dims=[300, 20], batch_size=16) for i in (3, 4)],
        "c": [made(5)],
    }


def test_losses_are_those_of_training_after_each_epoch(three):
    found = body(results.losses(three))
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    for epoch, row in enumerate(found):
        losses = {label: [run.history["train_loss"][epoch] for run in same] for label, same in three.items()}
        assert [row["a"], row["b"], row["c"]] == [
            *(spread(losses["a"], 4), spread(losses["b"], 4), f"{losses['c'][0]:.4f}")
        ]


def test_errors_by_epoch_are_means_in_per_cent(three, made):
    runs = {"a": three["a"], "longer": [made(9, epochs=4)]}
    found = body(results.errors_by_epoch(runs))
    assert [row["epoch"] for row in found] == ["1", "2", "3", "4"]
    for epoch, row in enumerate(found):
        for label, same in runs.items():
            for where, word in (("train", "training"), ("valid", "validation")):
                errors = [run.history[f"{where}_error"][epoch : epoch + 1] for run in same]
                told = f"{100 * np.mean(errors):.2f}%" if errors[0] else ""
                assert row[f"{label}, {word}"] == told


def test_final_figures_are_those_of_the_last_epoch(three):
    found = body(results.final(three))
    assert [row["network"] for row in found] == list(three)
    for row, same in zip(found, three.values(), strict=True):
        assert row["parameters"] == f"{same[0].n_parameters:,}"
        for name, measure in (("training", "train"), ("validation", "valid")):
            losses, errors = ([run.history[f"{measure}_{what}"][-1] for run in same] for what in ("loss", "error"))
            told = (row[f"{name} loss"], row[f"{name} error"])
            one = (f"{losses[0]:.4f}", f"{100 * errors[0]:.2f}%")
            assert told == (one if len(same) == 1 else (spread(losses, 4), spread(errors, 2, percent=True)))


def test_results_are_those_of_validation_and_test(three):
    found = body(results.summary(three, n_images=100))
    assert [row["network"] for row in found] == list(three)
    for row, same in zip(found, three.values(), strict=True):
        valid = [1 - run.history["valid_error"][-1] for run in same]
        test, loss = [1 - run.test["error"] for run in same], [run.test["loss"] for run in same]
        assert row["seeds"] == str(len(same))
        assert row["parameters"] == f"{same[0].n_parameters:,}"
        assert row["multiply-adds"] == f"{same[0].n_parameters - sum([*same[0].config['hidden_dims'], 10]):,}"
        assert row["steps"] == str({32: 12, 16: 21}[same[0].config["batch_size"]])
        assert row["seconds"] == f"{np.sum([run.history['seconds'] for run in same]) / len(same):.0f}"
        if len(same) > 1:
            accuracies = (row["validation accuracy"], row["test accuracy"])
            assert accuracies == (spread(valid, 2, percent=True), spread(test, 2, percent=True))
            assert row["test loss"] == spread(loss, 4)
    assert len(body(results.summary({}, 100))) == 0


def test_the_three_sets_stand_side_by_side():
    [[name, *cells]] = rows(results.on_all_sets({"a": runs(0.01, 0.03)}))
    assert (name, cells[:3]) == ("a", ["2", "1", tables.spread([0, 0], ".2%")])
    assert cells[3:] == [tables.spread([0.99, 0.97], ".2%"), tables.spread([0.98, 0.94], ".2%"), "−2.00"]
