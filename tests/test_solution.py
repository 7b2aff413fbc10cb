"""What the assignment asks of `solution.py`, for whoever grades it: NumPy and this file suffice.

    python test_solution.py                         # beside solution.py
    python test_solution.py --results results.json  # the same, in the form that Gradescope reads

Each test counts one point.  In the project itself pytest runs the same tests on `helpers/nn.py`.
"""

import argparse
import json
import sys
import unittest
from pathlib import Path

import numpy as np

try:
    from solution import NN
except ModuleNotFoundError:
    from helpers.nn import NN

N, N_INPUTS, N_CLASSES = 7, 12, 10


def batch(n=N):
    """Random images and one-hot labels."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, N_INPUTS)), np.eye(N_CLASSES)[rng.integers(0, N_CLASSES, n)]


def made(**arguments):
    """A small network with its initial weights, the biases moved away from zero."""
    network = NN(**{"hidden_dims": (9, 8), "seed": 0, "epsilon": 1e-12} | arguments)
    network.initialize_weights((N_INPUTS, N_CLASSES))
    for i in (1, 2, 3):
        network.weights[f"b{i}"] += 0.1 * np.arange(network.weights[f"b{i}"].size)
    return network


class Initialisation(unittest.TestCase):
    """Weights and biases before training."""

    def test_shapes_and_zero_biases(self):
        network = NN(hidden_dims=(9, 8), seed=0)
        network.initialize_weights((N_INPUTS, N_CLASSES))
        shapes = {name: w.shape for name, w in network.weights.items()}
        expected = {"W1": (12, 9), "b1": (1, 9), "W2": (9, 8), "b2": (1, 8), "W3": (8, 10), "b3": (1, 10)}
        self.assertEqual(shapes, expected)
        self.assertFalse(any(network.weights[f"b{i}"].any() for i in (1, 2, 3)))

    def test_zero(self):
        network = NN(hidden_dims=(9,), init_method="zero")
        network.initialize_weights((N_INPUTS, N_CLASSES))
        self.assertFalse(any(w.any() for w in network.weights.values()))

    def test_normal(self):
        network = NN(hidden_dims=(500,), init_method="normal", seed=0)
        network.initialize_weights((784, N_CLASSES))
        W = network.weights["W1"]
        self.assertAlmostEqual(W.mean(), 0, delta=0.01)
        self.assertAlmostEqual(W.std(), 1, delta=0.01)

    def test_glorot(self):
        network = NN(hidden_dims=(500,), init_method="glorot", seed=0)
        network.initialize_weights((784, N_CLASSES))
        W, limit = network.weights["W1"], np.sqrt(6 / (784 + 500))
        self.assertLessEqual(np.abs(W).max(), limit)
        self.assertAlmostEqual(W.std(), limit / np.sqrt(3), delta=0.01 * limit)

    def test_the_seed_rules_the_weights(self):
        first, again, other = (made(seed=seed).weights["W1"] for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        self.assertTrue((first != other).any())


class Forward(unittest.TestCase):
    """From images to probabilities."""

    def test_activations(self):
        x, network = np.array([-2.0, 0.5, 3.0]), NN()
        np.testing.assert_allclose(network.relu(x), [0, 0.5, 3])
        np.testing.assert_allclose(network.sigmoid(x), 1 / (1 + np.exp(-x)))
        np.testing.assert_allclose(network.tanh(x), np.tanh(x))

    def test_derivatives_of_the_activations(self):
        x, h, network = np.array([-2.0, 0.5, 3.0]), 1e-6, NN()
        for activation in (network.relu, network.sigmoid, network.tanh):
            expected = (activation(x + h) - activation(x - h)) / (2 * h)
            np.testing.assert_allclose(activation(x, grad=True), expected, atol=1e-8)

    def test_softmax(self):
        x = np.array([[1.0, 2.0, 3.0], [1000.0, 1000.0, -1000.0]])
        p = NN().softmax(x)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(p[0], np.exp(x[0]) / np.exp(x[0]).sum())
        np.testing.assert_allclose(p[1], [0.5, 0.5, 0], atol=1e-12)

    def test_the_cache(self):
        (X, _), network = batch(), made()
        cache, Z = network.forward(X), X
        np.testing.assert_array_equal(cache["Z0"], X)
        for i in (1, 2, 3):
            A = Z @ network.weights[f"W{i}"] + network.weights[f"b{i}"]
            Z = np.maximum(A, 0) if i < 3 else np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)
            np.testing.assert_allclose(cache[f"A{i}"], A)
            np.testing.assert_allclose(cache[f"Z{i}"], Z)

    def test_loss(self):
        p, y = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([[1.0, 0.0], [1.0, 0.0]])
        self.assertAlmostEqual(NN().loss(p, y), -(np.log(0.7) + np.log(0.2)) / 2)
        self.assertAlmostEqual(NN(epsilon=1e-3).loss(np.eye(2), np.eye(2)[::-1]), -np.log(1e-3))


class Backward(unittest.TestCase):
    """Gradients, against finite differences of the loss."""

    def check(self, activation):
        X, y = batch()
        network, h = made(activation=activation), 1e-6
        grads = network.backward(network.forward(X), y)
        for name, w in network.weights.items():
            self.assertEqual(grads[f"d{name}"].shape, w.shape)
            expected = np.empty_like(w)
            for place in np.ndindex(w.shape):
                value, losses = w[place], []
                for moved in (value + h, value - h):
                    w[place] = moved
                    losses.append(network.loss(network.forward(X)["Z3"], y))
                w[place] = value
                expected[place] = (losses[0] - losses[1]) / (2 * h)
            np.testing.assert_allclose(grads[f"d{name}"], expected, atol=1e-7, err_msg=f"d{name}")

    def test_relu(self):
        self.check("relu")

    def test_sigmoid(self):
        self.check("sigmoid")

    def test_tanh(self):
        self.check("tanh")

    def test_each_sample_has_a_gradient_of_its_own(self):
        (X, y), network = batch(), made()
        cache = network.forward(X)
        grads = network.backward(cache, y)
        np.testing.assert_allclose(grads["dA3"], cache["Z3"] - y)
        np.testing.assert_allclose(grads["dZ2"], grads["dA3"] @ network.weights["W3"].T)
        np.testing.assert_allclose(grads["dA2"], grads["dZ2"] * (cache["A2"] > 0))
        np.testing.assert_allclose(grads["dW2"], cache["Z1"].T @ grads["dA2"] / N)

    def test_update(self):
        (X, y), network = batch(), made(lr=0.5)
        before = {name: w.copy() for name, w in network.weights.items()}
        grads = network.backward(network.forward(X), y)
        network.update(grads)
        for name, w in before.items():
            np.testing.assert_allclose(network.weights[name], w - 0.5 * grads[f"d{name}"])


class Training(unittest.TestCase):
    """The loop, its logs and the evaluation."""

    def setUp(self):
        X, y = batch(40)
        self.network = NN(hidden_dims=(9, 8), lr=0.5, batch_size=16, seed=0, data=[(X, y)] * 3)
        self.logs = self.network.train_loop(60)

    def test_logs_have_a_value_per_epoch(self):
        names = {"train_accuracy", "validation_accuracy", "train_loss", "validation_loss"}
        self.assertEqual({name: len(values) for name, values in self.logs.items()}, dict.fromkeys(names, 60))

    def test_the_loss_falls(self):
        self.assertLess(self.logs["train_loss"][-1], 0.5 * self.logs["train_loss"][0])

    def test_evaluate_is_what_the_logs_say_of_the_same_images(self):
        loss, accuracy = self.network.evaluate()
        self.assertAlmostEqual(loss, self.logs["validation_loss"][-1])
        self.assertEqual(accuracy, self.logs["validation_accuracy"][-1])

    def test_predictions(self):
        X, y = self.network.test
        loss, accuracy, predicted = self.network.compute_loss_and_accuracy(X, y)
        self.assertEqual(np.shape(predicted), (len(X),))
        self.assertAlmostEqual(accuracy, np.mean(predicted == y.argmax(axis=1)))


class _Points(unittest.TextTestResult):
    """Remembers the outcome of each test in the form that Gradescope reads."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.points = []

    def _point(self, test, output=""):
        name = f"{type(test).__name__}: {test._testMethodName.removeprefix('test_').replace('_', ' ')}"
        status = {"score": 0, "status": "failed", "output": output} if output else {"score": 1, "status": "passed"}
        self.points.append({"name": name, "max_score": 1, **status})

    def addSuccess(self, test):
        super().addSuccess(test)
        self._point(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._point(test, self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self._point(test, self._exc_info_to_string(err, test))


def main():
    """Run all tests; exit status 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", help="where to write the points as JSON, for Gradescope results/results.json")
    arguments = parser.parse_args()
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(resultclass=_Points).run(suite)
    if arguments.results:
        Path(arguments.results).write_text(json.dumps({"tests": result.points}, indent=1))
    return not result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
