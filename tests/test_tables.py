"""Tables: every cell against an independent computation from Runs whose figures all differ."""

import inspect
import textwrap
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers import (
    architecture,
    claims,
    cnn,
    comparisons,
    configs,
    initializations,
    original,
    results,
    robustness,
    searches,
    setups,
    statistics,
    tables,
    words,
)
from helpers.statistics import Difference
from helpers.store import Run

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1}


def cells(table):
    """The cells of a Markdown table: its header, its rule and its rows."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.data.splitlines()]


def body(table):
    """The rows of a Markdown table, each as {header: cell}."""
    header, _, *rows = cells(table)
    return [dict(zip(header, row, strict=True)) for row in rows]


def spread(values, digits, percent=False):
    """Mean and standard deviation of values, as NumPy has them, in words."""
    mean, deviation = (100**percent * number for number in (np.mean(values), np.std(values, ddof=1)))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}{'%' * percent}".replace(" ", "\N{NO-BREAK SPACE}")


@pytest.fixture
def three(made):
    """Lists of Runs by label: three seeds, two seeds of a wider network, one run."""
    return {
        "a": [made(i) for i in range(3)],
        "b": [made(i, hidden_dims=[300, 20], batch_size=16) for i in (3, 4)],
        "c": [made(5)],
    }


def test_spread_is_mean_and_standard_deviation():
    assert tables.spread([0.981, 0.985], ".2%") == "98.30\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.28%"
    assert tables.spread([0.981], ".2%") == "98.10%"
    values = [0.1, 0.2, 0.6]
    assert tables.spread(values, ".4f") == spread(values, 4)
    assert tables.spread([0.1, np.nan], ".4f") == tables.spread([np.inf], ".4f") == "no number"


@pytest.mark.parametrize("index", [False, True])
def test_numbers_stand_right_and_words_left_in_the_formats_given(index):
    frame = pd.DataFrame({"word": ["x", "y"], "long name": [1234.5, 0.25], "whole": [1, 2]}, index=["i", "j"])
    header, rule, *rows = cells(tables.markdown(frame, index, long_name=",.2f"))
    assert header == ["", *frame.columns][not index :]
    assert [line.endswith(":") for line in rule] == [False, False, True, True][not index :]
    assert rows == [["i", "x", "1,234.50", "1"][not index :], ["j", "y", "0.25", "2"][not index :]]
    assert frame["long name"].tolist() == [1234.5, 0.25]


def test_source_is_shown_as_it_is_written():
    told = tables.source(tables.spread, Run.final).data
    code = inspect.getsource(tables.spread) + "\n" + textwrap.dedent(inspect.getsource(Run.final))
    assert told == f"```python\n{code}```"


@pytest.mark.parametrize("change", [{}, {"fc1_units": 700}], ids=["as it is", "wider"])
def test_multiply_adds_of_the_cnn_are_those_that_pytorch_counts(change):
    config = configs.complete({"model": "cnn", "dataset": "digits", "lr": 1, "batch_size": 1, "epochs": 1} | change)
    with FlopCounterMode(display=False) as counter:
        cnn.build(config)(torch.zeros(1, 1, 28, 28))
    run = Run(config, "", 0, {}, {})
    assert 2 * architecture.multiply_adds(run) == counter.get_total_flops()


def test_multiply_adds_of_the_perceptron_are_its_weights():
    run = Run({"model": "mlp"}, "", 0, {}, {}, shapes={"W1": [784, 5], "b1": [1, 5], "W2": [5, 10]})
    assert architecture.multiply_adds(run) == 784 * 5 + 5 * 10


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("architecture", [{"hidden_dims": [30, 20]}], "784-30-20-10"),
        ("architecture", [CNN], "3 convolutions, 500 units"),
        ("architecture", [CNN | {"pooling": False}], "3 convolutions, no pooling, 500 units"),
        (
            "architecture",
            [CNN | {"shared": False, "fc1_units": 1200}],
            "convolutions without shared weights, 1,200 units",
        ),
        ("parameters", [{}], f"{785 * 20 + 21 * 10:,}"),
        ("parameters", [{"hidden_dims": [n]} for n in (9, 3)], f"{785 * 3 + 4 * 10:,}, {785 * 9 + 10 * 10:,}"),
        ("parameters", [{"hidden_dims": [30, 20]}], f"{785 * 30 + 31 * 20 + 21 * 10:,}"),
        ("parameters", [CNN], "206,500"),
        ("parameters", [CNN | {"pooling": False, "fc1_units": 10}], f"{520 + 9_630 + 10_840 + 361 * 10 + 110:,}"),
        ("parameters", [CNN | {"shared": False}], f"{26 * 20 * 576 + 321 * 30 * 81 + 271 * 40 * 49 + 185_510:,}"),
        ("nonlinearity", [{"activation": name} for name in ("tanh", "sigmoid")], "tanh, logistic sigmoid"),
        ("nonlinearity", [CNN], "ReLU"),
        (
            "initialisation",
            [{"init_method": name} for name in ("zero", "normal", "glorot", "he")],
            "zero, standard normal, Glorot, He",
        ),
        ("initialisation", [CNN], "PyTorch's default"),
        ("learning rate", [{"lr": lr} for lr in (0.1, 0.01, 0.001, 1)], "0.1, 0.01, 0.001, 1"),
        ("learning rate", [{"lr": lr} for lr in (0.1, 0.2, 0.3, 0.4, 3)], "5, from 0.1 to 3"),
        ("learning rate", [{"decay": True}], "0.1, falling to 0"),
        ("learning rate", [{"lr": 0.2, "seed": seed} for seed in range(5)], "0.2"),
        ("batch size", [{"batch_size": size} for size in (64, 32)], "32, 64"),
        ("order", [{}], "file"),
        ("order", [{"shuffle": True}], "new each epoch"),
        ("order", [CNN], "new each epoch"),
        ("order", [MLP | {"model": "planted", "hidden_dims": [30, 20]}], "file"),
        ("in training", [{"permutation": 0}], "pixels permuted"),
        ("in training", [{"shift": 1.5, "rotation": 10}], "shifts to 1.5 pixels; rotations to 10°"),
        ("in training", [CNN | {"dropout": [0.25, 0.4]}], "dropout 0.25 and 0.4"),
        ("in training", [CNN], None),
        ("epochs", [{"epochs": epochs} for epochs in (1, 5, 3)], "1, 3, 5"),
        ("steps", [{}, {"batch_size": 16}], "8, 14"),
        ("steps", [{"batch_size": 100, "epochs": 2000}], "2,000"),
        ("seeds", [{"seed": seed} for seed in (3, 1, 2)], "1, 2, 3"),
        ("seeds", [{"seed": seed} for seed in (1, 2, 3, 5)], "1 to 5"),
        ("configurations", [{"seed": seed, "lr": lr} for seed in (0, 1, 2) for lr in (1, 2)], "2"),
        ("runs", [{"seed": seed, "lr": lr} for seed in (0, 1, 2) for lr in (1, 2)], "6"),
        ("chosen from", [{}], None),
    ],
)
def test_a_set_up_says_what_is_trained(name, changes, expected):
    given = [change if "model" in change else MLP | change for change in changes]
    found = body(setups.table({"label": given}, n_images=100))
    assert {row[""]: row["label"] for row in found}.get(name) == expected


def test_a_set_up_has_a_column_per_label():
    found = body(setups.table({"a": [MLP], "b": [MLP | {"shift": 2}, CNN]}, n_images=100, tried={"b": 1500}))
    rows = {row[""]: (row["a"], row["b"]) for row in found}
    assert rows["runs"] == ("1", "2")
    assert rows["chosen from"] == ("", "1,500 combinations")
    assert rows["in training"][0] == ""
    assert rows["initialisation"] == ("Glorot", "Glorot, PyTorch's default")


def test_losses_are_those_of_training_after_each_epoch(three):
    found = body(results.losses(three))
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    for epoch, row in enumerate(found):
        losses = {label: [run.history["train_loss"][epoch] for run in same] for label, same in three.items()}
        assert [row["a"], row["b"], row["c"]] == [
            *(spread(losses["a"], 4), spread(losses["b"], 4), f"{losses['c'][0]:.4f}")
        ]


def test_weights_are_listed_with_their_sum(made):
    found = body(architecture.weight_shapes(made(hidden_dims=[300])))
    assert [row["array"] for row in found] == ["W1", "b1", "W2", "b2", "all"]
    assert [row["shape"] for row in found] == ["784 × 300", "1 × 300", "300 × 10", "1 × 10", ""]
    assert [row["parameters"] for row in found] == ["235,200", "300", "3,000", "10", "238,510"]


def test_layers_have_their_outputs_and_parameters():
    network = nn.Sequential()
    network.add_module("conv", nn.Conv2d(1, 3, 5))
    network.add_module("flat", nn.Flatten())
    network.add_module("norm", nn.BatchNorm1d(1728))  # which one image does not train
    network.add_module("last", nn.Linear(1728, 10))
    found = [tuple(row.values()) for row in body(architecture.table(network))]
    assert found == [
        ("conv", "Conv2d", "3 × 24 × 24", "78"),
        ("flat", "Flatten", "1728", "0"),
        ("norm", "BatchNorm1d", "1728", "3,456"),
        ("last", "Linear", "10", "17,290"),
        ("all", "", "", "20,824"),
    ]


def test_a_search_is_ranked_by_validation_and_equals_by_their_configuration(made):
    ties = [(0.1, 16, 20, 30), (0.1, 16, 30, 20), (0.1, 16, 30, 30), (0.1, 32, 20, 20), (0.2, 16, 20, 20)]
    runs = [made(i, lr=lr, batch_size=b, hidden_dims=[*widths]) for i, (lr, b, *widths) in enumerate(ties)]
    for run in runs:
        run.history["valid_error"][-1] = 0.02345
    runs = [made(7), *runs[::-1], made(8)]
    runs[0].history["valid_error"][-1], runs[-1].history["valid_error"][-1] = 0.03, 0.01
    ranked = [runs[-1], *runs[-2:0:-1], runs[0]]
    expected = [
        (str(rank), f"{run.config['lr']:g}", str(run.config["batch_size"]), *map(str, run.config["hidden_dims"]))
        + (f"{run.n_parameters:,}", f"{100 * (1 - run.history['valid_error'][-1]):.2f}%")
        + (f"{run.history['train_loss'][-1]:.4f}",)
        for rank, run in enumerate(ranked, start=1)
    ]
    assert [tuple(row.values()) for row in body(searches.table(runs))] == expected
    assert [tuple(row.values()) for row in body(searches.table(runs, 3))] == expected[:3]
    assert list(body(searches.table(runs))[0]) == [
        *("rank", "learning rate", "batch size", "layer 1", "layer 2", "parameters"),
        *("validation accuracy", "training loss"),
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


def test_digits_stand_beside_those_that_were_printed(made):
    run, other = made(0), made(1)
    losses = run.history["train_loss"]
    printed = [losses[0], np.nextafter(losses[1], 0), losses[2] + 3 * np.spacing(losses[2])]
    found = body(claims.digits({"zero": printed}, {"zero": run, "he": other}))
    assert list(found[0]) == ["initialisation", "epoch", "printed", "replayed", "units in the last place"]
    assert [tuple(row.values()) for row in found] == [
        *(
            ("zero", str(i + 1), repr(float(old)), repr(new), units)
            for i, (old, new, units) in enumerate(zip(printed, losses, ["0", "1", "-3"], strict=True))
        ),
        *(("he", str(i + 1), "–", repr(new), "–") for i, new in enumerate(other.history["train_loss"])),
    ]


@pytest.mark.parametrize(
    ("value", "unit", "printed", "measured"),
    [
        (None, 0.01, "–", "–"),
        ("lower", 0.0, "lower", "lower"),
        (206_500, 0.0, "206,500", "206,500"),
        (2.3025823920240978, 0.0, "2.3025823920240978", "2.3025823920240978"),
        (0.98127, 0.01, "0.98", "0.9813"),
        (0.074, 0.001, "0.074", "0.0740"),
        (11.64, 0.1, "11.6", "11.6"),
        (17.4, 1, "17", "17"),
    ],
)
def test_claims_are_told_to_the_place_that_was_printed(value, unit, printed, measured):
    rows = [("a", value, value, unit, 0.0123, original.HOLDS, ""), ("b", "x", "y", 0, 0.0, "wrong", "a reason")]
    frame = pd.DataFrame(
        rows, columns=["claim", "printed", "measured", "unit", "noise", "verdict", "why"], dtype=object
    )
    found = [tuple(row.values()) for row in body(claims.verdict_by_verdict(frame))]
    assert found == [("a", printed, measured, "0.01", "holds"), ("b", "x", "y", "", "wrong: a reason")]


def test_a_set_up_lists_what_differs_and_counts_what_it_trains():
    common = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
    grid = [common | {"lr": lr, "seed": seed} for lr in (0.1, 0.01) for seed in (0, 1)]
    cnns = [{"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1, "decay": True}]
    lines = setups.table({"a": grid, "b": cnns}, n_images=100).data.splitlines()
    rows = {name: values for name, *values in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)}
    assert rows["parameters"] == [f"{785 * 20 + 21 * 10:,}", "206,500"]
    assert rows["learning rate"] == ["0.1, 0.01", "0.1, falling to 0"]
    assert rows["steps"] == ["8", "2"]
    assert rows["initialisation"] == ["Glorot", "PyTorch's default"]
    assert (rows["seeds"], rows["configurations"], rows["runs"]) == (["0, 1", "0"], ["2", "1"], ["4", "1"])
    assert rows["order"] == ["file", "new each epoch"]


def rows(table):
    """The rows of a Markdown table below its head, a list of cells each."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.data.splitlines()[2:]]


def runs(*errors, **measures):
    """Runs of one epoch with these errors on the validation set, and twice as many on the test set."""
    return [
        Run({"epochs": 1}, "", 7, {"valid_error": [error], "train_error": [0.0]} | measures, {}, {"error": 2 * error})
        for error in errors
    ]


def test_the_three_sets_stand_side_by_side():
    [[name, *cells]] = rows(results.on_all_sets({"a": runs(0.01, 0.03)}))
    assert (name, cells[:3]) == ("a", ["2", "1", tables.spread([0, 0], ".2%")])
    assert cells[3:] == [tables.spread([0.99, 0.97], ".2%"), tables.spread([0.98, 0.94], ".2%"), "−2.00"]


def test_changes_are_held_against_what_is_expected():
    def with_losses(train, valid):
        return [Run({}, "", 0, {"train_loss": [t], "valid_loss": [v]}, {}) for t, v in zip(train, valid, strict=True)]

    base = with_losses([0.1, 0.2], [0.3, 0.4])
    other = with_losses([0.2, 0.3], [0.3, 0.4])
    expected = {"training loss": 1, "gap of the losses": 1, "validation loss": -1}
    found = rows(comparisons.changes({"a": other}, base, expected))
    assert [row[1] for row in found] == [*expected]
    assert [row[3] for row in found] == ["as expected", "against expectation", "not told apart from zero"]
    assert found[0][2].startswith("+0.1000")


def test_comparisons_have_both_p_values():
    found = {("a", "b"): Difference(-0.01, 0.005, 0.01), ("c", "b"): Difference(0.0, 0.005, 0.9)}
    assert [row[3:] for row in rows(comparisons.pairwise(found))] == [["0.01", "0.02"], ["0.9", "0.9"]]


def test_the_strongest_distortion_has_a_row_each():
    errors = {"shift (pixels)": {"a": {0: [0.1], 2: [0.2, 0.4]}, "b": {0: [0.1], 2: [0.5]}}}
    assert rows(robustness.strongest(errors)) == [["shift (pixels), 2", "30.0%", "50.0%"]]


def test_growth_is_by_the_widths_in_theory():
    found = rows(initializations.growth({"normal": ([1.0, 3.0, 6.0], [1.0, 2.0, 8.0])}, [200, 50]))
    assert found[0] == ["normal", "3.00", "2.00", "0.25", "0.50"]
    # forward sqrt(200 / 2) and sqrt(50 / 2), backward sqrt(10 / 2) and sqrt(50 / 2)
    assert found[1] == ["theory for normal", "10.00", "5.00", "2.24", "5.00"]


def test_moves_are_means_over_networks():
    distances = [{"W1": 0.01, "W2": 0.5}, {"W1": 0.03, "W2": 0.5}]
    expected = [tables.spread([0.01, 0.03], ".1%"), tables.spread([0.5, 0.5], ".1%")]
    assert rows(initializations.moves({"He": distances})) == [["He", *expected]]


def test_each_start_stands_at_its_best_rate():
    same = runs(0.02, 0.04, train_loss=[0.5], train_unclipped_loss=[0.25])
    for run in same:
        run.config["lr"] = 0.003
    assert rows(initializations.best_rates({"He": same})) == [
        ["He", "0.003", tables.spread([0.02, 0.04], ".2%"), "0.5", "0.25"]
    ]


def test_savings_are_those_of_the_windows():
    _, conv2, _ = rows(architecture.savings(cnn.network()))
    shared = (20 * 4 * 4 + 1) * 30
    assert conv2 == ["conv2", f"{shared:,}", f"{shared * 9 * 9:,}", f"{(20 * 12 * 12 + 1) * 30 * 9 * 9:,}"]


def test_ablations_are_compared_with_the_network_as_it_is():
    by_label = {"CNN": runs(0.1, 0.2), "CNN, no pooling": runs(0.3, 0.4), "CNN, permuted pixels": runs(0.3, 0.4)}
    base, paired, independent = rows(comparisons.ablations(by_label, n_images=100))
    assert base == ["CNN", "7", tables.spread([0, 0], ".2%"), tables.spread([0.1, 0.2], ".2%"), ""]
    for row, pairs in ((paired, True), (independent, False)):
        difference = statistics.errors(by_label["CNN, no pooling"], by_label["CNN"], 100, pairs)
        assert row[-1] == words.interval(difference, unit="")


def test_combinations_name_another_nonlinearity():
    config = {"hidden_dims": [5, 4], "lr": 0.1, "batch_size": 16, "activation": "relu"}
    assert setups.combination(config) == "5-4, rate 0.1, batch 16"
    assert setups.combination(config | {"activation": "tanh"}) == "5-4, rate 0.1, batch 16, tanh"


def test_accuracies_stand_by_nonlinearity_and_rate():
    same = runs(0.1, 0.2, 0.3, 0.4)
    for run, (activation, lr) in zip(same, product(("relu", "tanh"), (0.1, 1.0)), strict=True):
        run.config = {"activation": activation, "lr": lr}
    table = searches.by_rate(same)
    assert [cell.strip() for cell in table.data.splitlines()[0].split("|")[1:-1]] == [
        "nonlinearity",
        "rate 0.1",
        "rate 1",
    ]
    assert rows(table) == [["ReLU", "90.00%", "80.00%"], ["tanh", "70.00%", "60.00%"]]


def test_optimism_is_against_the_fresh_seeds_alone():
    [row] = searches.optimism({"a": runs(0.1, 0.2, 0.4)}).to_numpy().tolist()
    assert row[:3] == ["a", "90.00%", tables.spread([0.8, 0.6], ".2%")]
    assert row[3] == pytest.approx(20)


def test_median_errors_by_value():
    frame = pd.DataFrame({"validation accuracy": [0.9, 0.8, 0.6], "learning rate": [0.1, 0.1, 1.0]})
    for name in ("batch size", "layer 1", "layer 2"):
        frame[name] = 5
    medians = searches.median_errors(frame)
    assert medians["learning rate"].to_dict() == pytest.approx({0.1: 0.15, 1.0: 0.4})
    assert medians["layer 2"].to_dict() == pytest.approx({5: 0.2})
