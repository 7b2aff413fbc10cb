"""Configurations: what is allowed, in which form it is kept, and what is said of the rest."""

import json

import numpy as np
import pytest

from helpers import configs

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 2}
REPLAY = MLP | {"model": "replay"}


@pytest.mark.parametrize("config", [MLP, CNN, REPLAY], ids=["mlp", "cnn", "replay"])
def test_the_defaults_are_allowed_and_complete_changes_nothing_more(config):
    whole = configs.complete(config)
    assert whole == configs.DEFAULTS[config["model"]] | config
    assert configs.complete(whole) == whole


def test_numbers_of_numpy_are_the_numbers_that_they_hold():
    given = {
        "lr": np.logspace(-1, 0, 2)[0],
        "batch_size": np.int64(32),
        "epochs": 2.0,
        "hidden_dims": np.array([20]),
        "seed": np.uint8(0),
        "decay": np.False_,
        "shift": -0.0,
        "dataset": " Digits",
    }
    assert json.dumps(configs.complete(MLP | given), sort_keys=True) == json.dumps(
        configs.complete(MLP), sort_keys=True
    )
    assert configs.complete(MLP | {"hidden_dims": (20, np.int32(5))})["hidden_dims"] == [20, 5]
    assert configs.complete(CNN | {"dropout": np.array([0, 0.5])})["dropout"] == [0.0, 0.5]
    assert configs.complete(MLP | {"shift": 27, "rotation": 359})["rotation"] == 359.0


def test_auto_is_the_data_set_that_it_stands_for(monkeypatch):
    monkeypatch.setattr(configs.data, "_load", lambda name, folder: configs.data._digits(warning="no MNIST"))
    assert configs.complete(MLP | {"dataset": "auto"})["dataset"] == "digits"


BAD = [
    ({}, "model None is not one of mlp, cnn, planted, replay"),
    ([1, 2], "a configuration is a dict"),
    ({"model": "svm"}, "model 'svm' is not one of mlp, cnn"),
    ({"model": ["mlp"]}, "is not one of mlp, cnn"),
    ({"model": np.array(["mlp", "cnn"])}, "is not one of mlp, cnn"),
    (MLP | {"momentum": 0.9}, "mlp has no parameter momentum; it has activation"),
    (MLP | {3: 4}, "mlp has no parameter 3"),
    ({"model": "cnn", "dataset": "digits"}, "lacks lr, batch_size, epochs"),
    (MLP | {"dataset": "cifar"}, "data set 'cifar' is not one of mnist"),
    (MLP | {"dataset": None}, "data set None is not one of mnist"),
    (
        MLP | {"lr": 0, "epochs": 0},
        "epochs is 0, but must be a whole number from 1 on; lr is 0, but must be a number above 0",
    ),
]
VALUES = {
    "epochs": (-1, 0, 2.5, "2", None, True, np.nan, np.inf, [2]),
    "batch_size": (-32, 0, 0.5, "16", None, True, np.inf),
    "lr": (0, -0.1, 10**400, np.nan, np.inf, None, "0.1", True, [0.1], 1j),
    "seed": (-1, 2**32, 0.5, True, None, "0"),
    "hidden_dims": (20, [0], [-5], [20.5], ["20"], None, "20", [[20]], {20}, [True], [np.nan]),
    "activation": ("ReLU", "gelu", None, 1, ["relu"]),
    "init_method": ("pytorch", "xavier", None),
    "shuffle": (1, 0, "yes", None),
    "shift": (-1, 28, None),
    "rotation": (-1, 360, None),
    "permutation": (-1, 0.5, "3", True),
}
OF_CNN = {
    "dropout": (0.5, [0.5], [0.5, 1.0], [1.0, 0.5], [0.5, -0.1], None, [0.1, 0.2, 0.3], "ab"),
    "fc1_units": (0, -1, 1.5, None),
    "init_method": ("he", "zero"),
    "pooling": ("max", 1),
}


@pytest.mark.parametrize(("config", "message"), BAD)
def test_what_is_wrong_is_named_all_at_once(config, message):
    with pytest.raises(ValueError, match=message):
        configs.complete(config)


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [(MLP, name, value) for name, values in VALUES.items() for value in values]
    + [(CNN, name, value) for name, values in OF_CNN.items() for value in values]
    + [(REPLAY, "measured", "test")],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(config, name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*, but must be (a|one)"):
        configs.complete(config | {name: value})
