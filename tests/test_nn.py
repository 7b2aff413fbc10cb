"""NN against PyTorch's automatic differentiation, closed forms and its own plain form."""

import ast
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from helpers import data, nn
from helpers.nn import NN

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ACTIVATIONS = ("relu", "sigmoid", "tanh")


def one_hot(rng, n):
    return np.eye(10)[rng.integers(0, 10, n)]


def small_network(rng, activation="relu", depth=2, n_inputs=12, **arguments):
    """A network whose biases are not zero, as they are after training."""
    network = NN((9, 8, 7, 6)[:depth], activation=activation, seed=0, **arguments)
    network.initialize_weights((n_inputs, 10))
    for name, w in network.weights.items():
        if name.startswith("b"):
            w += rng.normal(size=w.shape)
    return network


@pytest.mark.parametrize("n", [1, 16, 64])
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_autograd(activation, depth, n):
    rng = np.random.default_rng([depth, n])
    network = small_network(rng, activation, depth)
    X, y = rng.normal(size=(n, 12)), one_hot(rng, n)
    cache = network.forward(X)
    grads = network.backward(cache, y)

    weights = {name: torch.tensor(w, requires_grad=True) for name, w in network.weights.items()}
    values, Z = {}, torch.tensor(X)
    for i in range(1, depth + 2):
        A = values[f"A{i}"] = Z @ weights[f"W{i}"] + weights[f"b{i}"]
        Z = values[f"Z{i}"] = getattr(torch, activation)(A) if i <= depth else A
        A.retain_grad()
        Z.retain_grad()
    loss = torch.nn.functional.cross_entropy(Z, torch.tensor(y))
    loss.backward()

    assert network.loss(cache[f"Z{depth + 1}"], y) == pytest.approx(loss.item(), abs=1e-5)  # clipped
    del values[f"Z{depth + 1}"]  # PyTorch's is the score, NN's the probability
    # Of the mean loss PyTorch gives every gradient, NN those of W and b; A and Z have each sample's own.
    expected = {f"d{name}": tensor.grad for name, tensor in weights.items()}
    expected |= {f"d{name}": n * tensor.grad for name, tensor in values.items()}
    assert set(grads) == set(expected)
    for name, tensor in expected.items():
        np.testing.assert_allclose(grads[name], tensor, rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_and_their_derivatives(activation):
    x = np.array([-800.0, -1.5, 0.3, 2.0, 800.0])
    given = torch.tensor(x, requires_grad=True)
    value = getattr(torch, activation)(given)
    value.sum().backward()
    network = NN(activation=activation)
    np.testing.assert_allclose(network.activation(x), value.detach(), atol=1e-15)
    np.testing.assert_allclose(network.activation(x, grad=True), given.grad, atol=1e-15)
    np.testing.assert_array_equal(x, [-800.0, -1.5, 0.3, 2.0, 800.0])


def test_softmax_of_rows_and_of_one_vector():
    x = np.array([[1e4, 1e4 - 1, -1e4], [0.0, 1.0, 2.0]])
    expected = torch.softmax(torch.tensor(x), dim=1)
    np.testing.assert_allclose(NN().softmax(x), expected, atol=1e-15)
    np.testing.assert_allclose(NN().softmax(x[1]), expected[1], atol=1e-15)


def test_loss_clips_probabilities():
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    network = NN(epsilon=1e-3)
    assert network.loss(certain, certain) == pytest.approx(-np.log(1 - 1e-3))
    assert network.loss(certain, certain[::-1]) == pytest.approx(-np.log(1e-3))
    np.testing.assert_array_equal(certain, np.eye(2))


def test_initial_weights_are_drawn_in_order_from_the_seed():
    rng = np.random.RandomState(5)
    network = NN((20, 30), seed=5)
    network.initialize_weights((784, 10))
    for i, (n_in, n_out) in enumerate([(784, 20), (20, 30), (30, 10)], start=1):
        limit = np.sqrt(6 / (n_in + n_out))
        np.testing.assert_array_equal(network.weights[f"W{i}"], rng.uniform(-limit, limit, (n_in, n_out)))
        np.testing.assert_array_equal(network.weights[f"b{i}"], np.zeros((1, n_out)))


@pytest.mark.parametrize(("method", "spread"), [("zero", 0), ("normal", 1), ("he", np.sqrt(2 / 784))])
def test_the_spread_of_initial_weights(method, spread):
    network = NN((500,), init_method=method, seed=1)
    network.initialize_weights((784, 10))
    assert network.weights["W1"].std() == pytest.approx(spread, rel=0.01)
    assert not network.weights["b1"].any()


def test_the_batch_at_hand_is_what_gradients_are_means_over():
    """Whatever `batch_size` says: four copies of a batch have its gradients."""
    rng = np.random.default_rng(1)
    network = small_network(rng, batch_size=64)
    X, y = rng.normal(size=(5, 12)), one_hot(rng, 5)
    once, four = (network.backward(network.forward(np.tile(X, (n, 1))), np.tile(y, (n, 1))) for n in (1, 4))
    np.testing.assert_array_equal(once["dA3"], network.forward(X)["Z3"] - y)
    for name in once:
        expected = once[name] if name[:2] in ("dW", "db") else np.tile(once[name], (4, 1))
        np.testing.assert_allclose(four[name], expected, atol=1e-15)


def test_train_loop_takes_a_step_per_batch_and_logs_what_the_weights_do():
    rng = np.random.default_rng(3)
    sets = [(rng.random((n, 20)), one_hot(rng, n)) for n in (45, 10, 10)]
    network = NN((9, 8), lr=0.1, batch_size=16, seed=2, data=sets)
    seen = []
    logs = network.train_loop(3, callback=lambda logs: seen.append(len(logs["train_loss"])))
    assert seen == [1, 2, 3]

    other = NN((9, 8), lr=0.1, batch_size=16, seed=2, data=sets)
    other.initialize_weights((20, 10))
    (X, y), valid, test = sets
    for _ in range(3):
        for start in (0, 16, 32):  # the last batch has 13 samples
            grads = other.backward(other.forward(X[start : start + 16]), y[start : start + 16])
            other.weights = {name: w - 0.1 * grads[f"d{name}"] for name, w in other.weights.items()}
    for name, w in other.weights.items():
        np.testing.assert_array_equal(network.weights[name], w)

    for name, pair in (("train", (X, y)), ("validation", valid)):
        prediction = other.forward(pair[0])["Z3"]
        assert logs[f"{name}_loss"][-1] == pytest.approx(other.loss(prediction, pair[1]), abs=1e-14)
        assert logs[f"{name}_accuracy"][-1] == np.mean(prediction.argmax(axis=1) == pair[1].argmax(axis=1))
    assert network.evaluate() == other.compute_loss_and_accuracy(*test)[:2]
    assert {name: len(values) for name, values in logs.items()} == dict.fromkeys(
        ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss"), 3
    )


def test_evaluation_in_blocks_is_that_of_the_whole(monkeypatch):
    rng = np.random.default_rng(4)
    network = small_network(rng)
    X, y = rng.normal(size=(103, 12)), one_hot(rng, 103)
    whole = network.compute_loss_and_accuracy(X, y)
    monkeypatch.setattr(nn, "BLOCK", 10)
    blocks = network.compute_loss_and_accuracy(X, y)
    assert blocks[:2] == pytest.approx(whole[:2], abs=1e-14)
    np.testing.assert_array_equal(blocks[2], whole[2])


def test_float32_stays_float32():
    rng = np.random.default_rng(5)
    network = small_network(rng, dtype=np.float32)
    cache = network.forward(rng.random((4, 12), dtype=np.float32))
    grads = network.backward(cache, one_hot(rng, 4).astype(np.float32))
    network.update(grads)
    arrays = {**cache, **grads, **network.weights}
    assert {name: array.dtype for name, array in arrays.items()} == dict.fromkeys(arrays, np.dtype(np.float32))


def test_it_learns_to_read():
    dataset = data.load("digits")
    sets = [split.one_hot() for split in (dataset.train, dataset.valid, dataset.test)]
    network = NN((64,), lr=0.2, batch_size=16, seed=0, data=sets)
    network.train_loop(15)
    assert network.evaluate()[1] > 0.93


def test_without_data_it_has_three_random_sets_of_400():
    network = NN()
    for X, y in (network.train, network.valid, network.test):
        assert (X.shape, y.shape) == ((400, 784), (400, 10))
        np.testing.assert_array_equal(y.sum(axis=1), 1)
    network.train_loop(1)


@pytest.mark.parametrize("argument", [{"activation": "swish"}, {"init_method": "ones"}])
def test_unknown_names_are_refused(argument):
    with pytest.raises(ValueError, match=next(iter(argument.values()))):
        NN(**argument)


SPOILT = {
    "labels (N,)": lambda X, y: (X, y.argmax(axis=1)),
    "labels (N, 1)": lambda X, y: (X, y.argmax(axis=1)[:, None]),
    "one row of labels": lambda X, y: (X, y[:1]),
    "too many labels": lambda X, y: (X, np.vstack([y, y])),
    "too few classes": lambda X, y: (X, y[:, :9]),
    "images too narrow": lambda X, y: (X[:, :5], y),
    "no images": lambda X, y: (X[:0], y[:0]),
    "images of three dimensions": lambda X, y: (X.reshape(5, 3, 4), y),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_labels_and_images_that_do_not_fit_are_refused_wherever_they_come(spoil):
    rng = np.random.default_rng(6)
    network = small_network(rng)
    X, y = spoil(rng.normal(size=(5, 12)), one_hot(rng, 5))

    def learn():
        network.update(network.backward(network.forward(X), y))

    before = {name: w.copy() for name, w in network.weights.items()}
    for attempt in (learn, lambda: network.step(X, y), lambda: network.compute_loss_and_accuracy(X, y)):
        with pytest.raises(ValueError, match="of shape .* (fit|one-hot)"):
            attempt()
    for name, w in before.items():
        np.testing.assert_array_equal(network.weights[name], w)


@pytest.mark.parametrize("name", [name for name in SPOILT if name not in ("too few classes", "images too narrow")])
def test_data_that_do_not_fit_are_refused_from_the_start(name):
    rng = np.random.default_rng(6)
    pair = rng.normal(size=(5, 12)), one_hot(rng, 5)
    with pytest.raises(ValueError, match="images of shape .* with labels of shape .* are no data set"):
        NN(data=[pair, SPOILT[name](*pair), pair])


@pytest.mark.parametrize("wrong", [(), 7, [(np.ones((5, 12)),)] * 3, [(np.ones((5, 12)), np.eye(10)[:5])] * 2])
def test_data_must_be_three_pairs(wrong):
    with pytest.raises(ValueError, match="data must be three pairs"):
        NN(data=wrong)


@pytest.mark.parametrize("value", [0, -1, 1.5, "16", None, True, np.nan, np.inf])
def test_counts_are_whole_numbers(value):
    with pytest.raises(ValueError, match="batch_size is .*, but must be a whole number from 1 "):
        NN(batch_size=value)
    with pytest.raises(ValueError, match="hidden_dims is .*, but must be a whole number"):
        NN(hidden_dims=[9, value])
    if value != 0:
        with pytest.raises(ValueError, match="n_epochs is .*, but must be a whole number from 0 "):
            NN().train_loop(value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("lr", ("0.1", None, -0.1, np.nan, np.inf, True, 1j)),
        ("epsilon", (0.5, -1e-6, None)),
        ("seed", (-1, 0.5, "0")),
        ("dtype", (int, complex, str)),
    ],
)
def test_other_arguments_are_numbers_within_bounds(name, values):
    for value in values:
        with pytest.raises(ValueError, match=name):
            NN(**{name: value})


def test_arrays_hold_real_numbers():
    network = small_network(np.random.default_rng(0))
    for spoilt in (np.ones((2, 12), complex), np.ones((2, 12), object), np.ones((2, 12), str), [[None] * 12] * 2):
        with pytest.raises(ValueError, match="holds no real numbers"):
            network.forward(spoilt)


def test_a_network_without_weights_says_so():
    for use in (NN().forward, NN().predict, lambda X: NN().evaluate()):
        with pytest.raises(ValueError, match="no weights yet: call train_loop or initialize_weights first"):
            use(np.zeros((1, 784)))


def test_one_sample_may_be_a_vector():
    rng = np.random.default_rng(7)
    network = small_network(rng)
    x, y = rng.normal(size=12), one_hot(rng, 1)[0]
    row = network.forward(x[None])
    for name, value in network.forward(x).items():
        np.testing.assert_array_equal(value, row[name])
    for name, value in network.backward(row, y).items():
        np.testing.assert_array_equal(value, network.backward(row, y[None])[name])
    assert network.loss(row["Z3"][0], y) == network.loss(row["Z3"], y[None])
    assert network.compute_loss_and_accuracy(x, y)[:2] == network.compute_loss_and_accuracy(x[None], y[None])[:2]


def test_numbers_at_the_edge_give_numbers_without_a_warning():
    network = NN()
    huge = np.array([[1e300, -1e300, 0.0]])
    np.testing.assert_array_equal(network.softmax(huge), [[1, 0, 0]])
    assert network.relu(3.0) == 3
    assert network.relu(-3.0, grad=True) == 0
    assert network.sigmoid([0.0, 1e300, -1e300]).tolist() == [0.5, 1, 0]
    network = small_network(np.random.default_rng(0))
    assert np.isnan(network.forward(np.full((2, 12), np.nan))["Z3"]).all()


def test_the_file_needs_numpy_alone():
    tree = ast.parse(inspect.getsource(nn))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["import numpy as np"]


def test_threads_change_nothing_but_the_rounding():
    code = (
        "import numpy as np; from helpers.nn import NN; network = NN((300, 200), lr=0.1, seed=0);"
        "network.train_loop(3); print(*network.train_logs['train_loss'])"
    )
    losses = [
        subprocess.check_output(
            [sys.executable, "-c", code], env=os.environ | dict.fromkeys(BLAS_THREADS, n), text=True
        )
        for n in ("1", "2")
    ]
    one, two = ([float(loss) for loss in text.split()] for text in losses)
    assert one == pytest.approx(two, rel=1e-9)
