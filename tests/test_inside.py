"""What goes on in a network: against the layers written out, and against networks whose answers are known."""

import numpy as np
import pytest
import torch

from helpers import architecture, configs, data, inside, nn, pretrained, training
from helpers.data import Split


class Linear:
    """Scores that are sums of weighted pixels."""

    def __init__(self, W):
        self.W = W

    def predict(self, X):
        scores = np.exp(X @ self.W - (X @ self.W).max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def cnn():
    return pretrained.load("cnn")


@pytest.fixture(scope="module")
def split():
    return data.load("digits").valid


def test_the_layers_of_the_cnn_are_those_of_training(cnn, split):
    found = inside.layers(cnn, split)
    assert [layer.name for layer in found] == ["conv1", "conv2", "conv3", "fc1", "fc2"]
    assert all((layer.A < 0).any() for layer in found)  # as they are before their ReLU
    np.testing.assert_allclose(found[-1].A, cnn.scores(split.X[:200]), atol=1e-4)
    dA = cnn.predict(split.X[:200]) - nn.one_hot(split.y[:200], 10)  # of each image's own loss
    np.testing.assert_allclose(found[-1].dA, dA, atol=1e-5)
    before = dA @ cnn.fc2.weight.numpy(force=True) * (found[-2].A > 0)
    np.testing.assert_allclose(found[-2].dA, before, atol=1e-4)


def test_the_layers_of_the_perceptron_are_those_of_training(split):
    network = nn.NN((12, 11), seed=0)
    network.initialize_weights((784, 10))
    found, x = inside.layers(network, split), split.X[:200]
    assert [layer.name for layer in found] == ["layer 1", "layer 2", "layer 3"]
    for i, layer in enumerate(found, start=1):
        np.testing.assert_allclose(layer.A, x @ network.weights[f"W{i}"] + network.weights[f"b{i}"])
        x = np.maximum(layer.A, 0)
    dA = network.predict(split.X[:200]) - nn.one_hot(split.y[:200], 10)
    for i, layer in reversed(list(enumerate(found, start=1))):
        np.testing.assert_allclose(layer.dA, dA)
        dA = dA @ network.weights[f"W{i}"].T * (found[i - 2].A > 0) if i > 1 else None


def test_units_that_never_fire_are_counted_as_dead():
    A = -np.ones((3, 5, 2, 2))  # images, channels, height, width
    A[1, 0, 0, 1], A[:, 1], A[:, 2] = 0.1, 1, 0
    assert inside.Layer("", A, A).dead == 0.6
    assert inside.Layer("", A[:, :, 0, 1], A).dead == 0.6


def test_feature_maps_are_what_the_relus_let_through(cnn, split):
    found = inside.feature_maps(cnn, split.X[0])
    with torch.inference_mode():
        conv1 = cnn.conv1(torch.from_numpy(split.X[:1]).reshape(1, 1, 28, 28))
        first = cnn.pool1(conv1).clamp(min=0)
        second = cnn.conv2(first).clamp(min=0)
        third = cnn.pool2(cnn.conv3(second)).clamp(min=0)
    assert list(found) == ["after conv1", "after conv2", "after conv3"]
    for maps, expected in zip(found.values(), (first, second, third), strict=True):
        np.testing.assert_allclose(maps, expected[0], atol=1e-5)


def test_the_first_weights_are_images_of_what_a_unit_looks_for(cnn):
    network = nn.NN((3,), seed=0)
    network.initialize_weights((784, 10))
    found = inside.first_weights(network)
    assert found.shape == (3, 28, 28)
    np.testing.assert_array_equal(found[1].ravel(), network.weights["W1"][:, 1])
    np.testing.assert_array_equal(inside.first_weights(cnn), cnn.state_dict()["conv1.weight"][:, 0])


def test_the_hardest_images_are_those_with_most_loss():
    rng = np.random.default_rng(0)
    network, split = Linear(rng.normal(size=(784, 10))), Split(rng.random((30, 784)), rng.integers(0, 10, 30))
    found = inside.hardest(network, split, n=4)
    p = network.predict(split.X)
    losses = -np.log(p[range(30), split.y])
    assert [i for i, _, _ in found] == list(np.argsort(-losses)[:4])
    assert [guess for _, guess, _ in found] == [p[i].argmax() for i, _, _ in found]
    np.testing.assert_allclose([right for _, _, right in found], np.exp(-losses[[i for i, _, _ in found]]))


def test_evidence_is_where_the_answer_changes():
    class Looks:
        """Reads 1 where the ink of one pixel is more than a half, else 0."""

        def predict(self, X):
            scores = np.stack([np.full(len(X), 1.0), 4 * X[:, 28 * 10 + 15], *[np.zeros(len(X))] * 8], axis=1)
            return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)

    image = np.ones(784, np.float32)
    answer, found = inside.evidence(Looks(), image)
    assert answer == 1
    assert np.unravel_index(found.argmax(), found.shape) == (10, 15)
    assert found[:6].max() == 0


def test_evidence_is_the_mean_fall_over_the_squares_that_cover_a_pixel():
    rng = np.random.default_rng(0)
    image = rng.random((28, 28)) * (rng.random((28, 28)) < 0.5)
    image[:, :10], image[-1, -1] = 0, 1
    W = rng.normal(0, 0.1, (784, 10))
    W[-1, 7] = 50  # the last square changes the answer
    falls, network = np.zeros((25, 25)), Linear(W)
    before = network.predict(image.reshape(1, -1))[0]
    for row, column in np.ndindex(falls.shape):
        changed = image.copy()
        changed[row : row + 4, column : column + 4] = 0
        after = network.predict(changed.reshape(1, -1))[0, 7]
        falls[row, column] = np.log(before[7]) - np.log(max(after, 1e-12))
    answer, found = inside.evidence(network, image.ravel())
    assert answer == 7
    for row, column in np.ndindex(found.shape):
        covering = falls[max(row - 3, 0) : row + 1, max(column - 3, 0) : column + 1]
        assert found[row, column] == pytest.approx(covering.mean())


def test_the_untrained_network_is_where_training_starts_and_moves_are_from_there():
    config = {"model": "mlp", "dataset": "digits", "hidden_dims": [5, 4], "lr": 0.5, "batch_size": 20, "epochs": 1}
    start, network = (architecture.untrained(config) for _ in range(2))
    assert inside.moved(start, network) == {"W1": 0, "W2": 0, "W3": 0}
    first = next(training.model("mlp").steps(configs.complete(config), data.load("digits"), lambda step: 0.5))
    np.testing.assert_array_equal(first.weights["W1"], start.weights["W1"])
    network.weights["W2"] = 3 * network.weights["W2"]
    assert inside.moved(start, network)["W2"] == pytest.approx(2)


def test_a_cnn_of_a_wanted_size_has_the_units_that_come_nearest():
    config = configs.complete({"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 1})
    sizes = [206_500, 206_500 + 371 // 2, 206_500 + 371 // 2 + 1, 206_500 - 371]  # a unit has 361 + 10 parameters
    assert [architecture.units_for(config, n) for n in sizes] == [500, 500, 501, 499]
