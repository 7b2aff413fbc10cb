"""What is trained, in words: every cell against configurations written out."""

import pytest
from reading import body

from helpers import setups

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1}


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


def test_combinations_name_another_nonlinearity():
    config = {"hidden_dims": [5, 4], "lr": 0.1, "batch_size": 16, "activation": "relu"}
    assert setups.combination(config) == "5-4, rate 0.1, batch 16"
    assert setups.combination(config | {"activation": "tanh"}) == "5-4, rate 0.1, batch 16, tanh"
