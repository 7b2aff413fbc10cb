"""The fast step: what NN computes, in every case that NN knows."""

import numpy as np
import pytest

from helpers import fast
from helpers.fast import FastNN
from helpers.nn import NN, one_hot

N_INPUTS, N = 12, 103


def sets(seed=0):
    """Three sets of random images whose last batch is short for most batch sizes."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(N, N_INPUTS)), one_hot(rng.integers(0, 10, N), 10)) for _ in range(3)]


@pytest.mark.parametrize("batch_size", [1, 7, 16, 50, 200])
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_training_is_that_of_the_plain_network(activation, depth, batch_size):
    """Some hundred steps, equal to 1e-12: two roundings of the same mathematics."""
    made = {"hidden_dims": (9, 8, 7, 6)[:depth], "activation": activation, "lr": 0.05, "batch_size": batch_size}
    plain, quick = (kind(**made, seed=1, data=sets()) for kind in (NN, FastNN))
    n_epochs = 3 if batch_size == 1 else 20
    logs = plain.train_loop(n_epochs)
    for name, values in quick.train_loop(n_epochs).items():
        np.testing.assert_allclose(values, logs[name], rtol=0, atol=1e-12, err_msg=name)
    assert len(set(logs["train_loss"])) == n_epochs
    for name, w in plain.weights.items():
        np.testing.assert_allclose(quick.weights[name], w, rtol=0, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(quick.predict(quick.valid[0]), plain.predict(plain.valid[0]), rtol=0, atol=1e-12)


def test_single_precision_stays_single_and_close():
    plain, quick = (kind((30, 20), lr=0.1, seed=1, data=sets(), dtype=np.float32) for kind in (NN, FastNN))
    for network in (plain, quick):
        network.train_loop(50)
    for name, w in plain.weights.items():
        assert quick.weights[name].dtype == np.float32
        np.testing.assert_allclose(quick.weights[name], w, rtol=0, atol=1e-4)


def test_a_step_works_in_place_and_leaves_its_arguments_alone():
    network = FastNN((9,), lr=0.3, seed=1, data=sets())
    network.initialize_weights((N_INPUTS, 10))
    before = dict(network.weights)
    X, y = network.train
    images, labels = X.copy(), y.copy()
    network.step(X, y)
    for name, w in before.items():
        assert np.shares_memory(network.weights[name], w)
    np.testing.assert_array_equal(X, images)
    np.testing.assert_array_equal(y, labels)


def test_weights_and_images_may_lie_in_memory_in_any_order():
    plain, quick = (kind((9, 8), lr=0.3, seed=1, data=sets()) for kind in (NN, FastNN))
    for network in (plain, quick):
        network.initialize_weights((N_INPUTS, 10))
        network.weights = {name: np.asfortranarray(w) for name, w in network.weights.items()}
        for _ in range(3):
            network.step(np.asfortranarray(network.train[0])[::2], network.train[1][::2])
    for name, w in plain.weights.items():
        np.testing.assert_allclose(quick.weights[name], w, rtol=0, atol=1e-13)


def test_prediction_in_blocks_is_that_of_the_whole(monkeypatch):
    network = FastNN((9,), seed=1, data=sets())
    network.initialize_weights((N_INPUTS, 10))
    whole = network.predict(network.train[0])
    monkeypatch.setattr(fast, "BLOCK", 10)
    np.testing.assert_allclose(network.predict(network.train[0]), whole, rtol=0, atol=1e-15)
