"""Tables: the statistics in them, against independent computations."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from helpers import cnn, configs, tables
from helpers.store import Run


def test_spread_is_mean_and_standard_deviation():
    assert tables.spread([0.981, 0.985], ".2%") == "98.30\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.28%"
    assert tables.spread([0.981], ".2%") == "98.10%"


@pytest.mark.parametrize("change", [{}, {"fc1_units": 700}], ids=["as it is", "wider"])
def test_multiply_adds_of_the_cnn_are_those_that_pytorch_counts(change):
    config = configs.complete({"model": "cnn", "dataset": "digits", "lr": 1, "batch_size": 1, "epochs": 1} | change)
    with FlopCounterMode(display=False) as counter:
        cnn.build(config)(torch.zeros(1, 1, 28, 28))
    run = Run(config, "", 0, {}, {})
    assert 2 * tables.multiply_adds(run) == counter.get_total_flops()


def test_multiply_adds_of_the_perceptron_are_its_weights():
    run = Run({"model": "mlp"}, "", 0, {}, {}, shapes={"W1": [784, 5], "b1": [1, 5], "W2": [5, 10]})
    assert tables.multiply_adds(run) == 784 * 5 + 5 * 10


def test_a_set_up_lists_what_differs_and_counts_what_it_trains():
    common = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
    grid = [common | {"lr": lr, "seed": seed} for lr in (0.1, 0.01) for seed in (0, 1)]
    cnns = [{"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1, "decay": True}]
    lines = tables.setup({"a": grid, "b": cnns}, n_images=100).data.splitlines()
    rows = {name: values for name, *values in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)}
    assert rows["parameters"] == [f"{785 * 20 + 21 * 10:,}", "206,500"]
    assert rows["learning rate"] == ["0.1, 0.01", "0.1, falling to 0"]
    assert rows["steps"] == ["8", "2"]
    assert rows["initialisation"] == ["Glorot", "PyTorch's default"]
    assert (rows["seeds"], rows["configurations"], rows["runs"]) == (["0, 1", "0"], ["2", "1"], ["4", "1"])
    assert rows["order"] == ["file", "new each epoch"]
