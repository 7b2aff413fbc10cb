"""What networks are made of, against what PyTorch counts and what is computed by hand."""

import numpy as np
import pytest
import torch
from reading import body, rows
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers import architecture, cnn, configs, data, training
from helpers.store import Run


@pytest.mark.parametrize("change", [{}, {"fc1_units": 700}], ids=["as it is", "wider"])
def test_multiply_adds_of_the_cnn_are_those_that_pytorch_counts(change):
    config = configs.complete({"model": "cnn", "dataset": "digits", "lr": 1, "batch_size": 1, "epochs": 1} | change)
    with FlopCounterMode(display=False) as counter:
        cnn.build(config)(torch.zeros(1, 1, 28, 28))
    run = Run(config, "", 0, {}, {})
    assert 2 * architecture.multiply_adds(run) == counter.get_total_flops()


def test_units_are_those_with_the_number_of_parameters_or_nearest_to_it():
    config = configs.complete({"model": "cnn", "dataset": "digits", "lr": 1, "batch_size": 1, "epochs": 1})
    for units in (1, 7):
        n, more = (architecture.n_parameters(config | {"fc1_units": k}) for k in (units, units + 1))
        assert architecture.units_for(config, n) == units
        assert architecture.units_for(config, n + (more - n) // 3) == units
        assert architecture.units_for(config, more - (more - n) // 3) == units + 1


def test_an_untrained_perceptron_is_what_training_begins_with():
    config = {"model": "mlp", "dataset": "digits", "hidden_dims": [5], "lr": 1, "batch_size": 9, "epochs": 1}
    first = next(training.steps(configs.complete(config), data.load("digits")))
    found = architecture.untrained(config).weights
    assert found.keys() == first.weights.keys()
    for name, w in first.weights.items():
        np.testing.assert_array_equal(found[name], w)


def test_multiply_adds_of_the_perceptron_are_its_weights():
    run = Run({"model": "mlp"}, "", 0, {}, {}, shapes={"W1": [784, 5], "b1": [1, 5], "W2": [5, 10]})
    assert architecture.multiply_adds(run) == 784 * 5 + 5 * 10


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


def test_savings_are_those_of_the_windows():
    _, conv2, _ = rows(architecture.savings(cnn.network()))
    shared = (20 * 4 * 4 + 1) * 30
    assert conv2 == ["conv2", f"{shared:,}", f"{shared * 9 * 9:,}", f"{(20 * 12 * 12 + 1) * 30 * 9 * 9:,}"]
